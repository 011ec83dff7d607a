package sluice

import (
	"errors"
	"fmt"
	"time"
)

// maxRetryDelay bounds the delay before a retry (seed 003).
const maxRetryDelay = 24 * time.Hour

// RetryConfig runs a failed asynchronous execution again, from its first step that is not
// journalled yet.
type RetryConfig struct {
	// MaxAttempts is how many retries follow the first run, 0 to 10.
	MaxAttempts int
	// DelayMinutes is how long to wait before each retry, 0 to 60.
	DelayMinutes int
	// UsesExponentialBackoff doubles the delay with each retry, up to 24 hours.
	UsesExponentialBackoff bool
	// UniqueRequestIDField is the path of a field in the trigger's payload, such as
	// body.data.productId: a newer execution with the same value there cancels the
	// pending retries of older ones.
	UniqueRequestIDField string
}

// Delay returns how long to wait before retry n, counted from 1: DelayMinutes, or
// DelayMinutes·2^(n-1) with exponential backoff, at most 24 hours.
func (c RetryConfig) Delay(n int) time.Duration {
	return backoff(time.Duration(c.DelayMinutes)*time.Minute, n, c.UsesExponentialBackoff)
}

// StepErrorHandlerType says what happens when a step fails.
type StepErrorHandlerType string

// What happens when a step fails.
const (
	// ErrorHandlerFail ends the execution as failed.
	ErrorHandlerFail StepErrorHandlerType = "fail"
	// ErrorHandlerIgnore logs the error and goes on.
	ErrorHandlerIgnore StepErrorHandlerType = "ignore"
	// ErrorHandlerRetry tries the step again, up to MaxAttempts times.
	ErrorHandlerRetry StepErrorHandlerType = "retry"
)

// StepErrorConfig says what happens when a step fails.
type StepErrorConfig struct {
	// ErrorHandlerType is required.
	ErrorHandlerType StepErrorHandlerType
	// MaxAttempts is how many tries follow the first, 0 to 5; only with ErrorHandlerRetry.
	MaxAttempts int
	// DelaySeconds is how long to wait before each, 0 to 60.
	DelaySeconds int
	// UsesExponentialBackoff doubles the delay with each try.
	UsesExponentialBackoff bool
	// IgnoreFinalError goes on when the last try has failed too.
	IgnoreFinalError bool
}

// Delay returns how long to wait before try n after the first, counted from 1.
func (c StepErrorConfig) Delay(n int) time.Duration {
	return backoff(time.Duration(c.DelaySeconds)*time.Second, n, c.UsesExponentialBackoff)
}

// maxStepDelay bounds the delay that [RetryAfter] gives to a step's next try.
const maxStepDelay = time.Minute

// Retry tells whether code that has failed n times, at last with err, is tried again, and
// after what delay: that of [RetryAfter] up to a minute, else Delay(n). [Permanent] errors
// and rejections are not tried again.
func (c StepErrorConfig) Retry(n int, err error) (delay time.Duration, again bool) {
	if c.ErrorHandlerType != ErrorHandlerRetry || n > c.MaxAttempts || IsPermanent(err) {
		return 0, false
	}
	if delay, ok := RetryDelay(err); ok {
		return min(delay, maxStepDelay), true
	}
	return c.Delay(n), true
}

// Ignores tells whether an error that is not retried is ignored. A rejection never is: it
// answers the caller.
func (c StepErrorConfig) Ignores(err error) bool {
	if _, rejected := errors.AsType[*RejectError](err); rejected {
		return false
	}
	return c.ErrorHandlerType == ErrorHandlerIgnore || c.ErrorHandlerType == ErrorHandlerRetry && c.IgnoreFinalError
}

// check finds the faults that Validate finds in a flow's ErrorConfig.
func (c StepErrorConfig) check() error {
	v := &validator{}
	v.stepErrors("errorConfig", c)
	if len(v.faults) == 0 {
		return nil
	}
	return fmt.Errorf("%s: %s", v.faults[0].Path, v.faults[0].Message)
}

// backoff is delay·2^(n-1) if it doubles, at most a day, without overflow for any n.
func backoff(delay time.Duration, n int, doubles bool) time.Duration {
	if delay <= 0 {
		return 0
	}
	for i := 1; doubles && i < n && delay < maxRetryDelay; i++ {
		delay *= 2
	}
	return min(delay, maxRetryDelay)
}
