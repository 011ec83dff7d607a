package sluice

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/sluice-go/sluice/internal/encode"
	"github.com/sluice-go/sluice/internal/host"
)

// Step runs fn as a durable unit of the execution and returns its result. It runs at least
// once until its result is journalled, and never again in this execution: a later attempt,
// or another process after a crash, gets the recorded result instead.
//
// The result is recorded as JSON, of at most 6,000,000 bytes, and what Step returns is
// always the decoded record, so the first run sees what a later one will. The step is known
// by its name and how often the name occurred, not by its place: edited code finds its
// records again. Two steps of one name at the same time are [ErrAmbiguousStep]; [WithKey]
// tells them apart. Names count within the step or the item of a [ForEach] that they stand
// in. What failed did not occur: the next step or loop of its name takes its place, and its
// records. So name those differently that are not tries of the same. Numbers in an any are
// [json.Number], as in a [Body]. Outside OnExecution Step returns [ErrNotAccepted].
//
// When fn fails, [WithErrorConfig] or the flow's ErrorConfig says what happens: fail returns
// its error as a [*StepError] and records nothing, retry tries it again on the spot, and an
// ignored error is recorded in place of a result: Step returns the zero value, now and in
// later attempts. Errors that come of the context's end are neither retried nor ignored.
func Step[T any](ctx context.Context, name string, fn func(ctx context.Context) (T, error), opts ...StepOption) (T, error) {
	var result T
	run, options, err := beginStep(ctx, name, opts)
	if err != nil {
		return result, err
	}
	if options.concurrency != 0 {
		return result, fmt.Errorf("sluice: step %q: WithConcurrency is for ForEach", name)
	}
	return runStep(ctx, run, options.Step, fn)
}

func beginStep(ctx context.Context, name string, opts []StepOption) (host.Run, *stepOptions, error) {
	run, err := hostOf(ctx, "step", name)
	if err != nil {
		return nil, nil, err
	}
	options := &stepOptions{Step: host.Step{Name: name}}
	for _, opt := range opts {
		if err := opt.apply(options); err != nil {
			return nil, nil, fmt.Errorf("sluice: step %q: %w", name, err)
		}
	}
	return run, options, nil
}

// hostOf is the run that a durable call with a name belongs to.
func hostOf(ctx context.Context, what, name string) (host.Run, error) {
	run, ok := host.FromContext(ctx)
	switch {
	case !ok:
		return nil, fmt.Errorf("sluice: %s %q: the context is not that of a run: pass on the one that OnExecution received", what, name)
	case name == "":
		return nil, fmt.Errorf("sluice: a %s needs a name", what)
	default:
		return run, nil
	}
}

func runStep[T any](ctx context.Context, run host.Run, step host.Step, fn func(ctx context.Context) (T, error)) (T, error) {
	var result T
	data, err := run.Step(ctx, step, func(ctx context.Context) ([]byte, error) {
		value, err := fn(ctx)
		if err != nil {
			return nil, err
		}
		data, err := encode.JSON(value)
		if err != nil {
			return nil, Permanent(fmt.Errorf("sluice: step %q: its result cannot be recorded: %w", step.Name, err))
		}
		return data, nil
	})
	if err != nil || data == nil {
		return result, err
	}
	if err := decodeJSON(data, &result); err != nil {
		return result, Permanent(fmt.Errorf("sluice: step %q: its recorded result does not fit %v: %w", step.Name, reflect.TypeFor[T](), err))
	}
	return result, nil
}

// StepOption changes how [Step] runs one step, or [ForEach] its items.
type StepOption interface {
	apply(options *stepOptions) error
}

type stepOptions struct {
	host.Step
	concurrency int
}

type stepOption func(options *stepOptions) error

func (f stepOption) apply(options *stepOptions) error { return f(options) }

// WithKey tells steps of one name apart, for example by the id of the item they handle, and
// loops of one name. Name and key together must be unique in the execution.
func WithKey(key string) StepOption {
	return stepOption(func(options *stepOptions) error {
		options.Key = key
		return nil
	})
}

// WithErrorConfig says what happens when the step fails, in place of the flow's ErrorConfig.
// The tries of a retry are part of the attempt, and of its time.
func WithErrorConfig(config StepErrorConfig) StepOption {
	return stepOption(func(options *stepOptions) error {
		options.Errors = config
		return config.check()
	})
}

// WithTimeout ends the step's context after d, which is above 0, with a cause that names the
// step: each try of it has that long. Code that ignores it is not waited for, and not tried
// again.
func WithTimeout(d time.Duration) StepOption {
	return stepOption(func(options *stepOptions) error {
		if options.Timeout = d; d <= 0 {
			return fmt.Errorf("a time-out of %v: it must be above 0", d)
		}
		return nil
	})
}

// WithConcurrency has [ForEach] handle up to n items at once, 1 by default. The function is
// then called by several goroutines.
func WithConcurrency(n int) StepOption {
	return stepOption(func(options *stepOptions) error {
		if options.concurrency = n; n < 1 {
			return errors.New("WithConcurrency needs at least 1")
		}
		return nil
	})
}
