package sqlite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sluice-go/sluice/store"
)

// Finish implements [store.Finisher].
func (s *Store) Finish(ctx context.Context, claim *store.Claim, outcome *store.Outcome) error {
	w := &finish{claim: claim, given: outcome, Outcome: *outcome}
	err := w.check()
	if err == nil {
		err = s.submit(ctx, w)
	}
	if err != nil {
		return fmt.Errorf("store: finish execution %s: %w", claim.Execution.ID, err)
	}
	return nil
}

type finish struct {
	claim *store.Claim
	given *store.Outcome
	// Outcome is what is recorded.
	store.Outcome
	seat *seat
}

func (w *finish) check() error {
	waits := w.Status == store.StatusWaiting
	switch {
	case w.Attempt != w.claim.Attempt:
		return fmt.Errorf("the outcome is of attempt %d, the claim of attempt %d", w.Attempt, w.claim.Attempt)
	case !waits && !w.Status.Final():
		return fmt.Errorf("its outcome is %q, which is neither final nor waiting", w.Status)
	case waits == w.NextAttempt.IsZero():
		return errors.New("a waiting outcome needs the time of the next attempt, others have none")
	default:
		return checkOutcome(&w.Outcome)
	}
}

func checkOutcome(o *store.Outcome) error {
	if o.Attempt < 1 || o.Attempt > maxAttempt {
		return fmt.Errorf("attempt %d is not between 1 and %d", o.Attempt, maxAttempt)
	}
	return checkState(o.State)
}

func (w *finish) refusable() bool { return len(w.State) > 0 }

func (w *finish) apply(s *Store) error {
	found := s.queue.current(w.claim)
	if found == nil || found.ending {
		return nil
	}
	w.seat = found
	w.seat.ending, w.seat.leaving = true, true
	e := w.claim.Execution
	unique := uniqueHash(e.Instance, e.Flow, e.UniqueKey)
	if err := w.judge(s, unique); err != nil {
		return err
	}
	if err := s.insertOutcome(w.seat.seq, &w.Outcome); err != nil {
		return err
	}
	if w.Status.Final() {
		if err := s.leaveUnique(unique); err != nil {
			return err
		}
	}
	switch {
	case w.Status == store.StatusWaiting:
		return s.pend(&seat{seq: w.seat.seq, laneID: w.seat.laneID, limit: w.seat.limit, payload: w.seat.payload}, w.NextAttempt, w.keeps())
	case w.seat.parked:
		return s.unpend(w.seat)
	default:
		return nil
	}
}

// judge makes of the given outcome what is recorded: an execution that is to be canceled, or
// that a newer one with its key has superseded, does not run again.
func (w *finish) judge(s *Store, unique []byte) error {
	w.Outcome = *w.given
	reason := cmp.Or(w.seat.canceling, w.seat.canceled)
	if w.Status == store.StatusCanceled {
		w.Error = cmp.Or(w.Error, reason)
	}
	if w.Status != store.StatusWaiting {
		return nil
	}
	if reason == "" {
		by, err := s.superseder(w.seat.seq, unique)
		if err != nil || by == "" {
			return err
		}
		reason = superseded(by)
	}
	w.Status, w.NextAttempt, w.Error = store.StatusCanceled, time.Time{}, reason+": "+w.Error
	w.State = slices.Concat(w.State, endState(w.claim.Execution.ID))
	return nil
}

// tell lets the caller know what was recorded instead of what was given.
func (w *finish) tell() {
	if w.Status != w.given.Status || w.Error != w.given.Error {
		w.given.Status, w.given.NextAttempt, w.given.Error = w.Status, w.NextAttempt, w.Error
	}
}

// keeps tells whether it keeps its seat in the lane, if that has any.
func (w *finish) keeps() bool {
	return w.KeepSeat && w.Status == store.StatusWaiting && w.seat.limit > 0
}

func (w *finish) undo() {
	if w.seat != nil {
		w.seat.ending, w.seat.leaving = false, false
		w.seat = nil
	}
}

func (w *finish) committed(s *Store, abandoned bool) error {
	if w.seat == nil {
		return store.ErrLeaseLost
	}
	if !abandoned {
		w.tell()
	}
	w.seat.over = true
	s.queue.remove(w.seat, w.keeps())
	if w.Status == store.StatusWaiting {
		s.remind(w.NextAttempt)
	} else {
		s.ends.over(w.claim.Execution.ID)
	}
	return nil
}

// insertOutcome records how an attempt ended, with its state changes.
func (s *Store) insertOutcome(seq int64, o *store.Outcome) error {
	if err := s.change(o.State); err != nil {
		return err
	}
	_, err := s.statements.outcome.ExecContext(context.Background(), outcomeID(seq, o.Attempt), string(o.Status),
		encodeTime(o.StartedAt), encodeTime(o.EndedAt), encodeTime(o.NextAttempt), o.Error, o.Result, o.Logs)
	return err
}
