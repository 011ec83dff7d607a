package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sluice-go/sluice/store"
)

// leases remembers when workers of this process began a lease: within its first quarter
// claims last long enough without another write.
type leases struct {
	gate
	mu    sync.Mutex
	began map[string]time.Time
}

func (l *leases) young(worker store.Worker) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	began, ok := l.began[worker.ID]
	return ok && time.Since(began) < worker.Lease/4
}

// until is when a worker's lease may run out.
func (l *leases) until(worker store.Worker) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.began[worker.ID].Add(worker.Lease)
}

func (l *leases) begin(worker string, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.began == nil {
		l.began = map[string]time.Time{}
	}
	l.began[worker] = at
}

func (l *leases) workers() (ids []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id := range l.began {
		ids = append(ids, id)
	}
	return ids
}

// need sees to it that a worker has a young lease. One of those that need it at the same time
// begins it for all: they would only wait for each other's commits.
func (l *leases) need(ctx, running context.Context, worker store.Worker, begin func() error) error {
	if l.young(worker) {
		return nil
	}
	if err := l.enter(ctx, running); err != nil {
		return err
	}
	defer l.leave()
	if l.young(worker) {
		return nil
	}
	at := time.Now()
	err := begin()
	if err == nil {
		l.begin(worker.ID, at)
	}
	return err
}

// employ sees to it that a worker has a lease for what it is about to claim, and returns when
// that may run out; ErrLeaseLost when it has and the worker was not told yet.
func (s *Store) employ(ctx context.Context, worker store.Worker) (until time.Time, err error) {
	err = s.leases.need(ctx, s.running, worker, func() error {
		return s.within(ctx, func(ctx context.Context) error {
			begun, err := affected(s.pool.Exec(ctx, `INSERT INTO workers AS w (id, expires) VALUES ($1, `+clock+` + $2)
				ON CONFLICT (id) DO UPDATE SET expires = greatest(w.expires, excluded.expires) WHERE NOT w.lost AND w.expires > `+clock,
				worker.ID, worker.Lease.Nanoseconds()))
			if err != nil || begun {
				return err
			}
			lost, err := s.renew(ctx, worker, false)
			if err == nil && lost {
				err = store.ErrLeaseLost
			}
			return err
		})
	})
	return s.leases.until(worker), err
}

// Extend implements [store.Leaser].
func (s *Store) Extend(ctx context.Context, worker store.Worker) (canceled []string, err error) {
	at := time.Now()
	err = s.within(ctx, func(ctx context.Context) error {
		extended, err := affected(s.pool.Exec(ctx, "UPDATE workers SET expires = "+clock+" + $2 WHERE id = $1 AND NOT lost AND expires > "+clock,
			worker.ID, worker.Lease.Nanoseconds()))
		lost := false
		if err == nil && !extended {
			lost, err = s.renew(ctx, worker, true)
		}
		if err == nil && lost {
			err = store.ErrLeaseLost
		}
		if err != nil {
			return err
		}
		rows, err := s.pool.Query(ctx, `SELECT e.id FROM work w JOIN executions e ON e.seq = w.seq
			WHERE w.worker = $1 AND w.canceled <> '' AND w.status = 2 ORDER BY w.seq`, worker.ID)
		if err != nil {
			return err
		}
		ids, err := pgx.CollectRows(rows, pgx.RowTo[[16]byte])
		for _, id := range ids {
			canceled = append(canceled, decodeID(id))
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: extend the lease of worker %s: %w", worker.ID, err)
	}
	s.leases.begin(worker.ID, at)
	return canceled, nil
}

// Claims implements [store.Leaser].
func (s *Store) Claims(ctx context.Context, worker store.Worker) (claims []*store.Claim, err error) {
	err = s.within(ctx, func(ctx context.Context) error {
		rows, err := s.readers.Query(ctx, "SELECT "+claimColumns+" FROM work w JOIN executions e ON e.seq = w.seq WHERE w.worker = $1 AND w.status = 2",
			worker.ID)
		if err != nil {
			return err
		}
		claims, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (*store.Claim, error) {
			claim, _, err := scanClaim(row, worker.ID)
			if err == nil {
				claim.Until = s.leases.until(worker)
			}
			return claim, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: claims of worker %s: %w", worker.ID, err)
	}
	return claims, nil
}

// renew begins another lease of a worker that has none, or whose lease has run out: then it
// loses its claims. It returns whether any were lost that the worker was not told of; told
// says that it is told now.
func (s *Store) renew(ctx context.Context, worker store.Worker, told bool) (lost bool, err error) {
	err = s.transact(ctx, func(ctx context.Context, tx *transaction) error {
		expired := false
		err := tx.QueryRow(ctx, "SELECT lost, expires <= "+clock+" FROM workers WHERE id = $1 FOR UPDATE", worker.ID).Scan(&lost, &expired)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		if expired {
			taken, err := takeAway(ctx, tx, worker.ID)
			if err != nil {
				return err
			}
			lost = lost || taken
		}
		_, err = tx.Exec(ctx, "INSERT INTO workers (id, expires, lost) VALUES ($1, "+clock+` + $2, $3)
			ON CONFLICT (id) DO UPDATE SET expires = excluded.expires, lost = excluded.lost`,
			worker.ID, worker.Lease.Nanoseconds(), lost && !told)
		return err
	})
	if lost && err == nil {
		s.say(toldReady)
		s.say(toldUpkeep)
		s.tell.send()
	}
	return lost, err
}

// takeAway ends the claims of a worker as its death does, and returns whether there were
// any. They are ready again, or wait for their seats as the order of their lane has it; what
// becomes a suspect waits for its turn.
func takeAway(ctx context.Context, tx *transaction, worker string) (bool, error) {
	lanes, err := lockLanes(ctx, tx, "worker = $1 AND status = 2", worker)
	if err != nil {
		return false, err
	}
	tag, err := tx.Exec(ctx, `UPDATE work SET worker = '', recovered = true, deaths = deaths + 1, crashes = crashes + 1,
		seated = false, status = CASE WHEN deaths = 0 AND lane_limit = 0 THEN 1 ELSE 0 END WHERE worker = $1 AND status = 2`, worker)
	if err != nil {
		return false, err
	}
	return tag.RowsAffected() > 0, promoteAll(ctx, tx, lanes)
}

// lane is one with a limit.
type lane struct{ instance, lane string }

// lockLanes takes the locks of the lanes with a limit that rows of work are in.
func lockLanes(ctx context.Context, tx *transaction, where string, args ...any) ([]lane, error) {
	rows, err := tx.Query(ctx, "SELECT DISTINCT instance, lane FROM work WHERE lane_limit > 0 AND "+where, args...)
	if err != nil {
		return nil, err
	}
	lanes, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (l lane, err error) {
		err = row.Scan(&l.instance, &l.lane)
		return l, err
	})
	if err != nil {
		return nil, err
	}
	keys := make([]int64, len(lanes))
	for i, l := range lanes {
		keys[i] = laneLock(l.instance, l.lane)
	}
	return lanes, lock(ctx, tx, keys)
}

// promoteAll gives the seats of lanes to those whose turn it is.
func promoteAll(ctx context.Context, tx *transaction, lanes []lane) error {
	b := &pgx.Batch{}
	for _, l := range lanes {
		b.Queue(unseat, l.instance, l.lane)
		b.Queue(promote, l.instance, l.lane, manySeats)
	}
	if b.Len() == 0 {
		return nil
	}
	return tx.SendBatch(ctx, b)
}

// giveBack releases what the workers of this process have claimed, when the store closes.
func (s *Store) giveBack() error {
	workers := s.leases.workers()
	if len(workers) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), transactTimeout)
	defer cancel()
	released := false
	err := s.transact(ctx, func(ctx context.Context, tx *transaction) error {
		lanes, err := lockLanes(ctx, tx, "worker = ANY($1) AND status = 2", workers)
		if err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `UPDATE work SET worker = '', recovered = true, seated = false,
			status = CASE WHEN deaths < 2 AND lane_limit = 0 THEN 1 ELSE 0 END WHERE worker = ANY($1) AND status = 2`, workers)
		if err != nil {
			return err
		}
		if released = tag.RowsAffected() > 0; !released {
			_, err = tx.Exec(ctx, "DELETE FROM workers WHERE id = ANY($1) AND NOT lost", workers)
			return err
		}
		return promoteAll(ctx, tx, lanes)
	})
	if err == nil && released {
		s.tell.add(toldReady)
		s.tell.add(toldUpkeep)
		_, err = s.pool.Exec(ctx, sendMessages, channel, s.tell.messages())
	}
	return unavailable(err)
}
