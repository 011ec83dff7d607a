package engine

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/internal/host"
	"github.com/sluice-go/sluice/store"
)

// maxStepBytes bounds the recorded result of a step, as requests are bounded.
const maxStepBytes = 6_000_000

// Step implements host.Run: it returns the recorded result of the step, or runs it and
// records its result.
func (u *unit) Step(ctx context.Context, step host.Step, run func(context.Context) ([]byte, error)) ([]byte, error) {
	if err := u.ready(ctx); err != nil {
		return nil, err
	}
	l := stepLabel(step)
	key, err := u.enter(l)
	if err != nil {
		return nil, fmt.Errorf("step %w", err)
	}
	occurred := false
	defer func() { u.leave(l, occurred) }()
	record, err := u.x.find(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("step %q: %w", step.Name, err)
	}
	if record == nil {
		if record, err = u.runStep(ctx, key, step, run); err != nil {
			return nil, err
		}
	}
	if err := u.adopt(record); err != nil {
		return nil, err
	}
	occurred = true
	return record.Result, nil
}

// runStep runs a step as its error config says, and journals it.
func (u *unit) runStep(
	ctx context.Context, key string, step host.Step, run func(context.Context) ([]byte, error),
) (*store.Step, error) {
	record := &store.Step{Key: key, Name: step.Name, Attempt: u.x.attempt, StartedAt: time.Now().UTC()}
	config := step.Errors
	if config == nil {
		config = flowErrors{u.x.target.Flow.errorConfig()}
	}
	ignored, err := u.x.handle(ctx, "step "+strconv.Quote(step.Name), config, func() (err error) {
		inner := u.inner(key, &stateBuffer{outer: u.state})
		if record.Result, err = u.try(host.NewContext(ctx, inner), step, run); err == nil {
			record.State, err = encodeState(inner.state.all())
		}
		return err
	})
	switch {
	case errors.Is(err, sluice.ErrSuspended):
		return nil, err
	case err != nil:
		return nil, &sluice.StepError{Name: step.Name, Err: err}
	case ignored != nil:
		record.Result, record.State, record.Error = nil, nil, ignored.Error()
	}
	record.EndedAt = time.Now().UTC()
	if err := u.x.recordStep(ctx, record); err != nil {
		return nil, err
	}
	return record, nil
}

// try runs a step once.
func (u *unit) try(ctx context.Context, step host.Step, run func(context.Context) ([]byte, error)) ([]byte, error) {
	result, err := u.runWithin(ctx, step, run)
	if err == nil && len(result) > maxStepBytes {
		err = sluice.Permanent(fmt.Errorf("step %q: its result has %d bytes: at most %d can be recorded: keep it elsewhere and record where",
			step.Name, len(result), maxStepBytes))
	}
	return result, err
}

// runWithin runs a step within its time-out, if it has one. Code that ignores it is reported,
// not waited for.
func (u *unit) runWithin(ctx context.Context, step host.Step, run func(context.Context) ([]byte, error)) ([]byte, error) {
	if step.Timeout == 0 {
		return run(ctx)
	}
	cause := fmt.Errorf("step %q took longer than %v", step.Name, step.Timeout)
	ctx, cancel := context.WithTimeoutCause(ctx, step.Timeout, cause)
	defer cancel()
	var result []byte
	ended := make(chan error, 1)
	u.x.engine.workers.run(func() {
		err := errGoexit
		defer func() { ended <- err }()
		err = guard(func() (err error) {
			result, err = run(ctx)
			return err
		})
	})
	err := await(ctx, ended)
	if err == nil {
		return result, nil
	}
	if errors.Is(context.Cause(ctx), cause) && !errors.Is(err, cause) {
		err = fmt.Errorf("%w: %w", cause, err)
	}
	return nil, err
}
