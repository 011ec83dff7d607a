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
		if _, err := s.conn.ExecContext(ctx, `INSERT INTO pending (instance, lane, seq, lane_limit, size, kept, recovered,
				deaths, crashes) SELECT e.instance, `+laneColumn+`, e.seq, e.lane_limit,
				coalesce(length(e.head), 0) + coalesce(length(e.body), 0), 0, 0, 0, 0
			FROM executions e WHERE e.seq > (SELECT mark FROM recovery) AND NOT EXISTS (SELECT 1 FROM outcomes o
				WHERE o.id BETWEEN e.seq << 20 AND e.seq << 20 | 0xFFFFF AND o.status <> 'waiting')
			ON CONFLICT DO NOTHING`); err != nil {
			return err
		}
		// What was ready on a seat that it has kept, or ran, is due: that is how memory gets it.
		if _, err := s.conn.ExecContext(ctx, `UPDATE pending SET due = ?, recovered = 1, deaths = max(deaths, died.n),
			crashes = max(crashes, died.n) FROM (SELECT closed < epoch AS n FROM recovery) died
			WHERE kept = 1 AND due IS NULL`, atOnce); err != nil {
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
	if err := s.findLoads(ctx); err != nil {
		return err
	}
	if err := s.findLanes(ctx); err != nil {
		return err
	}
	return s.findDue(ctx)
}

// findLanes makes the lanes known that have rows in pending, the seats that are kept there
// and the paused instances.
func (s *Store) findLanes(ctx context.Context) error {
	if err := each(ctx, s.conn.Conn, func(rows *sql.Rows) error {
		var instance string
		err := rows.Scan(&instance)
		s.queue.pause(instance, true)
		return err
	}, "SELECT id FROM instances WHERE paused = 1"); err != nil {
		return err
	}
	if err := each(ctx, s.conn.Conn, func(rows *sql.Rows) error {
		var id laneID
		err := rows.Scan(&id.instance, &id.lane)
		s.queue.keep(id)
		return err
	}, "SELECT instance, lane FROM pending WHERE kept = 1"); err != nil {
		return err
	}
	s.queue.suspect()
	var id laneID // No other comes before it.
	for found := true; found; {
		s.queue.spilled(id)
		found = false
		if err := eachOf(ctx, s.statements.lane, func(rows *sql.Rows) error {
			found = true
			return rows.Scan(&id.instance, &id.lane)
		}, id.instance, id.lane); err != nil {
			return err
		}
	}
	return nil
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
	for _, seat := range s.recent {
		if seat.over || seat.leaving || seat.parked {
			continue
		}
		if err := s.pend(seat, time.Time{}, false); err != nil {
			return err
		}
		s.parking = append(s.parking, seat)
	}
	_, err := s.statements.mark.ExecContext(context.Background(), mark)
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
			var at int64
			seat, err := s.scanPending(rows, &at)
			if seat.seated = seat.kept; !decodeTime(at).After(now) {
				due = append(due, seat)
			}
			return err
		}, s.limits.resume); err != nil {
			return err
		}
		for _, seat := range due {
			if err := s.learn(ctx, seat.instance); err != nil {
				return err
			}
			if _, err := s.statements.resume.ExecContext(ctx, seat.instance, seat.lane, seat.seq); err != nil {
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
		var due int64
		_, err := s.scanPending(rows, &due)
		s.nextDue = decodeTime(due)
		return err
	}, 1)
}

// fill reads the next pending executions of a lane into memory.
func (s *Store) fill(l *lane) {
	limit := s.queue.rows()
	statement, args := s.statements.pending, []any{l.instance, l.lane, l.read, limit}
	if l == s.queue.suspects {
		statement, args = s.statements.suspects, args[2:]
	}
	ctx := context.Background()
	var seats []*seat
	err := eachOf(ctx, statement, func(rows *sql.Rows) error {
		seat, err := s.scanPending(rows)
		if seat.seq <= s.died {
			seat.deaths, seat.crashes = max(seat.deaths, 1), max(seat.crashes, 1)
		}
		seats = append(seats, seat)
		return err
	}, args...)
	for _, seat := range seats {
		if err == nil {
			err = s.learn(ctx, seat.instance)
		}
	}
	s.queue.filled(l, seats, len(seats) == limit, unavailable(err))
}
