package simulation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sluice-go/sluice"
)

// Names of the flows.
const (
	flowParallel   = "parallel"
	flowSequential = "sequential"
	flowThrottled  = "throttled"
	flowUnique     = "unique"
	flowTick       = "tick"
	flowPoll       = "poll"
)

// throttle is how many executions of flowThrottled run at once.
const throttle = 2

// webhooks are the flows that callers start.
var webhooks = []string{flowParallel, flowSequential, flowThrottled, flowUnique}

// retries is the same for every flow that is retried.
var retries = sluice.RetryConfig{MaxAttempts: 3, DelayMinutes: 2, UsesExponentialBackoff: true}

// errOrdered is the failure that an order asks for.
var errOrdered = errors.New("this order fails")

// definition is the integration as one process of a version runs it.
func definition(h *history, node, version string) *sluice.Integration {
	unique := retries
	unique.UniqueRequestIDField = "body.data.about"
	retried := retries
	webhook := func(name string, retry *sluice.RetryConfig, queue sluice.QueueConfig) sluice.Flow {
		return sluice.Flow{Name: name, StableKey: name, RetryConfig: retry, QueueConfig: queue, OnExecution: h.work(node)}
	}
	return &sluice.Integration{
		Name: "Simulation", Version: version,
		Flows: []sluice.Flow{
			webhook(flowParallel, &retried, nil),
			webhook(flowSequential, &retried, sluice.SequentialQueueConfig{DedupeIDField: "body.data.id"}),
			webhook(flowThrottled, &retried, sluice.ThrottledQueueConfig{ConcurrencyLimit: throttle, DedupeIDField: "body.data.id"}),
			webhook(flowUnique, &unique, nil),
			{
				Name: flowTick, StableKey: flowTick, OnExecution: h.work(node),
				Schedule: &sluice.Schedule{Value: "17 6 * * *", TimeZone: "Europe/Berlin"},
			},
			{
				Name: flowPoll, StableKey: flowPoll, OnExecution: h.work(node), TriggerType: sluice.TriggerTypePolling,
				Schedule: &sluice.Schedule{Value: "0 */12 * * *"}, OnTrigger: poll,
			},
		},
	}
}

// poll counts its calls that were committed, and finds something every third time.
func poll(ctx context.Context, run *sluice.Run, payload *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
	cursor, _, err := sluice.PollState[int](ctx, run)
	if err != nil {
		return nil, err
	}
	cursor++
	if err := sluice.SetPollState(ctx, run, cursor); err != nil {
		return nil, err
	}
	if cursor%3 != 0 {
		return &sluice.TriggerResult{PolledNoChanges: true}, nil
	}
	payload.Body = sluice.NewBody(order{ID: cursor})
	return &sluice.TriggerResult{Payload: payload}, nil
}

// work is what every flow does: two steps with time between them, a state that counts what
// succeeded, and the failures that its order asks for.
func (h *history) work(node string) sluice.ExecutionFunc {
	return func(ctx context.Context, r *sluice.Run) (*sluice.Result, error) {
		this := &run{Node: node, Execution: r.ExecutionID, Instance: r.Instance.ID, Flow: r.Flow.Name, Attempt: r.Attempt}
		h.begin(this)
		defer h.end(this)
		var o order
		if r.Flow.Name != flowTick {
			if err := r.Payload.Body.Decode(&o); err != nil {
				return nil, err
			}
		}
		if err := r.InstanceState().Increment(ctx, "started", 1); err != nil {
			return nil, err
		}
		for _, key := range []string{"first", "second"} {
			if _, err := sluice.Step(ctx, key, func(context.Context) (string, error) {
				h.step(node, r.ExecutionID, key)
				return fmt.Sprintf("%s of %s", key, r.ExecutionID), nil
			}); err != nil {
				return nil, err
			}
			if err := wait(ctx, time.Duration(o.Seconds)*time.Second); err != nil {
				return nil, err
			}
		}
		if r.Attempt <= o.Fail {
			return nil, errOrdered
		}
		return &sluice.Result{Data: r.Attempt}, nil
	}
}

// wait lets time pass, as a call to another system does.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
