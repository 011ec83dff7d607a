package sluicetest_test

import (
	"context"
	"testing"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// internal is where spectral keeps the poll's state, in the state of the instance; ours stands
// under a key of its own, and is reported there.
const internal = "__prismaticInternal"

// poll polls a flow once whose state the input describes. The trigger does what act does with
// the state of the poll, and passes on what it returns; without one it is the text p.
func poll(t *testing.T, input map[string]any, act func(ctx context.Context, run *sluice.Run) (any, error)) (any, error) {
	t.Helper()
	result := object(input["result"])
	noChanges, _ := result["polledNoChanges"].(bool)
	var state map[string]any
	prepared := false
	trigger := func(ctx context.Context, run *sluice.Run, payload *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
		if !prepared {
			prepared = true
			return &sluice.TriggerResult{PolledNoChanges: true}, prepare(ctx, run, object(input["instanceState"]))
		}
		var data any = "p"
		if act != nil {
			var err error
			if data, err = act(ctx, run); err != nil {
				return nil, err
			}
		}
		payload.Body = sluice.NewBody(data)
		state = reported(ctx, run)
		return &sluice.TriggerResult{Payload: payload, PolledNoChanges: noChanges}, nil
	}
	flow := flow1(trigger, nil)
	flow.TriggerType, flow.Schedule = sluice.TriggerTypePolling, &sluice.Schedule{Value: "0 0 * * *"}
	var last *sluicetest.Execution
	sluicetest.Run(t, &sluice.Integration{Name: "Integration 1", Flows: []sluice.Flow{flow}}, func(_ *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		h.Tick()
		h.Tick()
		h.Drain()
		all := h.Executions()
		last = all[len(all)-1]
	})
	resultType := "completed"
	if last.Status == store.StatusSkipped {
		resultType = "polled_no_changes"
	}
	return map[string]any{
		"result":        map[string]any{"payload": last.Payload.Body.Data(), "resultType": resultType},
		"instanceState": state,
	}, nil
}

// prepare brings about the state that an input describes.
func prepare(ctx context.Context, run *sluice.Run, state map[string]any) error {
	for key, value := range state {
		if key != internal {
			if err := run.InstanceState().Set(ctx, key, value); err != nil {
				return err
			}
			continue
		}
		if polling, ok := object(value)["polling"]; ok {
			if err := sluice.SetPollState(ctx, run, polling); err != nil {
				return err
			}
		}
	}
	return nil
}

// reported is the state of the instance as spectral has it.
func reported(ctx context.Context, run *sluice.Run) map[string]any {
	state := map[string]any{}
	if mine, ok, _ := sluice.GetState[any](ctx, run.InstanceState(), "mine"); ok {
		state["mine"] = mine
	}
	if polling, ok, _ := sluice.PollState[any](ctx, run); ok {
		state[internal] = map[string]any{"polling": polling}
	}
	return state
}

// getState is what spectral's polling.getState returns: an object, empty before the first time.
func getState(ctx context.Context, run *sluice.Run) (any, error) {
	state, _, err := sluice.PollState[map[string]any](ctx, run)
	if state == nil {
		state = map[string]any{}
	}
	return state, err
}

func polled(t *testing.T, input map[string]any) (any, error) {
	t.Helper()
	return poll(t, input, nil)
}

// gets polls with getState; sets, with setState; setsAndGets, with both.
func gets(t *testing.T, input map[string]any) (any, error) {
	t.Helper()
	return poll(t, input, getState)
}

func sets(t *testing.T, input map[string]any) (any, error) {
	t.Helper()
	return poll(t, input, func(ctx context.Context, run *sluice.Run) (any, error) {
		return "p", sluice.SetPollState(ctx, run, input["setState"])
	})
}

func setsAndGets(t *testing.T, input map[string]any) (any, error) {
	t.Helper()
	return poll(t, input, func(ctx context.Context, run *sluice.Run) (any, error) {
		if err := sluice.SetPollState(ctx, run, input["setState"]); err != nil {
			return nil, err
		}
		return getState(ctx, run)
	})
}

var pollingMirrors = map[string]mirror{
	"getState on empty instanceState": gets,
	"setState then getState":          setsAndGets,
	"setState replaces, keeps other internal keys and other instance state": sets,
	"setState when polling is a list":                                       sets,
	"setState when polling is a string":                                     sets,
	"getState when polling is null: {}":                                     gets,
	"setState when polling is null":                                         sets,
	"setState(undefined) then getState":                                     setsAndGets,
	"polledNoChanges true":                                                  polled,
	"polledNoChanges false":                                                 polled,
}
