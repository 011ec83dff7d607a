package sluicetest

import (
	"context"
	"testing"

	"github.com/sluice-go/sluice"
)

// InvokeTrigger calls a trigger function as the runtime calls it for a request, and returns what
// it returns: spectral's invokeTrigger, with a run that works. The error is the trigger's own, or
// that of a request that never reached it.
func InvokeTrigger(t *testing.T, trigger sluice.TriggerFunc, options InvokeOptions) (result *sluice.TriggerResult, err error) {
	t.Helper()
	called := false
	flow := sluice.Flow{
		Name: "Flow 1", StableKey: "flow-1", OnExecution: doNothing,
		OnTrigger: func(ctx context.Context, run *sluice.Run, payload *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
			called = true
			result, err = trigger(ctx, run, payload)
			return result, err
		},
	}
	if _, refused := InvokeFlow(t, flow, options); !called {
		return nil, refused
	}
	return result, err
}

func doNothing(context.Context, *sluice.Run) (*sluice.Result, error) { return nil, nil }
