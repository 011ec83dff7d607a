package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/store"
)

// dedupeWindow is how long a duplicate is recognized at least, from the acceptance of the
// first (design §4.11).
const dedupeWindow = 10 * time.Minute

// Accepted is what became of a request.
type Accepted struct {
	// ExecutionID of the accepted execution, or of the one that this request repeats.
	ExecutionID string
	// Duplicate says that the request repeats an earlier one and is not executed.
	Duplicate bool
}

// Accept makes the execution durable and sees to it that it runs. When it returns without
// an error, the execution is on disk. A caller who leaves meanwhile does not stop it.
func (e *Engine) Accept(ctx context.Context, fired *Fired) (Accepted, error) {
	x := fired.execution
	acceptance, err := x.acceptance()
	if err != nil {
		return Accepted{}, err
	}
	if err := x.reserve(ctx, acceptance); err != nil {
		return Accepted{}, err
	}
	accepted, err := e.accept(context.WithoutCancel(ctx), acceptance)
	if err != nil {
		x.room.release()
		return Accepted{}, err
	}
	return x.begin(accepted), nil
}

// reserve takes room for the execution. With a slot it is claimed as it is accepted, if its
// lane is free. What is over already takes none.
func (x *execution) reserve(ctx context.Context, acceptance *store.Acceptance) (err error) {
	if acceptance.Outcome != nil {
		x.room = &room{}
		return nil
	}
	if x.room, err = x.engine.reserve(ctx, x.record); err != nil {
		return err
	}
	if x.room.slot {
		acceptance.Worker = x.engine.worker
	}
	return nil
}

// queue takes a place for the execution among those that wait, also where it could run at
// once: who tries again after a commit of which nobody heard finds it accepted, and could not
// run what was claimed with it.
func (x *execution) queue(ctx context.Context, acceptance *store.Acceptance) error {
	x.room = &room{engine: x.engine, record: x.record}
	if acceptance.Outcome != nil {
		return nil
	}
	return x.room.queue(ctx)
}

// begin runs an accepted execution if it was claimed.
func (x *execution) begin(accepted *store.Accepted) Accepted {
	if accepted.DuplicateOf != "" {
		x.room.release()
		return Accepted{accepted.DuplicateOf, true}
	}
	x.room.settle(accepted.Claim != nil)
	x.logSuperseded(accepted.Canceled)
	if accepted.Claim != nil {
		x.hold(x.engine.tenures.begin(accepted.Claim))
		x.launch()
	}
	return Accepted{ExecutionID: x.record.ID}
}

// logSuperseded tells which executions are not retried because of this one.
func (x *execution) logSuperseded(canceled []string) {
	for _, id := range canceled {
		x.engine.options.Logger.InfoContext(x.engine.work, "pending retry canceled by a newer execution",
			"execution", id, "by", x.record.ID, "flow", x.record.Flow, "instance", x.record.Instance)
	}
}

// accept commits an acceptance, or returns ErrNotAccepted.
func (e *Engine) accept(ctx context.Context, acceptance *store.Acceptance) (*store.Accepted, error) {
	accepted, err := e.options.Store.Accept(ctx, acceptance)
	if err != nil {
		e.options.Logger.ErrorContext(ctx, "accepting an execution failed", "execution", acceptance.Execution.ID, "error", err)
		if acceptance.Worker.ID != "" {
			e.doubt()
		}
		return nil, notAccepted(err)
	}
	return accepted, nil
}

// notAccepted is the error of an acceptance. Another try may pass, unless the code before it
// asks for state that cannot be.
func notAccepted(err error) error {
	if refused := stateError(err); refused != nil && !errors.Is(refused, sluice.ErrStateConflict) {
		return &TriggerError{refused}
	}
	return fmt.Errorf("%w: %w", ErrNotAccepted, err)
}

// acceptance completes the execution's record and asks for it to be accepted. Secret
// headers end here.
func (x *execution) acceptance() (*store.Acceptance, error) {
	x.hideSecrets()
	payload, err := encodePayload(x.payload, x.marks)
	if err != nil {
		return nil, &InputError{err}
	}
	x.record.AcceptedAt = time.Now().UTC()
	x.record.Payload = payload
	record := *x.record // The store keeps it, also if its answer is lost and this is called again.
	acceptance := &store.Acceptance{Execution: &record, DedupeKey: x.dedupeKey, Steps: x.steps, State: x.changes}
	if x.skip != "" {
		acceptance.Outcome, acceptance.State = x.skipped(), x.lastingChanges()
	}
	if x.dedupeKey != "" {
		acceptance.DedupeUntil = x.record.AcceptedAt.Add(x.target.Flow.dedupeWindow)
	}
	return acceptance, nil
}

// hideSecrets takes from the payload what only the trigger may see, once: the flow may be
// reading it when it is accepted.
func (x *execution) hideSecrets() {
	if x.hidden {
		return
	}
	x.hidden = true
	x.payload.Headers = x.payload.Headers.Without(x.target.isSecretHeader)
	hideParameters(x.payload, x.target.isSecretParameter)
}

// ensureAccepted makes a synchronous execution durable while it runs: before its first
// step is journalled, or when its caller no longer waits.
func (x *execution) ensureAccepted(ctx context.Context) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case x.claim != nil:
		return nil
	case x.lost:
		return sluice.ErrLeaseLost
	case x.over:
		return errOver
	}
	acceptance, err := x.acceptance()
	if err != nil {
		return err
	}
	acceptance.Worker = store.Worker{ID: x.engine.worker.ID, Lease: x.engine.worker.Lease} // It runs already: in whatever version.
	accepted, err := x.engine.accept(ctx, acceptance)
	if err != nil {
		return err
	}
	if accepted.DuplicateOf != "" {
		return &duplicateError{accepted.DuplicateOf}
	}
	x.logSuperseded(accepted.Canceled)
	if accepted.Claim == nil { // Its instance was paused meanwhile, or the lease was lost.
		x.lost = true
		if x.interrupt != nil {
			x.interrupt(sluice.ErrLeaseLost)
		}
		return sluice.ErrLeaseLost
	}
	x.hold(x.engine.tenures.begin(accepted.Claim))
	return nil
}

// hold takes over a claim's tenure, whose end ends what runs.
func (x *execution) hold(t *tenure) {
	x.tenure, x.claim = t, t.claim
	if x.interrupt != nil {
		t.bind(x.interrupt)
	}
}

// errOver says that an execution is over that was not durable.
var errOver = errors.New("the execution is over")

// duplicateError says that the execution repeats the one with the id.
type duplicateError struct{ of string }

func (e *duplicateError) Error() string { return "a duplicate of execution " + e.of }
