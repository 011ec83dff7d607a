package engine

import (
	"context"
	"fmt"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/store"
)

// maxSeveralBytes bounds the payloads that one request puts on record: each of its
// executions has its own.
const maxSeveralBytes = 64 << 20

// FireAll lets the trigger of each target see a copy of the request of its own. Targets
// whose trigger stops are left out, unless all do: then the first is all that is returned.
// With an error it is the one that can be recorded as refused.
func (e *Engine) FireAll(ctx context.Context, targets []Target, method string, payload *sluice.TriggerPayload) ([]*Fired, error) {
	if size := len(targets) * len(payload.RawBody.Data); size > maxSeveralBytes {
		return nil, &InputError{fmt.Errorf("a body of %d bytes is too large for %d routes", len(payload.RawBody.Data), len(targets))}
	}
	var all []*Fired
	var stopped *Fired
	for i, target := range targets {
		fired, err := e.Fire(ctx, target, method, copyPayload(payload))
		switch {
		case err != nil && fired == nil:
			return nil, err
		case err != nil:
			return []*Fired{fired}, err
		case !fired.Stop:
			if i > 0 && len(all) == 0 {
				fired.execution.adopt(targets[0].prelude)
			}
			all = append(all, fired)
		case stopped == nil:
			stopped = fired
		}
	}
	if len(all) == 0 {
		all = []*Fired{stopped}
	}
	return all, nil
}

// adopt has the execution commit what the preprocess flow changed, for the first one, whose
// trigger stopped.
func (x *execution) adopt(first *prelude) {
	for _, change := range first.changes {
		if change.Scope.Kind != store.ScopeExecution {
			x.changes = append(x.changes, change)
		}
	}
}

// AcceptAll is Accept for several in one commit: with an error, none of them is accepted.
func (e *Engine) AcceptAll(ctx context.Context, all []*Fired) ([]Accepted, error) {
	acceptances := make([]*store.Acceptance, len(all))
	for i, fired := range all {
		var err error
		if acceptances[i], err = fired.execution.acceptance(); err != nil {
			return nil, err
		}
	}
	for i, fired := range all {
		if err := fired.execution.reserve(ctx, acceptances[i]); err != nil {
			releaseAll(all[:i])
			return nil, err
		}
	}
	answers, err := e.options.Store.AcceptAll(context.WithoutCancel(ctx), acceptances)
	if err != nil {
		releaseAll(all)
		e.doubt()
		e.options.Logger.ErrorContext(ctx, "accepting executions failed", "execution", all[0].ExecutionID(), "error", err)
		return nil, notAccepted(err)
	}
	accepted := make([]Accepted, len(all))
	for i, answer := range answers {
		accepted[i] = all[i].execution.begin(answer)
	}
	return accepted, nil
}

func releaseAll(all []*Fired) {
	for _, fired := range all {
		fired.execution.room.release()
	}
}
