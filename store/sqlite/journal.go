package sqlite

import (
	"context"
	"fmt"

	"github.com/sluice-go/sluice/store"
)

// RecordStep implements [store.Journal].
func (s *Store) RecordStep(ctx context.Context, claim *store.Claim, step *store.Step) error {
	err := checkState(step.Commit)
	if err == nil {
		err = s.submit(ctx, &record{claim: claim, Step: step})
	}
	if err != nil {
		return fmt.Errorf("store: record step %q of execution %s: %w", step.Key, claim.Execution.ID, err)
	}
	return nil
}

type record struct {
	claim *store.Claim
	*store.Step
	lost bool
	// seat had as many crashes until this step; nil if it had no deaths.
	seat    *seat
	crashes int
}

func (w *record) refusable() bool { return len(w.Commit) > 0 }

func (w *record) apply(s *Store) error {
	seat := s.queue.current(w.claim)
	if w.lost = seat == nil || seat.ending; w.lost {
		return nil
	}
	if err := s.insertStep(seat.seq, w.Step); err != nil || seat.deaths == 0 {
		return err
	}
	w.seat, w.crashes, seat.crashes = seat, seat.crashes, 0
	return s.setCrashes(seat, seat.deaths+1, 0)
}

// insertStep records a step, with its state changes if it is not on record yet.
func (s *Store) insertStep(seq int64, step *store.Step) error {
	result, err := s.statements.step.ExecContext(context.Background(), seq, step.Key, step.Name, step.Attempt,
		encodeTime(step.StartedAt), encodeTime(step.EndedAt), step.Result, step.Error, step.State)
	if err != nil || len(step.Commit) == 0 {
		return err
	}
	written, err := result.RowsAffected()
	if err != nil || written == 0 {
		return err
	}
	return s.change(step.Commit)
}

func (w *record) undo() {
	if w.seat != nil {
		w.seat.crashes, w.seat = w.crashes, nil
	}
}

func (w *record) committed(*Store, bool) error {
	if w.lost {
		return store.ErrLeaseLost
	}
	return nil
}
