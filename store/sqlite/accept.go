package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/sluice-go/sluice/store"
)

// Accept implements [store.Accepter].
func (s *Store) Accept(ctx context.Context, acceptance *store.Acceptance) (*store.Accepted, error) {
	id, err := encodeID(acceptance.Execution.ID)
	if err != nil {
		return nil, err
	}
	w := &accept{Acceptance: acceptance, id: id}
	if err := w.check(); err != nil {
		return nil, fmt.Errorf("store: accept execution %s: %w", w.Execution.ID, err)
	}
	if err := s.submit(ctx, w); err != nil {
		if violated(err) {
			err = fmt.Errorf("an execution with this id exists: %w", store.ErrConflict)
		}
		return nil, fmt.Errorf("store: accept execution %s: %w", w.Execution.ID, err)
	}
	return &w.accepted, nil
}

type accept struct {
	*store.Acceptance
	id       []byte
	seat     *seat
	spilled  bool
	accepted store.Accepted
}

func (w *accept) check() error {
	switch {
	case w.Outcome == nil:
		return nil
	case w.Worker != "":
		return errors.New("a worker and an outcome exclude each other")
	case !w.Outcome.Status.Final():
		return fmt.Errorf("its outcome is %q, which is not final", w.Outcome.Status)
	default:
		return checkAttempt(w.Outcome.Attempt)
	}
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
	s.seq++
	w.seat = &seat{seq: s.seq, instance: e.Instance, execution: e, attempt: 1}
	err := s.insertExecution(s.seq, w.id, e)
	switch {
	case err != nil:
		return err
	case w.Outcome != nil:
		return s.insertOutcome(s.seq, w.Outcome)
	case w.Worker == "" && s.queue.spill(e.Instance):
		w.spilled = true
		_, err = s.statements.pend.ExecContext(context.Background(), e.Instance, s.seq, nil)
	}
	return err
}

func (s *Store) insertExecution(seq int64, id []byte, e *store.Execution) error {
	_, err := s.statements.execution.ExecContext(context.Background(), seq, id, encodeTime(e.AcceptedAt), e.Integration,
		e.Version, e.Customer, e.User, e.Instance, e.Flow, e.InvokeType, e.Payload.Head, e.Payload.Body)
	return err
}

func (w *accept) undo() { w.seat, w.spilled, w.accepted = nil, false, store.Accepted{} }

func (w *accept) committed(s *Store, abandoned bool) error {
	switch {
	case w.seat == nil || w.Outcome != nil:
		return nil
	case w.spilled:
		s.queue.spilled(w.seat.instance)
		return nil
	}
	s.recent = append(s.recent, w.seat)
	if w.Worker == "" || abandoned {
		s.queue.add(w.seat)
		return nil
	}
	w.accepted.Claim = s.queue.claim(w.seat, w.Worker)
	return nil
}
