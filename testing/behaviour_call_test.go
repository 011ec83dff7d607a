package sluicetest_test

import (
	"context"
	"testing"

	"github.com/sluice-go/sluice"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// call calls a flow from another one, and tells what the called one saw.
func call(t *testing.T, input map[string]any) (any, error) {
	t.Helper()
	args, _ := input["args"].([]any)
	name, _ := args[0].(string)
	var config sluice.InvokeConfig
	if len(args) > 3 {
		config.Source, _ = args[3].(string)
	}
	var request, response map[string]any
	caller := flow1(nil, func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
		answer, err := sluice.InvokeFlow(ctx, name, args[1], config)
		if err != nil {
			return nil, err
		}
		response = map[string]any{"status": answer.StatusCode, "data": answer.Body.Data()}
		return nil, nil
	})
	called := sluice.Flow{
		Name: "Flow A", StableKey: "flow-a",
		OnExecution: func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
			request = map[string]any{"headers": run.Payload.Headers, "body": string(run.Payload.RawBody.Data)}
			return nil, nil
		},
	}
	_, err := sluicetest.InvokeFlow(t, caller, sluicetest.InvokeOptions{
		Integration: &sluice.Integration{Name: "Integration 1", Flows: []sluice.Flow{called}},
	})
	return map[string]any{"request": request, "response": response}, err
}

var callMirrors = map[string]mirror{
	"CNI: no API keys":    call,
	"CNI: empty key list": call,
	"CNI: custom source is added to the execution frame": call,
	"CNI: unknown flow name":                             call,
}
