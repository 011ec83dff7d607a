package sluice

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/sluice-go/sluice/internal/host"
)

// Step runs fn as a durable unit of the execution and returns its result. It runs at least
// once until its result is journalled, and never again in this execution: a later attempt,
// or another process after a crash, gets the recorded result instead.
//
// The result is recorded as JSON, and what Step returns is always the decoded record, so
// the first run sees what a later one will. The step is known by its name and how often
// the name occurred, not by its place: edited code finds its records again. Two steps of
// one name at the same time are [ErrAmbiguousStep]; [WithKey] tells them apart. A failed
// fn is not recorded. Outside OnExecution Step returns [ErrNotAccepted].
func Step[T any](ctx context.Context, name string, fn func(ctx context.Context) (T, error), opts ...StepOption) (T, error) {
	var result T
	run, ok := host.FromContext(ctx)
	if !ok {
		return result, fmt.Errorf("sluice: step %q: the context is not that of a run: pass on the one that OnExecution received", name)
	}
	if name == "" {
		return result, errors.New("sluice: a step needs a name")
	}
	step := host.Step{Name: name}
	for _, opt := range opts {
		opt.apply(&step)
	}
	data, err := run.Step(ctx, step, func(ctx context.Context) ([]byte, error) {
		value, err := fn(ctx)
		if err != nil {
			return nil, err
		}
		data, err := json.Marshal(value)
		if err != nil {
			return nil, Permanent(fmt.Errorf("sluice: step %q: its result cannot be recorded: %w", name, err))
		}
		return data, nil
	})
	if err != nil {
		return result, err
	}
	if err := json.Unmarshal(data, &result); err != nil {
		return result, Permanent(fmt.Errorf("sluice: step %q: its recorded result does not fit %T any more: %w", name, result, err))
	}
	return result, nil
}

// StepOption changes how [Step] runs one step.
type StepOption interface {
	apply(step *host.Step)
}

type stepOption func(step *host.Step)

func (f stepOption) apply(step *host.Step) { f(step) }

// WithKey tells steps of one name apart, for example by the id of the item they handle.
// Name and key together must be unique in the execution.
func WithKey(key string) StepOption {
	return stepOption(func(step *host.Step) { step.Key = key })
}
