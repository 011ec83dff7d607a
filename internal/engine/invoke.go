package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/internal/encode"
	"github.com/sluice-go/sluice/internal/host"
	"github.com/sluice-go/sluice/store"
)

// maxInvokeDepth is how many calls may stand above an execution.
const maxInvokeDepth = 32

// Invoker is who called a flow, beside the execution's Parent.
type Invoker struct {
	// Attempt of the caller, and the name of the Step that the call was.
	Attempt int    `json:"attempt"`
	Step    string `json:"stepName"`
	// Source is where the call came from, in the caller's words.
	Source string `json:"customSource,omitempty"`
	// Waits says that the caller waits for the flow.
	Waits bool `json:"waits,omitempty"`
}

// invocation is a call of another flow that is under way.
type invocation struct {
	x      *execution // the caller
	call   host.Invocation
	target Target
	waits  bool
	// invoked is the answer that was waited for in this call; nil if none was.
	invoked *host.Invoked
}

// Invoke implements host.Run: the call is a step, whose record is the id of the execution.
func (u *unit) Invoke(ctx context.Context, call host.Invocation) (*host.Invoked, error) {
	if err := u.ready(ctx); err != nil {
		return nil, err
	}
	c, err := u.x.newInvocation(ctx, call)
	if err != nil {
		return nil, err
	}
	data, err := u.Step(ctx, call.Step, c.run)
	if err != nil || data == nil {
		return &host.Invoked{}, err
	}
	var id string
	if err := json.Unmarshal(data, &id); err != nil {
		return nil, fmt.Errorf("the recorded call of flow %q: %w", c.target.Flow.Name, err)
	}
	if !c.waits {
		body, err := encode.JSON(map[string]string{"executionId": id})
		return &host.Invoked{ExecutionID: id, StatusCode: http.StatusOK, ContentType: jsonType, Body: body}, err
	}
	if c.invoked == nil { // The call is on record already.
		err = c.wait(ctx, func() error {
			c.invoked, err = c.answer(ctx, id)
			return err
		})
	}
	return c.invoked, err
}

// newInvocation finds the flow that is called, as it is deployed now.
func (x *execution) newInvocation(ctx context.Context, call host.Invocation) (*invocation, error) {
	flow, err := x.target.definition.callee(&call)
	if err != nil {
		return nil, sluice.Permanent(err)
	}
	if len(call.Body) > maxStepBytes {
		return nil, sluice.Permanent(fmt.Errorf("the call of flow %q has %d bytes: at most %d can be sent: send where they can be fetched", flow.Name, len(call.Body), maxStepBytes))
	}
	instance, err := x.engine.load(ctx, byID(x.record.Instance), x.engine.options.Store.Instance)
	if err != nil {
		return nil, err
	}
	c := &invocation{x: x, call: call, target: Target{
		Instance: instance, Flow: flow, definition: instance.definition, user: x.target.user,
	}}
	c.waits = call.Wait == host.WaitAlways || call.Wait == host.WaitAsFlow && c.waitsAsFlow()
	if x.record.Depth >= maxInvokeDepth {
		return nil, sluice.Permanent(fmt.Errorf("flow %q: %w", flow.Name, sluice.ErrInvokeDepth))
	}
	return c, nil
}

// waitsAsFlow tells whether the call waits because the flow is synchronous, or because its
// headers say so.
func (c *invocation) waitsAsFlow() bool {
	for name, value := range c.call.Headers {
		if strings.EqualFold(name, "prismatic-synchronous") {
			return strings.EqualFold(value, "true")
		}
	}
	return c.target.Flow.IsSynchronous
}

// callee finds a flow that can be called.
func (d *definition) callee(call *host.Invocation) (*Flow, error) {
	flow, ok := d.flows[call.StableKey]
	if call.Name != "" {
		var err error
		if flow, err = d.flowNamed(call.Name); err != nil {
			return nil, err
		}
	} else if !ok {
		return nil, fmt.Errorf("integration %q has no flow with the stable key %q", d.integration.Name, call.StableKey)
	}
	switch {
	case flow.startedBy() != "":
		return nil, fmt.Errorf("flow %q is started by the deployment or the removal of an instance: it cannot be called", flow.Name)
	case flow.PreprocessFlowConfig != nil:
		return nil, fmt.Errorf("flow %q routes requests: it cannot be called", flow.Name)
	default:
		return flow, nil
	}
}

// run starts the execution, unless it was started before, and waits for its end if it is to.
func (c *invocation) run(ctx context.Context) (data []byte, err error) {
	if err := c.x.ensureAccepted(context.WithoutCancel(ctx)); err != nil {
		return nil, err
	}
	var id string
	if !c.waits {
		id, err = c.start(ctx)
	} else {
		err = c.wait(ctx, func() error {
			if id, err = c.start(ctx); err == nil {
				c.invoked, err = c.answer(ctx, id)
			}
			return err
		})
	}
	if err != nil {
		return nil, err
	}
	return encode.JSON(id)
}

// wait calls what waits for the flow, if that can end. Meanwhile the caller gives up its slot:
// the flow that it waits for may need it.
func (c *invocation) wait(ctx context.Context, call func() error) (err error) {
	if err := c.checkSeat(ctx); err != nil {
		return err
	}
	c.x.room.lend()
	defer func() {
		if reclaimErr := c.x.room.reclaim(ctx); err == nil {
			err = reclaimErr
		}
	}()
	return call()
}

// start returns the id of the execution that the call is about: one that was started before,
// unless it has failed and its caller was told so, or a new one.
func (c *invocation) start(ctx context.Context) (string, error) {
	run, _ := host.FromContext(ctx)
	inner, ok := run.(*unit)
	if !ok {
		return "", fmt.Errorf("the call of flow %q is in no step", c.target.Flow.Name)
	}
	for n := 0; ; n++ {
		id := deriveID(c.x.record.ID, inner.prefix+strconv.Itoa(n))
		record, err := c.x.engine.options.Store.Execution(ctx, id)
		switch {
		case errors.Is(err, store.ErrNotFound):
			return c.accept(ctx, id)
		case err != nil:
			return "", err
		}
		spent, err := c.isSpent(record)
		if err != nil || !spent {
			return id, err
		}
	}
}

// isSpent tells whether an execution that the call started has failed, and the caller knows:
// it was told in this run, or its attempt is over.
func (c *invocation) isSpent(record *store.Record) (bool, error) {
	if record.Status != store.StatusFailed && record.Status != store.StatusCanceled {
		return false, nil
	}
	if _, told := c.x.told.Load(record.ID); told {
		return true, nil
	}
	_, marks, err := decodePayload(record.Payload)
	return marks.Invoker != nil && marks.Invoker.Attempt < c.x.attempt, err
}

// accept lets the flow's trigger see the call and accepts the execution.
func (c *invocation) accept(ctx context.Context, id string) (string, error) {
	e := c.x.engine
	x, err := e.newExecution(c.target, sluice.InvokeCrossFlow)
	if err != nil {
		return "", err
	}
	x.record.ID, x.record.Parent, x.record.Depth = id, c.x.record.ID, c.x.record.Depth+1
	x.marks.Invoker = &Invoker{Attempt: c.x.attempt, Step: c.call.Step.Name, Source: c.call.Source, Waits: c.waits}
	if x.payload, err = c.payload(x.marks.Invoker); err != nil {
		return "", err
	}
	fired, err := x.fire(ctx, http.MethodPost)
	switch {
	case err != nil && context.Cause(ctx) != nil:
		return "", err
	case err != nil:
		return "", c.refused(err)
	case fired.Stop:
		return "", c.refused(sluice.Permanent(errors.New("its trigger answered and stopped")))
	}
	accepted, err := e.Accept(ctx, fired)
	if errors.Is(err, store.ErrConflict) {
		return id, nil // It was accepted meanwhile, by a process that is taken for dead.
	}
	return accepted.ExecutionID, err
}

// refused says that the flow did not take the call. The status that it would have answered
// over HTTP is not the caller's.
func (c *invocation) refused(cause error) error {
	err := error(&sluice.InvokeError{Flow: c.target.Flow.Name, Message: cause.Error()})
	if _, misfit := errors.AsType[*InputError](cause); misfit || sluice.IsPermanent(cause) {
		err = sluice.Permanent(err)
	}
	return err
}

// payload is what the flow receives: a request of JSON, with the headers of a call as on the
// platform.
func (c *invocation) payload(invoker *Invoker) (*sluice.TriggerPayload, error) {
	frame, err := encode.JSON(struct {
		ExecutionID string `json:"executionId"`
		*Invoker
	}{c.x.record.ID, invoker})
	if err != nil {
		return nil, err
	}
	headers := http.Header{}
	for name, value := range c.call.Headers {
		headers.Set(name, value)
	}
	headers.Set("prismatic-invoke-type", "Cross Flow")
	headers.Set("prismatic-invoked-by", string(frame))
	headers.Set("prismatic-executionid", c.x.record.ID)
	payload := &sluice.TriggerPayload{InvokeURL: c.target.webhookURLs()[c.target.Flow.Name], GlobalDebug: c.x.payload.GlobalDebug}
	if c.call.Body != nil {
		headers.Set("content-type", jsonType)
		payload.Body = sluice.StoredBody(jsonType, c.call.Body)
		payload.RawBody = sluice.RawBody{Data: c.call.Body, ContentType: jsonType}
	}
	payload.Headers = sluice.NewHeaders(headers)
	return payload, nil
}

// answer waits for the end of the execution and returns its result, or an *InvokeError.
func (c *invocation) answer(ctx context.Context, id string) (*host.Invoked, error) {
	record, err := c.x.engine.options.Store.Await(ctx, id)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return nil, cause
		}
		return nil, fmt.Errorf("waiting for execution %s of flow %q: %w", id, c.target.Flow.Name, err)
	}
	reply, err := recordedReply(record)
	if err != nil {
		c.x.told.Store(id, true)
		return nil, &sluice.InvokeError{Flow: c.target.Flow.Name, ExecutionID: id, Message: err.Error()}
	}
	return &host.Invoked{
		ExecutionID: id, StatusCode: reply.StatusCode, ContentType: reply.ContentType, Headers: reply.Headers, Body: reply.Body,
	}, nil
}

// checkSeat refuses to wait for an execution of a lane of which a caller above it keeps a seat
// meanwhile: even where another is free now, several such calls at once would wait for each
// other.
func (c *invocation) checkSeat(ctx context.Context) error {
	lane := c.target.lane()
	for above := c.x.record; lane.Limit > 0; {
		if above.Lane.Limit > 0 && above.Lane.Key == lane.Key {
			return sluice.Permanent(fmt.Errorf("flow %q: %w", c.target.Flow.Name, sluice.ErrWouldDeadlock))
		}
		_, marks, err := decodePayload(above.Payload)
		if err != nil || above.Parent == "" || marks.Invoker == nil || !marks.Invoker.Waits {
			return err
		}
		record, err := c.x.engine.options.Store.Execution(ctx, above.Parent)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		above = &record.Execution
	}
	return nil
}
