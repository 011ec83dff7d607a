package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/store"
)

// ExecutionError is the error that a synchronous execution ended with.
type ExecutionError struct{ Err error }

func (e *ExecutionError) Error() string { return e.Err.Error() }
func (e *ExecutionError) Unwrap() error { return e.Err }

// finish records how the attempt ended. What it is told last it does not heed: code that
// ignored its time-out may return at any later time.
func (x *execution) finish(ctx context.Context, reply *Reply, err error) {
	if !x.finishing.CompareAndSwap(false, true) {
		return
	}
	defer x.ended()
	cause := context.Cause(ctx)
	wake, suspended := x.wakeTime()
	switch {
	case errors.Is(cause, sluice.ErrLeaseLost):
		x.giveBack()
		return
	case err != nil && errors.Is(cause, sluice.ErrCanceled):
		err = cause
	case suspended:
		x.suspend(wake)
		return
	case err != nil && errors.Is(cause, sluice.ErrStopping):
		x.giveBack()
		return
	case err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) && !errors.Is(err, cause):
		err = fmt.Errorf("%w: %w", cause, err) // It may be no more than the context's own error.
	}
	x.err = x.commit(x.outcome(reply, err))
	if refused := stateError(x.err); refused != nil {
		reply, err = nil, refused
		x.dropChanges()
		x.err = x.commit(x.outcome(reply, err))
	}
	if refused, ok := errors.AsType[*unwritableError](x.err); ok {
		reply, err = nil, refused
		x.err = x.commit(x.unwritable(refused))
	}
	switch {
	case errors.Is(x.err, store.ErrLeaseLost):
		x.err = ErrDeadline // It goes on elsewhere.
	case x.err == nil && err != nil:
		x.err = &ExecutionError{err}
	}
	x.reply = reply
}

// dropChanges forgets what the trigger has changed: it cannot be accepted.
func (x *execution) dropChanges() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.changes = nil
}

// ended lets the caller know, and gives back what the execution took.
func (x *execution) ended() {
	close(x.done)
	if x.tenure != nil {
		x.engine.tenures.over(x.tenure)
	}
	x.room.release()
	x.engine.Leave()
}

// giveBack leaves an execution that was interrupted by the stop to the next start, and one
// whose lease was lost to whoever has it now.
func (x *execution) giveBack() {
	x.mu.Lock()
	x.over = true
	x.err = ErrStopped
	if x.claim != nil || x.lost {
		x.err = ErrDeadline
	}
	claim := x.claim
	x.mu.Unlock()
	if claim != nil {
		x.engine.release(claim, store.Pause{})
	}
}

// outcome is the record of the attempt.
func (x *execution) outcome(reply *Reply, err error) *store.Outcome {
	outcome := &store.Outcome{
		Attempt: x.attempt, StartedAt: x.started, EndedAt: time.Now().UTC(), Status: store.StatusSucceeded,
	}
	if err == nil {
		outcome.Result, outcome.Error = reply.encode(), reply.ignored
	} else {
		outcome.Status, outcome.Error = store.StatusFailed, err.Error()
		if canceled, ok := errors.AsType[*canceledError](err); ok {
			outcome.Status, outcome.Error = store.StatusCanceled, canceled.reason
		} else if delay, again := x.retryDelay(err); again {
			outcome.Status, outcome.NextAttempt = store.StatusWaiting, outcome.EndedAt.Add(delay)
			outcome.KeepSeat = x.target.Flow.blockOnRetry
		}
		outcome.Result = encodeFailure(err)
		x.logFailure(err, outcome)
	}
	outcome.State = x.finalState(outcome.Status)
	outcome.Logs = x.logs.encode()
	return outcome
}

// unwritableError says that the store refuses an outcome, whenever it is written.
type unwritableError struct{ err error }

func (e *unwritableError) Error() string { return "its outcome cannot be recorded: " + e.err.Error() }
func (e *unwritableError) Unwrap() error { return e.err }

// unwritable is the record of an attempt whose outcome the store refuses: no result and no
// logs, as it may be those that it refuses, and no retry, which would end in the same way.
func (x *execution) unwritable(refused *unwritableError) *store.Outcome {
	return &store.Outcome{
		Attempt: x.attempt, StartedAt: x.started, EndedAt: time.Now().UTC(), Status: store.StatusFailed, Error: refused.Error(),
		State: x.finalState(store.StatusFailed),
	}
}

// retryDelay tells whether and when the execution runs again after err.
func (x *execution) retryDelay(err error) (time.Duration, bool) {
	if x.marks.Synchronous || sluice.IsPermanent(err) {
		return 0, false
	}
	config := x.target.Flow.RetryConfig
	if config == nil || x.attempt > config.MaxAttempts {
		return 0, false
	}
	if delay, ok := sluice.RetryDelay(err); ok {
		return delay, true
	}
	return config.Delay(x.attempt), true
}

// commit makes the outcome durable: with the acceptance if there was none yet and it is
// to be kept, else as the outcome of the claim.
func (x *execution) commit(outcome *store.Outcome) error {
	x.mu.Lock()
	x.over = true
	claim := x.claim
	x.mu.Unlock()
	if claim != nil {
		return x.engine.commit(claim, outcome)
	}
	if !x.engine.options.KeepSynchronous(outcome.Status) && len(x.changes) == 0 && len(outcome.State) == 0 {
		return nil
	}
	acceptance, err := x.acceptance()
	if err != nil {
		return err
	}
	acceptance.Outcome = outcome
	_, err = x.engine.accept(x.engine.writing, acceptance)
	return err
}

// commit records the outcome of a claim.
func (e *Engine) commit(claim *store.Claim, outcome *store.Outcome) error {
	return e.end(claim, func(ctx context.Context) error {
		return e.options.Store.Finish(ctx, claim, outcome)
	})
}

// endTries is how often the end of a claim is written that the store refuses, though it can be
// written to.
const endTries = 3

// end writes the end of a claim. While the store cannot be written to it tries again: a claim
// that is not ended means that the execution runs once more. What the store refuses for good
// is an *unwritableError. What is given up, another look for strays finds.
func (e *Engine) end(claim *store.Claim, write func(context.Context) error) error {
	for tries := 1; ; tries++ {
		err := write(e.writing)
		if err == nil || stateError(err) != nil {
			return err
		}
		e.options.Logger.ErrorContext(e.work, "ending a claim failed", "execution", claim.Execution.ID, "error", err)
		switch {
		case errors.Is(err, store.ErrLeaseLost):
			return err
		case e.work.Err() != nil, errors.Is(err, store.ErrClosed):
			e.doubt()
			return err
		case tries >= endTries && !errors.Is(err, store.ErrUnavailable):
			e.doubt()
			return &unwritableError{err}
		}
		pause(e.work, claimPause)
	}
}

// refused records the execution as failed before it was accepted.
func (x *execution) refused(cause error) {
	x.sealLogs()
	x.changes, x.marks.State = nil, false
	acceptance, err := x.acceptance()
	if err == nil {
		acceptance.DedupeKey = "" // A sender who is told of the error sends it again.
		acceptance.Outcome = x.outcome(nil, sluice.Permanent(cause))
		_, err = x.engine.accept(x.engine.writing, acceptance)
	}
	if err != nil {
		x.engine.options.Logger.WarnContext(x.engine.work, "recording a refused request failed", "execution", x.record.ID, "error", err)
	}
}
