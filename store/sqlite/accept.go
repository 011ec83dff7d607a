package sqlite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sluice-go/sluice/store"
)

// Accept implements [store.Accepter].
func (s *Store) Accept(ctx context.Context, acceptance *store.Acceptance) (*store.Accepted, error) {
	w, err := newAccept(acceptance)
	if err == nil {
		err = s.submit(ctx, w)
	}
	if err != nil {
		return nil, acceptError(acceptance, err)
	}
	return &w.accepted, nil
}

// AcceptAll implements [store.Accepter].
func (s *Store) AcceptAll(ctx context.Context, acceptances []*store.Acceptance) ([]*store.Accepted, error) {
	all := make(acceptAll, len(acceptances))
	accepted := make([]*store.Accepted, len(acceptances))
	for i, acceptance := range acceptances {
		w, err := newAccept(acceptance)
		if err != nil {
			return nil, acceptError(acceptance, err)
		}
		all[i], accepted[i] = w, &w.accepted
	}
	if len(all) == 0 {
		return accepted, nil
	}
	if err := s.submit(ctx, all); err != nil {
		return nil, acceptError(acceptances[0], err)
	}
	return accepted, nil
}

func acceptError(acceptance *store.Acceptance, err error) error {
	if violated(err) {
		err = fmt.Errorf("an execution with this id exists: %w", store.ErrConflict)
	}
	return fmt.Errorf("store: accept execution %s: %w", acceptance.Execution.ID, err)
}

// acceptAll are acceptances that share their fate.
type acceptAll []*accept

func (all acceptAll) apply(s *Store) error {
	for _, w := range all {
		if err := w.apply(s); err != nil {
			return err
		}
	}
	return nil
}

func (all acceptAll) refusable() bool { return slices.ContainsFunc(all, (*accept).refusable) }

func (all acceptAll) undo() {
	for _, w := range all {
		w.undo()
	}
}

func (all acceptAll) committed(s *Store, abandoned bool) error {
	for _, w := range all {
		if err := w.committed(s, abandoned); err != nil {
			return err
		}
	}
	return nil
}

type accept struct {
	*store.Acceptance
	id      []byte
	seat    *seat
	spilled bool
	// superseded is the older execution that is canceled.
	superseded *idle
	accepted   store.Accepted
}

func newAccept(acceptance *store.Acceptance) (*accept, error) {
	id, err := encodeID(acceptance.Execution.ID)
	if err != nil {
		return nil, err
	}
	w := &accept{Acceptance: acceptance, id: id}
	return w, w.check()
}

func (w *accept) check() error {
	if err := checkState(w.State); err != nil {
		return err
	}
	for _, step := range w.Steps {
		if err := checkState(step.Commit); err != nil {
			return err
		}
	}
	switch {
	case w.Execution.Lane.Limit < 0:
		return fmt.Errorf("the limit of its lane is %d, which is less than 0", w.Execution.Lane.Limit)
	case w.Outcome == nil:
		return nil
	case w.Worker.ID != "":
		return errors.New("a worker and an outcome exclude each other")
	case !w.Outcome.Status.Final():
		return fmt.Errorf("its outcome is %q, which is not final", w.Outcome.Status)
	default:
		return checkOutcome(w.Outcome)
	}
}

func (w *accept) refusable() bool {
	return w.Schedule != nil || len(w.State) > 0 || w.Outcome != nil && len(w.Outcome.State) > 0 ||
		slices.ContainsFunc(w.Steps, func(step *store.Step) bool { return len(step.Commit) > 0 })
}

func (w *accept) apply(s *Store) error {
	e := w.Execution
	if w.DedupeKey != "" {
		first, err := s.deduplicate(w)
		if err != nil || first != "" {
			w.accepted.DuplicateOf = first
			return err
		}
	}
	if w.Schedule != nil {
		if err := s.advance(w.Schedule, w.last()); err != nil {
			return err
		}
	}
	if err := s.learn(context.Background(), e.Instance); err != nil {
		return err
	}
	s.seq++
	w.seat = newSeat(s.seq, e)
	if err := s.insertExecution(s.seq, w.id, e); err != nil {
		return err
	}
	if err := w.supersede(s); err != nil {
		return err
	}
	if err := s.change(w.State); err != nil {
		return err
	}
	for _, step := range w.Steps {
		if err := s.insertStep(s.seq, step); err != nil {
			return err
		}
	}
	switch {
	case w.Outcome != nil:
		return s.insertOutcome(s.seq, w.Outcome)
	case s.queue.spill(w.seat, w.Worker):
		w.spilled = true
		return s.pend(w.seat, time.Time{}, false)
	default:
		return nil
	}
}

// supersede cancels what waits for another attempt with the same unique key.
func (w *accept) supersede(s *Store) error {
	var err error
	if w.superseded, err = s.enterUnique(w.seat.seq, w.Execution, w.Outcome != nil); err != nil || w.superseded == nil {
		return err
	}
	id, err := decodeID(w.superseded.id)
	w.accepted.Canceled = []string{id}
	return err
}

// last is what the schedule keeps of the execution: nothing of one that is over already.
func (w *accept) last() []byte {
	if w.Outcome != nil {
		return nil
	}
	return w.id
}

func (s *Store) insertExecution(seq int64, id []byte, e *store.Execution) error {
	_, err := s.statements.execution.ExecContext(context.Background(), seq, id, encodeTime(e.AcceptedAt), e.Integration,
		e.Version, e.Customer, e.User, e.Instance, e.Flow, e.InvokeType, e.Lane.Key, e.Lane.Limit, e.UniqueKey, e.Parent,
		e.Original, e.Depth, e.Payload.Head, e.Payload.Body, e.Logs)
	return err
}

func (w *accept) undo() {
	if w.superseded != nil {
		w.superseded.restore()
	}
	w.seat, w.spilled, w.superseded, w.accepted = nil, false, nil, store.Accepted{}
}

func (w *accept) committed(s *Store, abandoned bool) error {
	if w.seat != nil && w.Schedule != nil {
		s.schedules.advanced(w.Schedule)
	}
	if w.superseded != nil {
		w.superseded.ended()
	}
	switch {
	case w.seat == nil || w.Outcome != nil:
		return nil
	case w.spilled:
		s.queue.addLoad(w.seat.instance, w.seat.load())
		s.queue.spilled(w.seat.laneID)
		return nil
	}
	s.recent = append(s.recent, w.seat)
	if w.Worker.ID == "" || abandoned {
		s.queue.accepted(w.seat)
		return nil
	}
	w.accepted.Claim = s.queue.admit(w.seat, w.Worker)
	return nil
}
