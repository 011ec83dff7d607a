package sluice

import (
	"context"
	"errors"
	"fmt"

	"github.com/sluice-go/sluice/internal/encode"
	"github.com/sluice-go/sluice/internal/host"
)

// Errors of calls of other flows. Compare with [errors.Is]. They are final: see [Permanent].
var (
	// ErrWouldDeadlock refuses to wait for a flow of a queue in which the caller, or one that
	// waits for it, keeps a seat meanwhile.
	ErrWouldDeadlock = errors.New("sluice: the flow would wait for its caller: the caller keeps its seat in the queue that both share: call it with InvokeAsync")
	// ErrInvokeDepth refuses a call that is more than 32 calls below the execution that all
	// began with: it looks like flows that call each other without end.
	ErrInvokeDepth = errors.New("sluice: flows call each other more than 32 deep")
)

// FlowRef refers to a flow of the same integration by its stable key: FlowRef[Order,
// Receipt]("new-order"). In is what its body is decoded from, Out what its data is decoded
// into. A reference in place of the flow itself lets flows call each other.
type FlowRef[In, Out any] string

// Invoke starts the flow as an execution of its own and waits for its result. It is a step:
// called again by a later attempt, or after a crash, it finds the same execution, and once
// there is a result, that one; one that has failed is started anew by the next attempt. The
// options are those of [Step].
//
// The flow runs as if it had been called over HTTP, but in process: its trigger sees the
// input as a JSON body, a signature is not asked for, nor an API key; its queue and its
// retries hold. It sees what is committed, not what its caller has yet to save, and goes on
// when its caller ends. While it waits, the caller takes no place among the running ones.
//
// A flow that failed is an [*InvokeError]. Input that does not fit the flow, [ErrWouldDeadlock]
// and [ErrInvokeDepth] are final errors; outside OnExecution it is [ErrNotAccepted].
func (r FlowRef[In, Out]) Invoke(ctx context.Context, in In, opts ...StepOption) (Out, error) {
	var out Out
	invoked, err := r.invoke(ctx, in, host.WaitAlways, opts)
	if err != nil || invoked.ExecutionID == "" {
		return out, err
	}
	if err := StoredBody(invoked.ContentType, invoked.Body).Decode(&out); err != nil {
		return out, Permanent(fmt.Errorf("sluice: flow %q: the result of execution %s does not fit %T: %w", string(r), invoked.ExecutionID, out, err))
	}
	return out, nil
}

// InvokeAsync is Invoke without waiting: it returns the id of the execution once that is on
// disk.
func (r FlowRef[In, Out]) InvokeAsync(ctx context.Context, in In, opts ...StepOption) (executionID string, err error) {
	invoked, err := r.invoke(ctx, in, host.WaitNever, opts)
	if err != nil {
		return "", err
	}
	return invoked.ExecutionID, nil
}

func (r FlowRef[In, Out]) invoke(ctx context.Context, in In, wait host.Wait, opts []StepOption) (*host.Invoked, error) {
	data, err := encode.JSON(in)
	if err != nil {
		return nil, Permanent(fmt.Errorf("sluice: flow %q: the input cannot be encoded: %w", string(r), err))
	}
	return invoke(ctx, host.Invocation{StableKey: string(r), Body: data, Wait: wait}, opts)
}

// InvokeConfig says how [InvokeFlow] calls.
type InvokeConfig struct {
	// Headers that the flow finds in its payload. Those of the call itself, such as
	// prismatic-invoked-by, cannot be set. prismatic-synchronous says whether to wait, over the
	// flow's IsSynchronous.
	Headers map[string]string
	// Source is shown on record as where the call came from.
	Source string
}

// InvokeResponse is the answer to [InvokeFlow]: the flow's result, or {"executionId":"…"} if
// it is not waited for.
type InvokeResponse struct {
	ExecutionID string
	StatusCode  int
	Headers     map[string]string
	Body        Body
}

// InvokeFlow is spectral's invokeFlow: it calls a flow of the same integration by its name,
// with the data as its JSON body; nil is no body. It waits for flows that are synchronous.
// Otherwise it is like [FlowRef.Invoke] and [FlowRef.InvokeAsync].
func InvokeFlow(ctx context.Context, flowName string, data any, config InvokeConfig, opts ...StepOption) (*InvokeResponse, error) {
	call := host.Invocation{Name: flowName, Headers: config.Headers, Source: config.Source}
	if data != nil {
		var err error
		if call.Body, err = encode.JSON(data); err != nil {
			return nil, Permanent(fmt.Errorf("sluice: flow %q: the data cannot be encoded: %w", flowName, err))
		}
	}
	invoked, err := invoke(ctx, call, opts)
	if err != nil {
		return nil, err
	}
	return &InvokeResponse{
		ExecutionID: invoked.ExecutionID, StatusCode: invoked.StatusCode, Headers: invoked.Headers,
		Body: StoredBody(invoked.ContentType, invoked.Body),
	}, nil
}

func invoke(ctx context.Context, call host.Invocation, opts []StepOption) (*host.Invoked, error) {
	run, options, err := beginStep(ctx, "invoke "+call.Flow(), opts)
	if err != nil {
		return nil, err
	}
	if options.concurrency != 0 {
		return nil, fmt.Errorf("sluice: flow %q: WithConcurrency is for ForEach", call.Flow())
	}
	call.Step = options.Step
	return run.Invoke(ctx, call)
}

// InvokeError says that a flow that was called did not take the call, or failed.
type InvokeError struct {
	// Flow is the flow's name.
	Flow string
	// ExecutionID is what failed; empty if nothing was accepted.
	ExecutionID string
	// Message is its error.
	Message string
}

func (e *InvokeError) Error() string {
	if e.ExecutionID == "" {
		return fmt.Sprintf("flow %q did not take the call: %s", e.Flow, e.Message)
	}
	return fmt.Sprintf("execution %s of flow %q: %s", e.ExecutionID, e.Flow, e.Message)
}
