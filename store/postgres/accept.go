package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sluice-go/sluice/store"
)

// Accept implements [store.Accepter].
func (s *Store) Accept(ctx context.Context, acceptance *store.Acceptance) (*store.Accepted, error) {
	w, err := s.prepare(ctx, acceptance)
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
		w, err := s.prepare(ctx, acceptance)
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

func (all acceptAll) locks() (keys []int64) {
	for _, w := range all {
		keys = append(keys, w.locks()...)
	}
	return keys
}

func (all acceptAll) queue(b *batch) {
	for _, w := range all {
		w.queue(b)
	}
}

func (all acceptAll) rest(ctx context.Context, tx *transaction) error {
	for _, w := range all {
		if err := w.rest(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}

func (all acceptAll) refusable() bool { return slices.ContainsFunc(all, (*accept).refusable) }

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
	id [16]byte
	// until is when the worker's lease may run out.
	until     time.Time
	status    status
	duplicate bool
	accepted  store.Accepted
}

func newAccept(acceptance *store.Acceptance) (*accept, error) {
	id, err := encodeID(acceptance.Execution.ID)
	if err != nil {
		return nil, err
	}
	w := &accept{Acceptance: acceptance, id: id}
	return w, w.check()
}

// prepare employs the worker of an acceptance. One whose lease was lost gets no claim.
func (s *Store) prepare(ctx context.Context, acceptance *store.Acceptance) (*accept, error) {
	w, err := newAccept(acceptance)
	if err != nil || w.Worker.ID == "" {
		return w, err
	}
	if w.until, err = s.employ(ctx, w.Worker); errors.Is(err, store.ErrLeaseLost) {
		unclaimed := *acceptance
		unclaimed.Worker, err = store.Worker{}, nil
		w.Acceptance = &unclaimed
	}
	return w, err
}

func (w *accept) check() error {
	if err := checkState(w.changes()); err != nil {
		return err
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

// changes are all changes of state in the order in which they apply.
func (w *accept) changes() []store.StateChange {
	changes := w.State
	for _, step := range w.Steps {
		changes = append(slices.Clip(changes), step.Commit...)
	}
	if w.Outcome != nil {
		changes = append(slices.Clip(changes), w.Outcome.State...)
	}
	return changes
}

func (w *accept) refusable() bool { return w.Schedule != nil || len(w.changes()) > 0 }

func (w *accept) locks() []int64 {
	return append(executionLocks(w.Execution), stateLocks(w.changes())...)
}

func (w *accept) queue(b *batch) {
	w.status, w.duplicate, w.accepted = 0, false, store.Accepted{}
	if w.plain() {
		b.accepts = append(b.accepts, w)
		return
	}
	w.queueAlone(b)
}

// plain says that nothing is asked but to have the execution run, in no order.
func (w *accept) plain() bool {
	e := w.Execution
	return w.DedupeKey == "" && w.Outcome == nil && len(w.Steps) == 0 && e.Lane.Limit == 0 && e.UniqueKey == ""
}

func (w *accept) queueAlone(b *batch) {
	statement, args := w.statement()
	b.Queue(statement, args...).QueryRow(func(row pgx.Row) error {
		err := row.Scan(&w.status)
		if errors.Is(err, pgx.ErrNoRows) {
			w.duplicate = true
			return nil
		}
		return err
	})
	e := w.Execution
	for _, step := range w.Steps {
		b.Queue(insertStep, stepArgs(w.id, step)...)
	}
	if w.DedupeKey != "" {
		b.Queue(purgeDedupe, encodeTime(e.AcceptedAt))
	}
	if e.UniqueKey == "" {
		return
	}
	b.Queue(cancelOlder, w.id, encodeText(e.Instance), encodeText(e.Flow), encodeText(e.UniqueKey)).Query(func(rows pgx.Rows) error {
		ids, err := pgx.CollectRows(rows, pgx.RowTo[[16]byte])
		for _, id := range ids {
			w.accepted.Canceled = append(w.accepted.Canceled, decodeID(id))
		}
		return err
	})
	if e.Lane.Limit > 0 { // One of them may have had a seat.
		b.Queue(promote, encodeText(e.Instance), laneName(e), fewSeats)
	}
}

func (w *accept) rest(ctx context.Context, tx *transaction) error {
	if w.duplicate {
		var first [16]byte
		err := tx.QueryRow(ctx, "SELECT execution FROM dedupe WHERE key = $1", w.dedupeKey()).Scan(&first)
		w.accepted.DuplicateOf = decodeID(first)
		return err
	}
	if w.Schedule != nil {
		if err := advance(ctx, tx, w.Schedule, w.last()); err != nil {
			return err
		}
	}
	return change(ctx, tx, w.changes())
}

// last is what the schedule keeps of the execution: nothing of one that is over already.
func (w *accept) last() *[16]byte {
	if w.Outcome != nil {
		return nil
	}
	return &w.id
}

func (w *accept) dedupeKey() []byte { return hash(w.Execution.Instance, w.Execution.Flow, w.DedupeKey) }

func (w *accept) committed(s *Store, abandoned bool) error {
	if w.duplicate {
		return nil
	}
	if w.Schedule != nil {
		s.say(toldSchedules)
	}
	for _, id := range w.accepted.Canceled {
		s.sayOver(id)
	}
	switch {
	case w.Outcome != nil:
		s.sayOver(w.Execution.ID)
	case w.status == claimed:
		w.accepted.Claim = &store.Claim{Execution: w.Execution, Worker: w.Worker.ID, Token: 1, Until: w.until, Attempt: 1}
		if abandoned {
			return s.inbox.put(&ticket{write: newRelease(w.accepted.Claim, store.Pause{}), answer: make(chan error, 1)})
		}
	case w.status == ready || len(w.accepted.Canceled) > 0:
		s.say(toldReady)
	}
	return nil
}
