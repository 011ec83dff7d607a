package engine

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/internal/host"
)

// errorConfig is the flow's ErrorConfig.
func (f *Flow) errorConfig() host.ErrorConfig {
	if f.ErrorConfig == nil {
		return sluice.StepErrorConfig{}
	}
	return *f.ErrorConfig
}

// flowErrors is the flow's ErrorConfig for the flow as a whole, and for steps without one of their
// own: an error that a step inside came to has been handled there.
type flowErrors struct{ host.ErrorConfig }

func (f flowErrors) Retry(n int, err error) (delay time.Duration, again bool) {
	if isStepError(err) {
		return 0, false
	}
	return f.ErrorConfig.Retry(n, err)
}

func (f flowErrors) Ignores(err error) bool { return !isStepError(err) && f.ErrorConfig.Ignores(err) }

// triggerErrors is the flow's ErrorConfig for its trigger. Where a caller waits, the caller
// gets the error and may try again; an error never becomes an execution.
func (x *execution) triggerErrors() host.ErrorConfig {
	if x.isRequested() {
		return sluice.StepErrorConfig{}
	}
	return unignored{x.target.Flow.errorConfig()}
}

// unignored is an ErrorConfig that ignores nothing.
type unignored struct{ host.ErrorConfig }

func (unignored) Ignores(error) bool { return false }

func isStepError(err error) bool {
	_, ok := errors.AsType[*sluice.StepError](err)
	return ok
}

// handle calls user code as the config says: an error is retried, and returned as one that is
// ignored or not. Once ctx has ended, or the execution is suspended, nothing is either.
func (x *execution) handle(ctx context.Context, what string, config host.ErrorConfig, call func() error) (ignored, err error) {
	for tries := 1; ; tries++ {
		if err := x.mayBegin(ctx); err != nil {
			return nil, err
		}
		err := guard(func() error {
			if err := call(); err != nil {
				return settle(err)
			}
			return nil
		})
		if _, suspended := x.wakeTime(); err == nil || suspended || context.Cause(ctx) != nil {
			return nil, err
		}
		delay, again := config.Retry(tries, err)
		log := x.failureLog(err).With("code", what, "try", tries)
		switch {
		case again && !errors.Is(err, errAbandoned):
			log.WarnContext(ctx, "failed, to be tried again", "delay", delay)
			if pause(ctx, delay); context.Cause(ctx) != nil {
				return nil, err
			}
		case config.Ignores(err):
			log.WarnContext(ctx, "failed, which is ignored")
			return err, nil
		default:
			return nil, err
		}
	}
}

// mayBegin returns why code of the execution must not begin: its context has ended, or it may run
// elsewhere.
func (x *execution) mayBegin(ctx context.Context) (err error) {
	x.mu.Lock()
	claimed := x.tenure != nil
	x.mu.Unlock()
	if claimed {
		err = x.engine.ensureLease() //nolint:contextcheck // The lease is the engine's.
	}
	return cmp.Or(context.Cause(ctx), err)
}
