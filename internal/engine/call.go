package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sluice-go/sluice"
)

// ErrOverdue is the cause with which the context of user code ends that runs before or
// beside executions and takes longer than it may.
var ErrOverdue = errors.New("the code took longer than it may")

// errAbandoned marks user code that ignores that its context has ended.
var errAbandoned = errors.New("the code ignores that its context has ended")

// callGrace is how long such code has to return after its context has ended. A caller may
// be waiting.
const callGrace = time.Second

// call calls user code that is no execution: a trigger, a preprocess flow, a hook. Its
// context ends after the limit, with ErrOverdue. Code that ignores that is reported, not
// waited for; it may still use the payload, which is not looked at any more.
func (x *execution) call(ctx context.Context, limit time.Duration, code func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, ErrOverdue)
	defer cancel()
	ended := make(chan error, 1)
	x.engine.workers.run(func() {
		err := errGoexit
		defer func() { ended <- err }()
		err = guard(func() error {
			if err := code(ctx); err != nil {
				return settle(err)
			}
			return nil
		})
	})
	err := await(ctx, ended)
	if errors.Is(err, errAbandoned) {
		x.payload = &sluice.TriggerPayload{StartedAt: x.started}
		x.logger().ErrorContext(ctx, "user code is not waited for", "error", err)
	}
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, ErrOverdue) {
		return fmt.Errorf("%w: %w", cause, err)
	}
	return err
}

// await returns what user code ended with, or errAbandoned some time after the end of its
// context.
func await(ctx context.Context, ended <-chan error) error {
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	grace := time.NewTimer(callGrace)
	defer grace.Stop()
	select {
	case err := <-ended:
		return err
	case <-grace.C:
		return errAbandoned
	}
}
