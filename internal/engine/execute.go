package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/sluice-go/sluice"
)

// ErrDeadline says that a synchronous execution is not over in time. It is durable and goes
// on.
var ErrDeadline = errors.New("the execution is not over yet")

// errGoexit is the outcome of user code that ended its goroutine.
var errGoexit = errors.New("the flow ended its goroutine with runtime.Goexit")

// Finished is the answer of a synchronous execution.
type Finished struct {
	// Reply is nil when the request is a Duplicate.
	Reply *Reply
	Accepted
}

// Execute runs a synchronous execution and waits for its reply, at most for the given
// time. Past it, or when the caller has gone and ctx ends, the execution is made durable and
// goes on: the error is ErrDeadline. An error of the flow is an *ExecutionError.
func (e *Engine) Execute(ctx context.Context, fired *Fired, wait time.Duration) (*Finished, error) {
	x := fired.execution
	x.synchronous = true
	x.hideSecrets()
	deadline := time.NewTimer(wait)
	defer deadline.Stop()
	if !e.slots.tryAcquire() {
		if err := e.waitForSlot(ctx, wait); err != nil {
			return nil, err
		}
	}
	if x.dedupeKey != "" {
		if err := x.ensureAccepted(ctx); err != nil {
			e.slots.release()
			if duplicate, ok := errors.AsType[*duplicateError](err); ok {
				return &Finished{Accepted: Accepted{duplicate.of, true}}, nil
			}
			return nil, err
		}
	}
	e.hold()
	e.workers.run(func() { e.runInSlot(x) }) //nolint:contextcheck // An execution outlives its request: it runs on the engine's context.
	select {
	case <-x.done:
	case <-deadline.C:
		return nil, x.goOn(ctx)
	case <-ctx.Done():
		return nil, x.goOn(ctx)
	}
	if x.err != nil {
		return nil, x.err
	}
	return &Finished{Reply: x.reply, Accepted: Accepted{ExecutionID: x.record.ID}}, nil
}

// goOn makes an execution durable whose caller no longer waits.
func (x *execution) goOn(ctx context.Context) error {
	if err := x.ensureAccepted(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	return ErrDeadline
}

// waitForSlot waits until an execution more may run.
func (e *Engine) waitForSlot(ctx context.Context, wait time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	if err := e.slots.acquire(ctx); err != nil {
		return fmt.Errorf("%w: %d run already", ErrNotAccepted, e.options.Concurrency)
	}
	return nil
}

// runInSlot runs an execution that holds a slot and is counted in.
func (e *Engine) runInSlot(x *execution) {
	defer e.leave()
	defer e.releaseRun(x.weight)
	x.run()
}

// run calls the flow and records how it ended.
func (x *execution) run() {
	defer close(x.done)
	var result *sluice.Result
	err := errGoexit
	ctx, cancel := context.WithTimeoutCause(x.engine.work, x.engine.options.ExecutionTimeout,
		fmt.Errorf("the execution took longer than %v", x.engine.options.ExecutionTimeout))
	defer cancel()
	defer func() { x.finish(ctx, result, err) }()
	x.executing = true
	userCtx, run := x.newRun(ctx, x.payload)
	guarded := guard(func() (err error) {
		result, err = x.target.Flow.OnExecution(userCtx, run)
		return err
	})
	err = guarded
}

// guard calls user code and turns its panic into an error.
func guard(call func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &sluice.PanicError{Value: value, Stack: debug.Stack()}
		}
	}()
	return call()
}
