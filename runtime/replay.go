package runtime

import (
	"context"
	"fmt"
	"iter"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/internal/engine"
	"github.com/sluice-go/sluice/store"
)

// ReplayOptions say how a replay differs from its original; the zero value repeats it.
type ReplayOptions struct {
	// Input replaces the payload: take that of the Execution and change it. The body must
	// fit the flow. Nil keeps the payload.
	Input *Payload
	// FromStep names the step from which on steps run again: one on record, or the one in
	// which the original failed. Those on record before its first occurrence do not run: the
	// flow gets their results, with the same Input or another, and finds what they, and
	// checkpoints among them, made of its ExecutionState. Empty runs all steps again.
	FromStep string
}

// Replay runs again what an execution was for that is over, and returns the id of the new
// execution, whose Original is the old one. It is for the same flow, instance, customer and
// user, in the version that is deployed now, and takes its turn in the flow's queue. Its
// InvokeType is that of the original, and nobody waits for it: it is retried as RetryConfig
// says. The trigger is not called again, what it wrote to ExecutionState is not there, and no
// duplicate is looked for. What was refused before it was accepted can be replayed if it
// reached a flow; where its body was not kept, with an Input only.
func (rt *Runtime) Replay(ctx context.Context, id string, options ReplayOptions) (string, error) {
	replay, err := rt.engine.Replay(ctx, id, options.engine())
	if err != nil {
		return "", fmt.Errorf("runtime: replay execution %q: %w", id, err)
	}
	return replay, nil
}

// Replayed is an execution and the one that replays it.
type Replayed struct {
	// Original and ID are the ids; ID is empty if the original could not be replayed.
	Original, ID string
}

// ReplayAll replays all executions that match the filter and are over, oldest first, so that
// they come into the queues of their flows in their order:
//
//	for replayed, err := range rt.ReplayAll(ctx, store.Filter{Status: store.StatusFailed}, runtime.ReplayOptions{}) {
//		…
//	}
//
// Each is replayed as the loop comes to it, and yielded with the error, if there is one; the
// loop goes on. An error without an Original ends it. Left out are executions that are
// replays, those that were replayed already, unless the replays failed, and those accepted
// later than the loop began. Where Options.MaxQueued executions wait, the loop waits too,
// until ctx ends.
func (rt *Runtime) ReplayAll(ctx context.Context, filter store.Filter, options ReplayOptions) iter.Seq2[Replayed, error] {
	return func(yield func(Replayed, error) bool) {
		for replayed, err := range rt.engine.ReplayAll(ctx, filter, options.engine()) {
			if err != nil {
				err = fmt.Errorf("runtime: replay execution %q: %w", replayed.Original, err)
			}
			if !yield(Replayed(replayed), err) {
				return
			}
		}
	}
}

func (o ReplayOptions) engine() engine.ReplayOptions {
	options := engine.ReplayOptions{FromStep: o.FromStep}
	if p := o.Input; p != nil {
		options.Input = &sluice.TriggerPayload{
			Headers: p.Headers, QueryParameters: p.QueryParameters, RawBody: p.RawBody, Body: p.Body,
			PathFragment: p.PathFragment, InvokeURL: p.InvokeURL,
		}
	}
	return options
}
