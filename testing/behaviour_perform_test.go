package sluicetest_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// lifecycle deploys a flow with a component's trigger, and tells which hooks were called, with
// which inputs, and what state they left.
func lifecycle(t *testing.T, flowHook bool, set func(ctx context.Context, run *sluice.Run) error) (any, error) {
	t.Helper()
	order := []string{}
	var params any
	note := func(who string, save bool) sluice.LifecycleFunc {
		return func(ctx context.Context, run *sluice.Run) (*sluice.LifecycleResult, error) {
			order = append(order, who)
			if !save {
				return nil, nil
			}
			return nil, set(ctx, run)
		}
	}
	integration, flow := componentFlow(returning(func(ctx context.Context, run *sluice.Run) any { return stateOf(ctx, run.InstanceState()) }))
	integration.ComponentRegistry[0].Triggers[0].Inputs = []sluice.ComponentInput{{Key: "p"}}
	flow.Trigger = sluice.ComponentTrigger{Component: "acme-crm", Key: "upd", Values: map[string]sluice.InputExpression{"p": sluice.ValueExpression{Value: 1}}}
	if flowHook {
		flow.OnInstanceDeploy = note("flow", false)
	}
	component := sluice.Component{Key: "acme-crm", Triggers: map[string]sluice.TriggerDefinition{"upd": {
		Perform: func(context.Context, *sluice.Run, *sluice.TriggerPayload, sluice.Inputs) (*sluice.TriggerResult, error) {
			return nil, nil
		},
		OnInstanceDeploy: func(ctx context.Context, run *sluice.Run, inputs sluice.Inputs) (*sluice.LifecycleResult, error) {
			params = inputs
			return note("component", true)(ctx, run)
		},
	}}}
	x, err := sluicetest.InvokeFlow(t, flow, sluicetest.InvokeOptions{
		Integration: integration, Runtime: runtime.Options{Components: []sluice.Component{component}},
	})
	if err != nil {
		return nil, err
	}
	result := map[string]any{}
	if state := string(x.Result.Data); state != "{}" {
		result["instanceState"] = x.Result.Data
	}
	return map[string]any{"order": order, "paramsArg": params, "result": result}, nil
}

var performMirrors = map[string]mirror{
	"onTrigger perform: result passes through untouched; context has CNI additions, no polling": func(t *testing.T, input map[string]any) (any, error) {
		var state map[string]any
		result, err := sluicetest.InvokeTrigger(t, func(ctx context.Context, run *sluice.Run, payload *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
			if err := run.CrossFlowState().Set(ctx, "a", 1); err != nil {
				return nil, err
			}
			state = stateOf(ctx, run.CrossFlowState())
			payload.Body = sluice.NewBody("changed")
			response := &sluice.HTTPResponse{StatusCode: 202, ContentType: "text/plain", Body: "ok"}
			return &sluice.TriggerResult{Payload: payload, Response: response, PolledNoChanges: true}, nil
		}, sluicetest.InvokeOptions{Payload: payloadOf(input["payload"])})
		if err != nil {
			return nil, err
		}
		return map[string]any{"result": map[string]any{
			"payload": shown(result.Payload), "polledNoChanges": result.PolledNoChanges, "crossFlowState": state,
			"response": map[string]any{"statusCode": result.Response.StatusCode, "contentType": result.Response.ContentType, "body": result.Response.Body},
		}}, nil
	},
	"onTrigger perform: undefined result stays undefined": func(t *testing.T, _ map[string]any) (any, error) {
		result, err := sluicetest.InvokeTrigger(t, func(context.Context, *sluice.Run, *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
			return nil, nil
		}, sluicetest.InvokeOptions{})
		return result, err
	},
	"onExecution perform: receives params as given, returns untouched": func(t *testing.T, input map[string]any) (any, error) {
		params := object(object(object(input["params"])["onTrigger"])["results"])
		x, err := sluicetest.InvokeFlow(t, flow1(nil, func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
			var n int
			err := run.Payload.Body.Decode(&n)
			return &sluice.Result{Data: 2 * n, StatusCode: 201}, err
		}), sluicetest.InvokeOptions{Payload: payloadOf(params)})
		if err != nil {
			return nil, err
		}
		return map[string]any{"data": x.Result.Data, "statusCode": x.Result.StatusCode}, nil
	},
	"onExecution perform: undefined result allowed": func(t *testing.T, _ map[string]any) (any, error) {
		x, err := sluicetest.InvokeFlow(t, flow1(nil, nil), sluicetest.InvokeOptions{})
		if err != nil {
			return nil, err
		}
		return x.Result.Data, nil
	},
	"onExecution perform: error propagates": func(t *testing.T, input map[string]any) (any, error) {
		return invoked(t, input, flow1(nil, func(context.Context, *sluice.Run) (*sluice.Result, error) { return nil, errors.New("boom") }))
	},
	"component reference wrapped: perform forwards to invokeTrigger": func(t *testing.T, input map[string]any) (any, error) {
		params := object(input["params"])
		integration, flow := componentFlow(returning(bodyData))
		values := map[string]sluice.InputExpression{}
		for key, value := range params {
			integration.ComponentRegistry[0].Triggers[0].Inputs = []sluice.ComponentInput{{Key: key}}
			values[key] = sluice.ValueExpression{Value: value}
		}
		flow.Trigger = sluice.ComponentTrigger{Component: "acme-crm", Key: "upd", Values: values}
		component := sluice.Component{Key: "acme-crm", Triggers: map[string]sluice.TriggerDefinition{"upd": {
			Perform: func(_ context.Context, _ *sluice.Run, payload *sluice.TriggerPayload, inputs sluice.Inputs) (*sluice.TriggerResult, error) {
				require.Equal(t, sluice.Inputs(params), inputs)
				payload.Body = sluice.NewBody("from component")
				return &sluice.TriggerResult{Payload: payload}, nil
			},
		}}}
		x, err := sluicetest.InvokeFlow(t, flow, sluicetest.InvokeOptions{
			Integration: integration, Runtime: runtime.Options{Components: []sluice.Component{component}},
		})
		if err != nil {
			return nil, err
		}
		return map[string]any{"result": map[string]any{"payload": x.Result.Data}}, nil
	},
	"lifecycle with component reference: flow function absent": func(t *testing.T, input map[string]any) (any, error) {
		return lifecycle(t, false, func(ctx context.Context, run *sluice.Run) error {
			return run.InstanceState().Merge(ctx, object(object(input["componentResult"])["instanceState"]))
		})
	},
	"lifecycle with component reference: both undefined give {}": func(t *testing.T, _ map[string]any) (any, error) {
		return lifecycle(t, true, func(context.Context, *sluice.Run) error { return nil })
	},
	"lifecycle with trigger function: only the flow's, result untouched": func(t *testing.T, _ map[string]any) (any, error) {
		flow := flow1(nil, returning(func(ctx context.Context, run *sluice.Run) any { return stateOf(ctx, run.InstanceState()) }))
		flow.OnInstanceDeploy = func(ctx context.Context, run *sluice.Run) (*sluice.LifecycleResult, error) {
			return nil, run.InstanceState().Set(ctx, "id", 1)
		}
		x, err := sluicetest.InvokeFlow(t, flow, sluicetest.InvokeOptions{})
		if err != nil {
			return nil, err
		}
		return map[string]any{"result": map[string]any{"instanceState": x.Result.Data}}, nil
	},
}
