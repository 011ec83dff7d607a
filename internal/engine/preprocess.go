package engine

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/internal/encode"
	"github.com/sluice-go/sluice/store"
)

// preprocessKey is the preprocess flow's key in the journal. Keys of steps begin with a
// quote.
const preprocessKey = "preprocess"

// InstanceError says that a preprocess flow used something of an instance where it has none.
type InstanceError struct{ What string }

func (e *InstanceError) Error() string {
	return e.What + ": a preprocess flow has no instance yet on a shared endpoint, and so no configuration and no state but the integration's"
}

// prelude is what the preprocess flow leaves to the executions that it routes to.
type prelude struct {
	// id of the execution, and changes of state to commit with it; only the first has those
	// of the preprocess flow, or the one that adopts them.
	id      string
	changes []store.StateChange
	// route tells the executions of one request apart; empty if there is only one.
	route string
	// step is the part of the flow's result that led to the execution, on record.
	step                      *store.Step
	logs                      *logBuffer
	response, acknowledgement *sluice.HTTPResponse
}

func (p *prelude) executionID() string {
	if p == nil {
		return ""
	}
	return p.id
}

// deliveryKey names the execution by the sender's id of its request: each route of a delivery
// has its own, the same whenever the delivery is repeated.
func (p *prelude) deliveryKey(deliveryID string) string {
	if p == nil || p.route == "" || deliveryID == "" {
		return deliveryID
	}
	return deliveryID + " " + p.route
}

// preprocess routes a request by the result of the preprocess flow, which gets a copy of
// the payload.
func (e *Engine) preprocess(
	ctx context.Context, target Target, method string, payload *sluice.TriggerPayload,
) ([]Target, *Fired, error) {
	router := target
	router.Flow = target.definition.routing.preprocess
	x, err := e.newExecution(router, sluice.InvokeWebhook)
	if err != nil {
		return nil, nil, err
	}
	x.payload = copyPayload(payload)
	x.payload.StartedAt = x.started
	fired := &Fired{execution: x}
	data, err := x.runPreprocess(ctx, fired, method)
	if err != nil || fired.Stop {
		return nil, fired, err
	}
	targets, err := e.followAll(ctx, target, data)
	if err != nil {
		return nil, fired, err
	}
	for i := range targets {
		before := targets[i].prelude
		before.logs, before.response, before.acknowledgement = &x.logs, fired.Response, fired.Acknowledgement
		step := before.step
		step.Name, step.StartedAt, step.EndedAt = router.Flow.Name, x.started, time.Now().UTC()
	}
	targets[0].prelude.id, targets[0].prelude.changes = x.record.ID, x.changes
	return targets, nil, nil
}

// followAll finds what the routes name in the data that the preprocess flow handed back. If
// one of them leads nowhere, none is followed.
func (e *Engine) followAll(ctx context.Context, from Target, data []byte) ([]Target, error) {
	routing := from.definition.routing
	results, err := routing.split(data)
	if err != nil {
		return nil, err
	}
	targets := make([]Target, len(results))
	for i, result := range results {
		found, err := routing.read(sluice.NewBody(result).Lookup)
		if err != nil {
			return nil, err
		}
		if targets[i], err = e.follow(ctx, from, found); err != nil {
			return nil, err
		}
		targets[i].prelude = &prelude{step: &store.Step{Key: preprocessKey, Result: result}}
		if len(results) > 1 {
			targets[i].prelude.route = strconv.Itoa(i)
		}
	}
	return targets, nil
}

// runPreprocess calls the flow's trigger and the flow, and returns its data as JSON. Durable
// calls do not work in it: nothing is accepted yet.
func (x *execution) runPreprocess(ctx context.Context, fired *Fired, method string) (data []byte, err error) {
	ctx, stop := context.WithTimeoutCause(ctx, x.engine.options.TriggerTimeout, ErrOverdue)
	defer stop()
	ctx, x.cancel = context.WithCancelCause(ctx)
	defer x.cancel(nil)
	defer func() { err = preprocessError(ctx, err) }()
	if err := x.fireTrigger(ctx, fired, method); err != nil || fired.Stop {
		return nil, err
	}
	if err := x.checkInput(); err != nil {
		return nil, err
	}
	x.hideSecrets()
	return x.callPreprocess(ctx)
}

func (x *execution) callPreprocess(ctx context.Context) ([]byte, error) {
	payload := x.payload
	var data []byte
	err := x.call(ctx, x.engine.options.TriggerTimeout, func(ctx context.Context) error {
		ctx, run := x.newRun(ctx, payload)
		result, err := x.target.Flow.OnExecution(ctx, run)
		if err != nil {
			return err
		}
		if result == nil {
			result = &sluice.Result{}
		}
		if data, err = encode.JSON(result.Data); err != nil {
			return fmt.Errorf("the result's data cannot be encoded as JSON: %w", err)
		}
		return nil
	})
	if err != nil {
		return nil, &TriggerError{err}
	}
	x.keepState()
	return data, nil
}

// preprocessError is the error that counts: what made the context end explains the one
// that user code returned, and reading configuration that is not there fails in any case.
func preprocessError(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	var missing *InstanceError
	switch {
	case errors.As(cause, &missing):
		return &TriggerError{missing}
	case err != nil && errors.Is(cause, ErrOverdue):
		return fmt.Errorf("%w: %w", cause, err)
	default:
		return err
	}
}
