package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/sluice-go/sluice"
)

// Fired is a request that the flow's trigger has seen: ready to be accepted.
type Fired struct {
	// Response of the trigger; nil leaves the answer to the caller.
	Response *sluice.HTTPResponse
	// Stop says that the response is all: nothing is executed.
	Stop bool

	execution *execution
}

// ExecutionID is the id that the execution has, or would have had.
func (f *Fired) ExecutionID() string { return f.execution.record.ID }

// InputError says that a request's body does not fit the flow.
type InputError struct{ Err error }

func (e *InputError) Error() string { return e.Err.Error() }
func (e *InputError) Unwrap() error { return e.Err }

// Fire lets the flow's trigger see the request, which came with the method. Nothing is
// durable yet. Even with an error the Fired is there: its execution can be recorded as
// refused.
func (e *Engine) Fire(ctx context.Context, target Target, method string, payload *sluice.TriggerPayload) (*Fired, error) {
	x, err := e.newExecution(target, sluice.InvokeWebhook)
	if err != nil {
		return nil, err
	}
	x.payload = payload
	payload.StartedAt = x.started
	fired := &Fired{execution: x}
	defer x.sealLogs()
	if err := x.fireTrigger(ctx, fired, method); err != nil {
		return fired, err
	}
	if before := target.prelude; before != nil && fired.Response == nil {
		fired.Response = before.response
	}
	if fired.Stop {
		return fired, nil
	}
	if err := target.Flow.checkInput(x.payload); err != nil {
		return fired, err
	}
	return fired, x.findDedupeKey()
}

// fireTrigger lets the flow's trigger see the request, if it has one.
func (x *execution) fireTrigger(ctx context.Context, fired *Fired, method string) error {
	switch trigger := x.target.Flow.trigger.(type) {
	case sluice.WebhookTrigger:
		fired.Response = &sluice.HTTPResponse{
			StatusCode: trigger.StatusCode, ContentType: trigger.ContentType, Headers: trigger.Headers, Body: trigger.Body,
		}
		return nil
	case sluice.HMACTrigger:
		return x.fireSigned(ctx, fired, trigger, method)
	default:
		return x.callTrigger(ctx, fired, x.target.Flow.OnTrigger)
	}
}

// callTrigger calls a trigger function, if there is one, and takes over what it returns.
func (x *execution) callTrigger(ctx context.Context, fired *Fired, trigger sluice.TriggerFunc) error {
	if trigger == nil {
		return nil
	}
	ctx, run := x.newRun(ctx, x.payload)
	var result *sluice.TriggerResult
	err := guard(func() (err error) {
		result, err = trigger(ctx, run, x.payload)
		return err
	})
	if err != nil || result == nil {
		return err
	}
	if result.Payload != nil {
		x.payload = result.Payload
	}
	if err := checkResponse(result); err != nil {
		return err
	}
	if result.Response != nil {
		fired.Response = result.Response
	}
	fired.Stop, x.dedupeKey = result.Stop, result.DedupeID
	return nil
}

// checkResponse tells what is wrong with the response that a trigger gave.
func checkResponse(result *sluice.TriggerResult) error {
	switch response := result.Response; {
	case response == nil && result.Stop:
		return errors.New("the trigger stopped without a response: set TriggerResult.Response")
	case response == nil || response.StatusCode == 0:
		return nil
	case response.StatusCode < 200 || response.StatusCode > 599:
		return fmt.Errorf("the trigger's response has status code %d: it must be 200 to 599", response.StatusCode)
	default:
		return nil
	}
}

// findDedupeKey names the request, unless the trigger did: by the field that the flow's
// queue names, else by its sender's id.
func (x *execution) findDedupeKey() error {
	if x.dedupeKey != "" {
		return nil
	}
	if field := x.target.Flow.dedupe; field != nil {
		value, _, err := x.payload.Lookup(*field)
		if err != nil {
			return &InputError{fmt.Errorf("dedupeIdField %s: %w", field, err)}
		}
		x.dedupeKey = value
	}
	if x.dedupeKey == "" {
		x.dedupeKey = x.deliveryID
	}
	return nil
}
