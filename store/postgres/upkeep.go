package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// keepUp makes ready what is due and takes the claims of dead workers away, until the store is
// closed. Every process does, once a second and when there is reason to.
func (s *Store) keepUp() {
	for {
		wait, err := s.upkeepOnce(s.running)
		if err != nil {
			wait = poll
		}
		timer := time.NewTimer(max(0, min(wait, poll)))
		select {
		case <-s.upkeep:
		case <-timer.C:
		case <-s.running.Done():
			timer.Stop()
			return
		}
		timer.Stop()
	}
}

// upkeepOnce does what is to be done now, and returns when there will be more.
func (s *Store) upkeepOnce(ctx context.Context) (time.Duration, error) {
	var due, expiry *int64
	err := s.pool.QueryRow(ctx, `SELECT (SELECT min(due) FROM work WHERE status > 2) - `+clock+`,
		(SELECT min(expires) FROM workers WHERE NOT lost OR expires > `+clock+` - $1) - `+clock, strayTime.Nanoseconds()).Scan(&due, &expiry)
	if err != nil {
		return 0, err
	}
	wait := poll
	if due != nil {
		if *due <= 0 {
			return 0, s.resume(ctx)
		}
		wait = min(wait, time.Duration(*due))
	}
	if expiry != nil {
		if *expiry > 0 {
			wait = min(wait, time.Duration(*expiry))
		} else if err := s.expire(ctx); err != nil {
			return 0, err
		}
	}
	return wait, nil
}

// maxResumed bounds how many executions one transaction makes ready.
const maxResumed = 256

// resume makes ready what waits no longer.
func (s *Store) resume(ctx context.Context) error {
	err := s.transact(ctx, func(ctx context.Context, tx *transaction) error {
		rows, err := tx.Query(ctx, "SELECT seq FROM work WHERE status > 2 AND due <= "+clock+" ORDER BY due LIMIT $1", maxResumed)
		if err != nil {
			return err
		}
		seqs, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil {
			return err
		}
		lanes, err := lockLanes(ctx, tx, "seq = ANY($1)", seqs)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE work SET due = 0, status = CASE WHEN deaths < 2 AND (lane_limit = 0 OR seated) THEN 1 ELSE 0 END
			WHERE seq = ANY($1) AND status > 2 AND due <= `+clock, seqs); err != nil {
			return err
		}
		return promoteAll(ctx, tx, lanes)
	})
	s.say(toldReady)
	s.tell.send()
	return err
}

const (
	// strayTime is how long claims are looked for that a worker made while it lost its lease.
	strayTime = time.Minute
	// untoldTime is how long a worker that lost its claims is remembered.
	untoldTime = 24 * time.Hour
)

// expire takes the claims of workers away whose lease has run out. Another process may be
// doing the same: then it is not waited for.
func (s *Store) expire(ctx context.Context) error {
	lost := false
	err := s.transact(ctx, func(ctx context.Context, tx *transaction) error {
		lost = false
		rows, err := tx.Query(ctx, "SELECT id, lost FROM workers WHERE expires <= "+clock+" AND (NOT lost OR expires > "+clock+
			" - $1) ORDER BY id FOR UPDATE SKIP LOCKED", strayTime.Nanoseconds())
		if err != nil {
			return err
		}
		type expired struct {
			ID   string
			Lost bool
		}
		workers, err := pgx.CollectRows(rows, pgx.RowToStructByPos[expired])
		if err != nil {
			return err
		}
		for _, worker := range workers {
			taken, err := takeAway(ctx, tx, worker.ID)
			switch {
			case err != nil:
				return err
			case taken:
				lost = true
				_, err = tx.Exec(ctx, "UPDATE workers SET lost = true WHERE id = $1", worker.ID)
			case !worker.Lost:
				_, err = tx.Exec(ctx, "DELETE FROM workers WHERE id = $1", worker.ID)
			}
			if err != nil {
				return err
			}
		}
		_, err = tx.Exec(ctx, "DELETE FROM workers WHERE lost AND expires < "+clock+" - $1", untoldTime.Nanoseconds())
		return err
	})
	if lost && err == nil {
		s.say(toldReady)
		s.say(toldUpkeep)
		s.tell.send()
	}
	return err
}
