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
var errGoexit = errors.New("the code ended its goroutine with runtime.Goexit")

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
	if x.skip != "" {
		return e.answerSkipped(ctx, fired)
	}
	x.marks.Synchronous, x.callerUntil = true, time.Now().Add(wait)
	if x.record.Lane.Limit > 0 || !e.worker.Has(x.target.Instance.deployed()) {
		return e.executeQueued(ctx, fired, wait)
	}
	x.hideSecrets()
	deadline := time.NewTimer(wait)
	defer deadline.Stop()
	if !e.slots.tryAcquire() {
		if err := e.waitForSlot(ctx, wait); err != nil {
			return nil, err
		}
	}
	x.room = &room{engine: e, record: x.record, slot: true} // Its payload counts as a request's.
	if x.dedupeKey != "" {
		if err := x.ensureAccepted(context.WithoutCancel(ctx)); err != nil {
			x.room.release()
			if duplicate, ok := errors.AsType[*duplicateError](err); ok {
				return &Finished{Accepted: Accepted{duplicate.of, true}}, nil
			}
			return nil, ofUnclaimed(err)
		}
	}
	x.launch()
	select {
	case <-x.done:
	case <-deadline.C:
		return x.goOn(ctx)
	case <-ctx.Done():
		return x.goOn(ctx)
	}
	return x.finished()
}

// executeQueued has an execution accepted whose flow is queued, or whose version others have,
// and waits until it is over, whichever process runs it.
func (e *Engine) executeQueued(ctx context.Context, fired *Fired, wait time.Duration) (*Finished, error) {
	accepted, err := e.Accept(ctx, fired)
	if err != nil {
		return nil, err
	}
	if accepted.Duplicate {
		return &Finished{Accepted: accepted}, nil
	}
	ctx, unbind := e.untilStop(ctx)
	defer unbind()
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	record, err := e.options.Store.Await(ctx, accepted.ExecutionID)
	if err != nil {
		if ctx.Err() == nil {
			e.options.Logger.ErrorContext(ctx, "waiting for an execution failed", "execution", accepted.ExecutionID, "error", err)
		}
		return nil, ErrDeadline
	}
	reply, err := recordedReply(record)
	if err != nil {
		return nil, err
	}
	return &Finished{Reply: reply, Accepted: accepted}, nil
}

// answerSkipped puts an execution on record that is not run: its result is null.
func (e *Engine) answerSkipped(ctx context.Context, fired *Fired) (*Finished, error) {
	accepted, err := e.Accept(ctx, fired)
	if err != nil {
		return nil, err
	}
	reply, err := newReply(nil)
	return &Finished{reply, accepted}, err
}

// finished is the answer of an execution that is over.
func (x *execution) finished() (*Finished, error) {
	if x.err != nil {
		return nil, x.err
	}
	return &Finished{Reply: x.reply, Accepted: Accepted{ExecutionID: x.record.ID}}, nil
}

// goOn makes an execution durable whose caller no longer waits. If it has come to its end
// meanwhile, that is the answer.
func (x *execution) goOn(ctx context.Context) (*Finished, error) {
	switch err := x.ensureAccepted(context.WithoutCancel(ctx)); {
	case errors.Is(err, errOver):
		<-x.done
		return x.finished()
	case err != nil:
		return nil, ofUnclaimed(err)
	default:
		return nil, ErrDeadline
	}
}

// ofUnclaimed makes ErrDeadline of the error of an execution that was accepted without a claim: it
// waits for its instance's resumption, or runs elsewhere.
func ofUnclaimed(err error) error {
	if errors.Is(err, sluice.ErrLeaseLost) {
		return ErrDeadline
	}
	return err
}

// waitForSlot waits until an execution more may run.
func (e *Engine) waitForSlot(ctx context.Context, wait time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	defer context.AfterFunc(e.claiming, cancel)() //nolint:contextcheck // The engine's stop ends the waiting as well.
	if err := e.slots.acquire(ctx); err != nil {
		return fmt.Errorf("%w: %d run already", ErrNotAccepted, e.options.Concurrency)
	}
	return nil
}

// abandonGrace is how long code has to return after the end of its context, until it is no
// longer waited for.
const abandonGrace = 10 * time.Second

// launch has the execution run. What it waited for until now is not part of the attempt.
func (x *execution) launch() {
	x.started = time.Now().UTC()
	x.engine.hold()
	x.engine.workers.run(x.run)
}

// run calls the flow and records how it ended. The execution holds a slot and is counted
// in until then. Code that ignores its time-out is reported, not waited for.
func (x *execution) run() {
	timeout := x.engine.options.ExecutionTimeout
	interruptible, interrupt := context.WithCancelCause(x.engine.work)
	defer interrupt(nil)
	ctx, cancel := context.WithTimeoutCause(interruptible, timeout, fmt.Errorf("the execution took longer than %v", timeout))
	defer cancel()
	defer x.abandonAfter(ctx)()
	x.interruptBy(interrupt)
	var reply *Reply
	err := errGoexit
	defer func() { x.finish(ctx, reply, err) }()
	x.executing = true
	reply, err = x.callFlow(ctx)
}

// callFlow calls the flow as its error config says.
func (x *execution) callFlow(ctx context.Context) (reply *Reply, err error) {
	if x.marks.Page != nil {
		return x.spread(ctx)
	}
	if x.marks.Batch != nil && x.target.Flow.batchSize() == 1 { // Nobody has seen the item yet. A schema is one of objects.
		if err := x.checkInput(); err != nil {
			return nil, sluice.Permanent(err)
		}
	}
	ignored, err := x.handle(ctx, "the flow", flowErrors{x.target.Flow.errorConfig()}, func() (err error) {
		reply, err = x.tryFlow(ctx)
		return err
	})
	if ignored == nil {
		return reply, err
	}
	if reply, err = newReply(nil); err == nil {
		reply.ignored = ignored.Error()
	}
	return reply, err
}

// errTryOver is the cause with which a try's context ends: what it left running is not heard.
var errTryOver = errors.New("the flow has returned")

// tryFlow calls the flow once, with a payload of its own.
func (x *execution) tryFlow(ctx context.Context) (*Reply, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(errTryOver)
	userCtx, run := x.newRun(ctx, copyPayload(x.payload))
	result, err := x.target.Flow.OnExecution(userCtx, run)
	if err != nil {
		return nil, err
	}
	return newReply(result)
}

// interruptBy has the end of the execution's tenure end what runs.
func (x *execution) interruptBy(interrupt context.CancelCauseFunc) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.interrupt = interrupt
	if x.tenure != nil {
		x.tenure.bind(interrupt)
	}
}

// abandonAfter ends the execution some time after its context, unless it has ended itself:
// code that ignores it is reported, not waited for. That of an engine that stops is not
// waited for by Stop. The returned function must be called.
func (x *execution) abandonAfter(ctx context.Context) func() bool {
	return context.AfterFunc(ctx, func() {
		cause := context.Cause(ctx)
		if errors.Is(cause, sluice.ErrStopping) {
			return
		}
		time.AfterFunc(abandonGrace, func() {
			x.finish(ctx, nil, fmt.Errorf("%w, and ignores that its context has ended", cause))
		})
	})
}

// settled is an error with its text, asked for where a panic of it does no harm.
type settled struct {
	err  error
	text string
}

func (e *settled) Error() string { return e.text }
func (e *settled) Unwrap() error { return e.err }

func settle(err error) error { return &settled{err, err.Error()} }

// guard calls user code and turns its panic into an error.
func guard(call func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &sluice.PanicError{Value: value, Stack: debug.Stack()}
		}
	}()
	return call()
}
