package sqlite

import (
	"context"
	"database/sql"
	"time"
)

// recover finds what a previous owner of the file left unfinished: the rows of pending and
// the executions above the mark that have no final outcome, which join them.
func (s *Store) recover(ctx context.Context) error {
	err := s.transact(func() error { //nolint:contextcheck // A transaction is finished, whoever waits for it.
		if _, err := s.conn.ExecContext(ctx, `INSERT INTO pending (instance, seq) SELECT e.instance, e.seq
			FROM executions e WHERE e.seq > (SELECT mark FROM recovery) AND NOT EXISTS (SELECT 1 FROM outcomes o
				WHERE o.id BETWEEN e.seq << 20 AND e.seq << 20 | 0xFFFFF AND o.status <> 'waiting')
			ON CONFLICT DO NOTHING`); err != nil {
			return err
		}
		_, err := s.conn.ExecContext(ctx, `UPDATE recovery SET epoch = epoch + 1,
			mark = max(mark, (SELECT coalesce(max(seq), 0) FROM executions))`)
		return err
	})
	if err != nil {
		return err
	}
	var epoch, closed int64
	if err := s.conn.QueryRowContext(ctx, "SELECT mark, epoch, closed FROM recovery").Scan(&s.mark, &epoch, &closed); err != nil {
		return err
	}
	s.seq, s.committed, s.found, s.queue.token = s.mark, s.mark, s.mark, epoch<<32
	if closed < epoch-1 {
		s.died = s.found
	}
	s.queue.suspect()
	if err := each(ctx, s.conn.Conn, func(rows *sql.Rows) error {
		var instance string
		if err := rows.Scan(&instance); err != nil {
			return err
		}
		s.queue.spilled(instance)
		return nil
	}, `WITH RECURSIVE lanes (instance) AS (
			SELECT min(instance) FROM pending
			UNION ALL
			SELECT (SELECT min(p.instance) FROM pending p WHERE p.instance > lanes.instance)
			FROM lanes WHERE lanes.instance IS NOT NULL
		) SELECT instance FROM lanes WHERE instance IS NOT NULL`); err != nil {
		return err
	}
	return s.findDue(ctx)
}

// park moves the mark up to where this transaction begins: what is unfinished since the
// last time becomes pending, if it lived that long.
func (s *Store) park() error {
	if s.committed-s.mark < s.limits.park {
		return nil
	}
	return s.parkAt(s.committed)
}

func (s *Store) parkAt(mark int64) error {
	ctx := context.Background()
	for _, seat := range s.recent {
		if seat.over || seat.ending || seat.parked {
			continue
		}
		if _, err := s.statements.pend.ExecContext(ctx, seat.instance, seat.seq, nil); err != nil {
			return err
		}
		s.parking = append(s.parking, seat)
	}
	_, err := s.statements.mark.ExecContext(ctx, mark)
	s.parkedTo = mark
	return err
}

// parked tells memory that the transaction was committed.
func (s *Store) parked() {
	if s.parkedTo > s.mark {
		for _, seat := range s.parking {
			seat.parked = true
		}
		clear(s.recent)
		s.recent, s.mark = s.recent[:0], s.parkedTo
	}
	s.committed = s.seq
	s.unparked()
}

// unparked forgets what park did, after the transaction was rolled back.
func (s *Store) unparked() {
	clear(s.parking)
	s.parking, s.parkedTo = s.parking[:0], s.mark
}

// settle moves the mark to the end, so that the next Open has nothing to look for, and
// says that nobody died.
func (s *Store) settle() error {
	return s.transact(func() error {
		for _, seat := range s.queue.crashed() {
			if err := s.setCrashes(seat, seat.deaths, seat.crashes); err != nil {
				return err
			}
		}
		if _, err := s.statements.closed.ExecContext(context.Background()); err != nil {
			return err
		}
		return s.parkAt(s.seq)
	})
}

// remind sets the timer for an execution that waits until due.
func (s *Store) remind(due time.Time) {
	if s.nextDue.IsZero() || due.Before(s.nextDue) {
		s.nextDue = due
	}
}

// resume makes waiting executions ready that are due.
func (s *Store) resume() {
	if s.nextDue.IsZero() || s.nextDue.After(time.Now()) {
		return
	}
	ctx, now := context.Background(), time.Now()
	var due []*seat
	err := s.transact(func() error {
		due = due[:0]
		if err := eachOf(ctx, s.statements.due, func(rows *sql.Rows) error {
			seat, at := &seat{parked: true}, int64(0)
			if err := rows.Scan(&seat.instance, &seat.seq, &at); err != nil {
				return err
			}
			if seat.recovered = seat.seq <= s.found; !decodeTime(at).After(now) {
				due = append(due, seat)
			}
			return nil
		}, s.limits.resume); err != nil {
			return err
		}
		for _, seat := range due {
			if _, err := s.statements.pend.ExecContext(ctx, seat.instance, seat.seq, nil); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		s.queue.resume(due)
		err = s.findDue(ctx)
	}
	if err != nil {
		s.nextDue = now.Add(time.Second) // The disk may have recovered by then.
	}
}

func (s *Store) findDue(ctx context.Context) error {
	s.nextDue = time.Time{}
	return eachOf(ctx, s.statements.due, func(rows *sql.Rows) error {
		var instance string
		var seq, due int64
		err := rows.Scan(&instance, &seq, &due)
		s.nextDue = decodeTime(due)
		return err
	}, 1)
}

// fill reads the next pending executions of a lane into memory.
func (s *Store) fill(l *lane) {
	statement, args := s.statements.pending, []any{l.instance, l.read, s.limits.fill}
	if l == s.queue.suspects {
		statement, args = s.statements.suspects, args[1:]
	}
	var seats []*seat
	err := eachOf(context.Background(), statement, func(rows *sql.Rows) error {
		seat := &seat{parked: true}
		err := rows.Scan(&seat.instance, &seat.seq, &seat.deaths, &seat.crashes)
		seat.recovered = seat.seq <= s.found
		if seat.seq <= s.died {
			seat.deaths, seat.crashes = max(seat.deaths, 1), max(seat.crashes, 1)
		}
		seats = append(seats, seat)
		return err
	}, args...)
	s.queue.filled(l, seats, len(seats) == s.limits.fill, unavailable(err))
}
