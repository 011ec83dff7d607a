package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sluice-go/sluice"
)

// Fired is a request that the flow's trigger has seen: ready to be accepted.
type Fired struct {
	// Response of the trigger, whether the caller waits or not; nil leaves the answer to the
	// caller.
	Response *sluice.HTTPResponse
	// Acknowledgement is the configured response to callers that do not wait; nil is the
	// execution's id.
	Acknowledgement *sluice.HTTPResponse
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

// TriggerError is the error of user code that ran before anything was accepted: of a trigger
// or a preprocess flow.
type TriggerError struct{ Err error }

func (e *TriggerError) Error() string { return e.Err.Error() }
func (e *TriggerError) Unwrap() error { return e.Err }

// Fire lets the flow's trigger see the request, which came with the method. Nothing is
// durable yet. Even with an error the Fired is there: its execution can be recorded as
// refused.
func (e *Engine) Fire(ctx context.Context, target Target, method string, payload *sluice.TriggerPayload) (*Fired, error) {
	x, err := e.newExecution(target, sluice.InvokeWebhook)
	if err != nil {
		return nil, err
	}
	x.payload = payload
	return x.fire(ctx, method)
}

// fire lets the flow's trigger see the payload, and finds what the acceptance asks for.
func (x *execution) fire(ctx context.Context, method string) (*Fired, error) {
	x.payload.StartedAt = x.started
	fired := &Fired{execution: x}
	defer x.sealLogs()
	if err := x.fireTrigger(ctx, fired, method); err != nil {
		return fired, err
	}
	if before := x.target.prelude; before != nil && fired.Response == nil && fired.Acknowledgement == nil {
		fired.Response, fired.Acknowledgement = before.response, before.acknowledgement
	}
	if fired.Stop {
		return fired, nil
	}
	return fired, x.checkFired()
}

// checkFired refuses what the trigger left if it does not fit the flow, and finds what names
// it. A page is no input of the flow: its batches are.
func (x *execution) checkFired() error {
	if x.skip != "" || x.marks.Page != nil {
		return nil
	}
	if err := x.checkInput(); err != nil {
		return err
	}
	if err := x.findDedupeKey(); err != nil {
		return err
	}
	return x.findUniqueKey()
}

// checkInput refuses a body that does not fit the flow. Types of the flow's own decode it.
func (x *execution) checkInput() error {
	if err := guard(func() error { return x.target.Flow.checkInput(x.payload) }); err != nil {
		return &InputError{err}
	}
	return nil
}

// fireTrigger lets the flow's trigger see the request, if it has one. A caller who has gone
// meanwhile is an error.
func (x *execution) fireTrigger(ctx context.Context, fired *Fired, method string) (err error) {
	fired.Acknowledgement = x.target.Flow.acknowledgement
	trigger, signed := x.target.Flow.trigger.(sluice.HMACTrigger)
	if signed && x.marks.Invoker == nil {
		err = x.fireSigned(ctx, fired, trigger, method)
	} else {
		err = x.callFlowTrigger(ctx, fired)
	}
	if err != nil {
		return err
	}
	if fired.Response, err = checkResponse(fired.Response); err != nil {
		return &TriggerError{fmt.Errorf("the trigger's response: %w", err)}
	}
	return context.Cause(ctx)
}

// triggerFunc is what sees each request of the flow; nil is nobody.
func (f *Flow) triggerFunc() sluice.TriggerFunc {
	if f.component != nil {
		return f.component.bind(f.component.Perform)
	}
	if trigger, ok := f.trigger.(sluice.HMACTrigger); ok {
		return trigger.OnTrigger
	}
	return f.OnTrigger
}

// initialSync is what sees the first deployment of an instance; nil is nobody.
func (f *Flow) initialSync() sluice.TriggerFunc {
	if f.component != nil && f.RunInitialSyncOnDeploy {
		return f.component.bind(f.component.OnDeployTrigger)
	}
	return f.OnDeployTrigger
}

// callFlowTrigger calls the flow's trigger, if it has one.
func (x *execution) callFlowTrigger(ctx context.Context, fired *Fired) error {
	if batcher, ok := x.target.Flow.trigger.(sluice.Batcher); ok {
		return x.fetchPage(ctx, fired, batcher, pageMark{Number: 1})
	}
	return x.callTrigger(ctx, fired, x.target.Flow.triggerFunc())
}

// callTrigger calls a trigger function, if there is one, and takes over what it returns.
func (x *execution) callTrigger(ctx context.Context, fired *Fired, trigger sluice.TriggerFunc) error {
	if trigger == nil {
		return nil
	}
	ctx, unbind := x.engine.untilStop(ctx)
	defer unbind()
	var result *sluice.TriggerResult
	payload := x.payload
	err := x.call(ctx, x.triggerTimeout(), func(ctx context.Context) error {
		_, err := x.handle(ctx, "the trigger", x.triggerErrors(), func() (err error) {
			ctx, run := x.newRun(ctx, payload)
			result, err = trigger(ctx, run, payload)
			return err
		})
		return err
	})
	if err != nil && errors.Is(context.Cause(ctx), sluice.ErrStopping) {
		return ErrStopped
	}
	if err != nil {
		return &TriggerError{err}
	}
	x.keepState()
	if result == nil {
		return nil
	}
	if result.Payload != nil {
		x.payload = result.Payload
	}
	if result.Response == nil && result.Stop && x.isRequested() {
		return &TriggerError{errors.New("the trigger stopped without a response: set TriggerResult.Response")}
	}
	if result.Response != nil {
		fired.Response = result.Response
	}
	if fired.Stop, x.dedupeKey = result.Stop, result.DedupeID; result.PolledNoChanges {
		x.skip, x.dedupeKey = noChanges, ""
	}
	return nil
}

// Why nothing is executed after a trigger.
const (
	noChanges        = "the poll found no changes"
	stoppedByTrigger = "its trigger stopped it"
)

// triggerTimeout is how long the trigger may take: nobody waits for that of a schedule, nor
// for a page after the first.
func (x *execution) triggerTimeout() time.Duration {
	if x.isScheduled() || x.marks.Page != nil {
		return x.engine.options.ExecutionTimeout
	}
	return x.engine.options.TriggerTimeout
}

func (x *execution) isScheduled() bool {
	invoke := sluice.InvokeType(x.record.InvokeType)
	return invoke == sluice.InvokeSchedule || invoke == sluice.InvokePoll
}

func (x *execution) isRequested() bool { return x.record.InvokeType == string(sluice.InvokeWebhook) }

// checkResponse completes a response that a trigger gives, or tells what is wrong with it.
// Its content type is that of its body: without a body there is none.
func checkResponse(response *sluice.HTTPResponse) (*sluice.HTTPResponse, error) {
	if response == nil {
		return nil, nil
	}
	checked := *response
	if checked.StatusCode == 0 {
		checked.StatusCode = 200
	}
	if !isFinalStatus(checked.StatusCode) {
		return nil, fmt.Errorf("the status code is %d: it must be 200 to 599", checked.StatusCode)
	}
	var err error
	checked.ContentType, checked.Headers, err = answerHeaders(response.ContentType, response.Headers)
	switch {
	case err != nil:
		return nil, err
	case checked.Body == "":
		checked.ContentType = ""
	case checked.ContentType == "":
		checked.ContentType = jsonType
	}
	return &checked, nil
}

// findDedupeKey names the request, unless the trigger did: by the field that the flow's
// queue names, else by its sender's id.
func (x *execution) findDedupeKey() error {
	if x.dedupeKey != "" {
		return nil
	}
	var err error
	if x.dedupeKey, err = x.lookup("dedupeIdField", x.target.Flow.dedupe); err != nil {
		return err
	}
	if x.dedupeKey == "" {
		x.dedupeKey = x.target.prelude.deliveryKey(x.deliveryID)
	}
	return nil
}

// findUniqueKey names what the request is about: newer requests about it supersede the
// retries of older ones.
func (x *execution) findUniqueKey() (err error) {
	x.record.UniqueKey, err = x.lookup("uniqueRequestIdField", x.target.Flow.unique)
	return err
}

// lookup finds a field of the payload, empty if it is missing or none is asked for.
func (x *execution) lookup(name string, field *sluice.FieldPath) (value string, err error) {
	if field == nil {
		return "", nil
	}
	err = guard(func() (err error) {
		value, _, err = x.payload.Lookup(*field)
		return err
	})
	if err != nil {
		return "", &InputError{fmt.Errorf("%s %s: %w", name, field, err)}
	}
	return value, nil
}
