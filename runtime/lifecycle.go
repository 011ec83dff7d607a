package runtime

import (
	"context"
	"fmt"
)

// Pause takes the webhooks of an instance down (WebhookLifecycleHandlers.Delete of its flows,
// the last flow first), and then the instance: its endpoints answer 404, its schedules stop,
// and what it has accepted waits until Resume. Runs under way come to their end. An error tells
// of a handler that failed; the instance is paused all the same. Pausing a paused instance
// does nothing. An instance that is not there is [store.ErrNotFound].
func (rt *Runtime) Pause(ctx context.Context, instanceID string) error {
	if err := rt.engine.Pause(ctx, instanceID); err != nil {
		return fmt.Errorf("runtime: pause: %w", err)
	}
	return nil
}

// Resume ends the pause of an instance and puts its webhooks up again
// (WebhookLifecycleHandlers.Create of its flows, in order). If a handler fails, what was put up
// is taken down, the instance stays paused and the error tells why. Resuming an instance that
// is not paused does nothing. An instance that is not there is [store.ErrNotFound].
func (rt *Runtime) Resume(ctx context.Context, instanceID string) error {
	if err := rt.engine.Resume(ctx, instanceID); err != nil {
		return fmt.Errorf("runtime: resume: %w", err)
	}
	return nil
}

// Delete removes an instance. Its endpoints answer 404 at once, and what waits to be executed
// is canceled. Then, each for the last flow first: WebhookLifecycleHandlers.Delete, also where a
// pause has called it; the flows with an [sluice.InstanceRemoveTrigger], whose end is waited for,
// at most five minutes; OnInstanceDelete, all in the version that is registered. What fails is on
// record and in the log and does not keep the instance from going. With it goes its state; its
// executions stay on record. A Delete that was interrupted is finished by the next one. An
// instance that is not there is [store.ErrNotFound].
func (rt *Runtime) Delete(ctx context.Context, instanceID string) error {
	if err := rt.engine.Delete(ctx, instanceID); err != nil {
		return fmt.Errorf("runtime: delete: %w", err)
	}
	return nil
}
