package sluice

import (
	"errors"
	"fmt"
	"time"
)

// Errors that calls on a run return. Compare with [errors.Is].
var (
	// ErrNotAccepted is returned by durable calls such as Step where nothing is accepted yet:
	// in a trigger or a preprocess flow.
	ErrNotAccepted = errors.New("sluice: not accepted yet: durable calls work in OnExecution only")
	// ErrAmbiguousStep is returned by Step when a step of the same name is running: give
	// one of them another name, or a key with [WithKey].
	ErrAmbiguousStep = errors.New("sluice: two steps of one name at the same time: tell them apart with WithKey")
	// ErrSuspended is returned by Sleep when the execution is to wait without a goroutine:
	// return it, or an error that wraps it. Durable calls that come after it return it too.
	ErrSuspended = errors.New("sluice: the execution sleeps: return this error")
	// ErrStateConflict says that a value of state is not what [State.CompareAndSet] expects. An
	// attempt that ends with it may be retried.
	ErrStateConflict = errors.New("sluice: the state was changed by another execution")
	// ErrStateTooLarge fails an execution after which a scope of state would have more than
	// 64 MiB of keys and values. The text is the platform's.
	ErrStateTooLarge = errors.New("Unable to complete execution, persisted state exceeded maximum limit of 67108864 bytes.") //nolint:revive,staticcheck // See above.
	// ErrStopping is the cause with which an execution's context ends when the runtime
	// stops. The execution runs again at the next start, or elsewhere.
	ErrStopping = errors.New("sluice: the runtime is stopping")
	// ErrCanceled is the cause with which an execution's context ends when it is canceled
	// from outside. What the code returns after that does not count, unless it is no error.
	ErrCanceled = errors.New("sluice: the execution was canceled")
	// ErrLeaseLost is the cause with which an execution's context ends when its process was
	// not heard of for the length of a lease: it may be running elsewhere already. What the
	// code returns after that does not count.
	ErrLeaseLost = errors.New("sluice: the lease was lost: the execution runs elsewhere")
)

// StepError is the error that a step failed with, after the tries that its StepErrorConfig
// allows. Its text is that of the error.
type StepError struct {
	// Name of the step.
	Name string
	Err  error
}

func (e *StepError) Error() string { return e.Err.Error() }
func (e *StepError) Unwrap() error { return e.Err }

// Permanent marks an error as final: the execution fails and is not retried, nor is a step.
// Nil stays nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }

// IsPermanent tells whether err, or an error that it wraps, was marked by [Permanent] or
// made by [Reject].
func IsPermanent(err error) bool {
	var permanent *permanentError
	var rejected *RejectError
	return errors.As(err, &permanent) || errors.As(err, &rejected)
}

// RetryAfter sets how long to wait before the next retry, in place of the RetryConfig's
// delay, at most 24 hours (seed 003); the number of retries stays bounded by it. Nil stays nil.
func RetryAfter(delay time.Duration, err error) error {
	if err == nil {
		return nil
	}
	return &retryAfterError{delay, err}
}

type retryAfterError struct {
	delay time.Duration
	err   error
}

func (e *retryAfterError) Error() string { return e.err.Error() }
func (e *retryAfterError) Unwrap() error { return e.err }

// RetryDelay returns the delay that [RetryAfter] gave to err, or to an error that it wraps: at
// most 24 hours.
func RetryDelay(err error) (delay time.Duration, ok bool) {
	if after, ok := errors.AsType[*retryAfterError](err); ok {
		return min(after.delay, maxRetryDelay), true
	}
	return 0, false
}

// RejectError refuses a request with an HTTP status. Make it with [Reject].
type RejectError struct {
	// StatusCode of the answer, 400 to 599.
	StatusCode int
	// Message stands in the answer's body: {"error":"…"}.
	Message string
}

// Reject refuses a request: a trigger or a synchronous flow that returns it answers
// statusCode with {"error":"message"}. A status outside 400 to 599 counts as 400. It is
// final: nothing is retried.
func Reject(statusCode int, message string) error {
	if statusCode < 400 || statusCode > 599 {
		statusCode = 400
	}
	return &RejectError{StatusCode: statusCode, Message: message}
}

func (e *RejectError) Error() string { return e.Message }

// PanicError is a panic of user code, turned into the execution's error.
type PanicError struct {
	// Value that was passed to panic.
	Value any
	// Stack of the goroutine that panicked.
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Unwrap returns Value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}
