package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/sluice-go/sluice/store"
)

// Claim implements [store.Claimer].
func (s *Store) Claim(ctx context.Context, worker store.Worker, limit int) ([]*store.Claim, error) {
	for ctx.Err() == nil {
		seats, waiter, err := s.queue.take(worker, limit)
		if err != nil {
			return nil, fmt.Errorf("store: claim: %w", err)
		}
		if waiter == nil {
			return s.claim(ctx, worker, seats)
		}
		select {
		case <-waiter.woken:
		case <-ctx.Done():
		}
		if ctx.Err() != nil { // Also of one that was woken just now: it does not come for what woke it.
			s.queue.leave(waiter)
		}
	}
	return nil, context.Cause(ctx)
}

// claim reads back what memory does not hold of the seats and makes them the worker's. It
// writes only where the process died before, as the next death counts for certain, and where a
// newer execution may have superseded one.
func (s *Store) claim(ctx context.Context, worker store.Worker, seats []*seat) ([]*store.Claim, error) {
	if err := s.load(ctx, seats); err != nil {
		s.queue.add(seats...)
		return nil, fmt.Errorf("store: claim: %w", unavailable(err))
	}
	w := &claim{seats: seats, worker: worker}
	if !slices.ContainsFunc(seats, func(s *seat) bool { return s.deaths > 0 || s.passable() }) {
		return s.queue.claim(seats, worker), nil
	}
	// What may be written is claimed, even if the context ends meanwhile.
	if err := s.submit(context.WithoutCancel(ctx), w); err != nil {
		s.queue.add(seats...)
		return nil, fmt.Errorf("store: claim: %w", err)
	}
	return w.claimed, nil
}

type claim struct {
	seats  []*seat
	worker store.Worker
	// passed are those that newer ones have superseded.
	passed  []*seat
	claimed []*store.Claim
}

func (w *claim) apply(s *Store) error {
	for _, seat := range w.seats {
		if seat.deaths > 0 {
			if err := s.setCrashes(seat, seat.deaths+1, seat.crashes+1); err != nil {
				return err
			}
		}
		if !seat.passable() {
			continue
		}
		if err := w.pass(s, seat); err != nil {
			return err
		}
	}
	return nil
}

// passable tells whether an execution failed before, so that a newer one with its key supersedes
// it. One that comes while it waits ends it, but not while it is claimed: that claim may have been
// lost or given back.
func (s *seat) passable() bool { return s.attempt > 1 && s.execution.UniqueKey != "" }

// pass has what a newer one has superseded canceled.
func (w *claim) pass(s *Store, seat *seat) error {
	if cmp.Or(seat.canceling, seat.canceled) != "" {
		return nil
	}
	by, err := s.superseder(seat.seq, uniqueHash(seat.instance, seat.execution.Flow, seat.execution.UniqueKey))
	if err != nil || by == "" {
		return err
	}
	seat.canceling = superseded(by)
	w.passed = append(w.passed, seat)
	return s.markCanceled(seat)
}

func (w *claim) undo() {
	for _, seat := range w.passed {
		seat.canceling = ""
	}
	w.passed = nil
}

func (w *claim) committed(s *Store, _ bool) error {
	for _, seat := range w.passed {
		s.queue.cancel(seat)
	}
	w.claimed = s.queue.claim(w.seats, w.worker)
	return nil
}

// loadSeats reads executions back, and the ids of their last outcomes.
const loadSeats = "SELECT " + executionColumns + `,
	(SELECT max(o.id) FROM outcomes o WHERE o.id BETWEEN e.seq << 20 AND e.seq << 20 | 0xFFFFF)
	FROM executions e WHERE e.seq IN (SELECT value FROM json_each(?))`

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
	err = s.query(ctx, func(rows *sql.Rows) error {
		var last sql.NullInt64
		execution, seq, err := scanExecution(rows, &last)
		if err != nil {
			return err
		}
		missing[seq].execution = execution
		missing[seq].attempt = int(last.Int64&maxAttempt) + 1
		return nil
	}, loadSeats, string(list))
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
