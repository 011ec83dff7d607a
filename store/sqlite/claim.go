package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/sluice-go/sluice/store"
)

// Claim implements [store.Claimer]. An instance is a lane.
func (s *Store) Claim(ctx context.Context, worker string, limit int) ([]*store.Claim, error) {
	for {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		seats, waiter, err := s.queue.take(limit)
		if err != nil {
			return nil, fmt.Errorf("store: claim: %w", err)
		}
		if waiter == nil {
			return s.claim(ctx, worker, seats)
		}
		select {
		case <-waiter.Value.(chan struct{}): //nolint:errcheck // The queue puts nothing else there.
		case <-ctx.Done():
			s.queue.leave(waiter)
		}
	}
}

// claim reads back what memory does not hold of the seats and makes them the worker's.
func (s *Store) claim(ctx context.Context, worker string, seats []*seat) ([]*store.Claim, error) {
	if err := s.load(ctx, seats); err != nil {
		s.queue.add(seats...)
		return nil, fmt.Errorf("store: claim: %w", unavailable(err))
	}
	claims := make([]*store.Claim, len(seats))
	for i, seat := range seats {
		claims[i] = s.queue.claim(seat, worker)
	}
	return claims, nil
}

func (s *Store) load(ctx context.Context, seats []*seat) error {
	missing := make(map[int64]*seat)
	for _, seat := range seats {
		if seat.execution == nil || seat.attempt == 0 {
			missing[seat.seq] = seat
		}
	}
	if len(missing) == 0 {
		return nil
	}
	seqs := make([]int64, 0, len(missing))
	for seq := range missing {
		seqs = append(seqs, seq)
	}
	list, err := json.Marshal(seqs)
	if err != nil {
		return err
	}
	err = s.read(ctx, func(ctx context.Context, conn *sql.Conn) error {
		return each(ctx, conn, func(rows *sql.Rows) error {
			var last sql.NullInt64
			execution, seq, err := scanExecution(rows, &last)
			if err != nil {
				return err
			}
			missing[seq].execution = execution
			missing[seq].attempt = int(last.Int64&maxAttempt) + 1
			return nil
		}, "SELECT "+executionColumns+`,
			(SELECT max(o.id) FROM outcomes o WHERE o.id BETWEEN e.seq << 20 AND e.seq << 20 | 0xFFFFF)
			FROM executions e WHERE e.seq IN (SELECT value FROM json_each(?))`, string(list))
	})
	if err != nil {
		return err
	}
	for seq, seat := range missing {
		if seat.execution == nil {
			return fmt.Errorf("execution number %d is pending, but %s has no such row", seq, s.path)
		}
	}
	return nil
}

// Release implements [store.Claimer].
func (s *Store) Release(ctx context.Context, claim *store.Claim) error {
	if err := s.submit(ctx, &release{claim: claim}); err != nil {
		return fmt.Errorf("store: release execution %s: %w", claim.Execution.ID, err)
	}
	return nil
}

// release writes nothing: claims stand in memory. It takes its turn among the writes, so
// that it cannot overtake an outcome of the same claim.
type release struct{ claim *store.Claim }

func (w *release) apply(*Store) error { return nil }
func (w *release) undo()              {}

func (w *release) committed(s *Store, _ bool) error {
	seat := s.queue.current(w.claim)
	if seat == nil {
		return store.ErrLeaseLost
	}
	s.queue.giveBack(seat)
	return nil
}
