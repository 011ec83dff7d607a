package sluicetest_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// testingNames are the names of spectral's testing module, and those of Go.
var testingNames = map[string]struct {
	name string
	// What it is, so that it exists; root says that spectral.testing has it as well.
	what any
	root bool
}{
	"ComponentTestHarness":                      {"ComponentTestHarness", sluicetest.ComponentTestHarness{}, false},
	"connectionValue":                           {"ConnectionValue", sluicetest.ConnectionValue, false},
	"createConnection":                          {"CreateConnection", sluicetest.CreateConnection, false},
	"createHarness":                             {"CreateHarness", sluicetest.CreateHarness, true},
	"createMockContextComponents":               {"CreateMockContextComponents", sluicetest.CreateMockContextComponents, false},
	"defaultConnectionValueEnvironmentVariable": {"DefaultConnectionValueEnvironmentVariable", sluicetest.DefaultConnectionValueEnvironmentVariable, false},
	"defaultTriggerPayload":                     {"DefaultTriggerPayload", sluicetest.DefaultTriggerPayload, false},
	"invoke":                                    {"ComponentTestHarness.Action", (*sluicetest.ComponentTestHarness).Action, true},
	"invokeFlow":                                {"InvokeFlow", sluicetest.InvokeFlow, false},
	"invokeTrigger":                             {"InvokeTrigger", sluicetest.InvokeTrigger, true},
	"loggerMock":                                {"LoggerMock", sluicetest.LoggerMock, true},
}

// TestTestingNames finds every name of spectral's testing module in Go, or on the list of those
// that are left out.
func TestTestingNames(t *testing.T) {
	t.Parallel()
	left := readDifferences(t).Names
	for _, pair := range readPairs(t)["invoke-flow-testing"] {
		modules, ok := pair.Output.(map[string]any)
		names, isList := modules["dist/testing"].([]any)
		if !ok || !isList {
			continue
		}
		found := map[string]bool{}
		for _, name := range names {
			name, _ := name.(string)
			found[name] = true
			_, isThere := testingNames[name]
			require.NotEqual(t, isThere, left[name] != "", name)
		}
		for name := range maps.Keys(testingNames) {
			require.True(t, found[name], name)
		}
		return
	}
	t.Fatal("the pair that lists the names is missing")
}

// flow1 is a flow of the tests, with the functions; either may be nil.
func flow1(trigger sluice.TriggerFunc, execute sluice.ExecutionFunc) sluice.Flow {
	if execute == nil {
		execute = func(context.Context, *sluice.Run) (*sluice.Result, error) { return nil, nil }
	}
	return sluice.Flow{Name: "Flow 1", StableKey: "flow-1", OnTrigger: trigger, OnExecution: execute}
}

// object is a member of JSON that is an object, empty if it is none.
func object(value any) map[string]any {
	members, _ := value.(map[string]any)
	return members
}

// payloadOf is the payload that an input describes.
func payloadOf(value any) (payload sluice.TriggerPayload) {
	for name, header := range object(object(value)["headers"]) {
		text, _ := header.(string)
		payload.Headers = sluice.Headers{name: {text}}
	}
	if body, ok := object(value)["body"]; ok {
		payload.Body = sluice.NewBody(object(body)["data"])
	}
	if raw, ok := object(object(value)["rawBody"])["data"].(string); ok {
		payload.RawBody = sluice.RawBody{Data: []byte(raw), ContentType: "application/json"}
	}
	for name, parameter := range object(object(value)["queryParameters"]) {
		text, _ := parameter.(string)
		payload.QueryParameters = sluice.QueryParameters{name: {text}}
	}
	return payload
}

// shown is a payload as spectral prints it: its raw body is text.
func shown(payload *sluice.TriggerPayload) map[string]any {
	data, err := json.Marshal(payload)
	if err != nil {
		return nil
	}
	var members map[string]any
	if err := json.Unmarshal(data, &members); err != nil {
		return nil
	}
	members["rawBody"] = map[string]any{"data": string(payload.RawBody.Data), "contentType": payload.RawBody.ContentType}
	return members
}

// resultOf is what spectral's invokeFlow resolves to.
func resultOf(x *runtime.Execution, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return map[string]any{"data": x.Result.Data}, nil
}

// invoked runs the function with the payload of the input, and returns its result.
func invoked(t *testing.T, input map[string]any, flow sluice.Flow) (any, error) {
	t.Helper()
	return resultOf(sluicetest.InvokeFlow(t, flow, sluicetest.InvokeOptions{Payload: payloadOf(input["payload"])}))
}

// seeing is an execution that notes what look makes of its run.
func seeing(seen *any, look func(ctx context.Context, run *sluice.Run) any) sluice.ExecutionFunc {
	return func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		*seen = look(ctx, run)
		return nil, nil
	}
}

// returning is an execution whose data is what look makes of its run.
func returning(look func(ctx context.Context, run *sluice.Run) any) sluice.ExecutionFunc {
	return func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		return &sluice.Result{Data: look(ctx, run)}, nil
	}
}

func bodyData(_ context.Context, run *sluice.Run) any { return run.Payload.Body.Data() }

// stateOf are all values of a scope of state.
func stateOf(ctx context.Context, state *sluice.State) map[string]any {
	values := map[string]any{}
	keys, _ := state.Keys(ctx)
	for _, key := range keys {
		values[key], _, _ = sluice.GetState[any](ctx, state, key)
	}
	return values
}

// stateful is a component whose trigger is referred to, and the reference.
func componentFlow(execute sluice.ExecutionFunc) (*sluice.Integration, sluice.Flow) {
	registry := []sluice.ComponentManifest{{Key: "acme-crm", Triggers: []sluice.ComponentEntry{{Key: "upd"}}}}
	flow := flow1(nil, execute)
	flow.Trigger = sluice.ComponentTrigger{Component: "acme-crm", Key: "upd"}
	return &sluice.Integration{Name: "Integration 1", Version: "1.0.0", ComponentRegistry: registry}, flow
}

var flowMirrors = map[string]mirror{
	"no onTrigger, default payload: onExecution sees the default payload": func(t *testing.T, input map[string]any) (any, error) {
		return invoked(t, input, flow1(nil, returning(bodyData)))
	},
	"default payload": func(t *testing.T, input map[string]any) (seen any, err error) {
		_, err = invoked(t, input, flow1(nil, seeing(&seen, func(_ context.Context, run *sluice.Run) any { return shown(run.Payload) })))
		return seen, err
	},
	"default context as seen by onExecution": func(t *testing.T, input map[string]any) (seen any, err error) {
		_, err = invoked(t, input, flow1(nil, seeing(&seen, func(ctx context.Context, run *sluice.Run) any {
			const function = "<function>"
			return map[string]any{
				"logger":        map[string]any{"debug": function, "info": function, "warn": function, "error": function},
				"instanceState": stateOf(ctx, run.InstanceState()), "crossFlowState": stateOf(ctx, run.CrossFlowState()),
				"executionState": stateOf(ctx, run.ExecutionState()), "integrationState": stateOf(ctx, run.IntegrationState()),
				"configVars": map[string]any{}, "customer": run.Customer, "instance": run.Instance,
				"integration": run.Integration, "flow": run.Flow, "invokeFlow": function,
			}
		})))
		return seen, err
	},
	"payload override is a shallow merge": func(t *testing.T, input map[string]any) (seen any, err error) {
		_, err = invoked(t, input, flow1(nil, seeing(&seen, func(_ context.Context, run *sluice.Run) any {
			return map[string]any{"onTrigger": map[string]any{"results": shown(run.Payload)}}
		})))
		return seen, err
	},
	"configVars: plain values kept, connections (objects with fields) get configVarKey ''": func(t *testing.T, input map[string]any) (any, error) {
		values := object(input["configVars"])
		connection := object(values["Conn"])
		key, _ := connection["key"].(string)
		values["Conn"] = sluicetest.CreateConnection(key, object(connection["fields"]), object(connection["token"]))
		integration := &sluice.Integration{
			Name: "Integration 1",
			ComponentRegistry: []sluice.ComponentManifest{{
				Key: "acme",
				Connections: []sluice.ComponentConnection{{
					ComponentEntry: sluice.ComponentEntry{Key: key, Inputs: []sluice.ComponentInput{{Key: "a", InputType: "string"}}},
				}},
				DataSources: []sluice.ComponentDataSource{{
					ComponentEntry: sluice.ComponentEntry{Key: "form"}, DataSourceType: sluice.DataTypeJSONForm,
				}},
			}},
			ConfigPages: []sluice.ConfigPage{{Name: "Page", Elements: []sluice.ConfigElement{
				sluice.StringVar{Key: "Endpoint", StableKey: "endpoint"},
				sluice.NumberVar{Key: "Num", StableKey: "num"},
				sluice.JSONFormVar[map[string]any]{Key: "Obj", StableKey: "obj", DataSource: sluice.DataSourceReference{Component: "acme", Key: "form"}},
				sluice.ValueListVar[string]{Element: sluice.StringVar{Key: "List", StableKey: "list"}},
				sluice.ConnectionVar{Key: "Conn", StableKey: "conn", Connection: sluice.ConnectionReference{Component: "acme", Key: key}},
			}}},
		}
		flow := flow1(nil, returning(func(_ context.Context, run *sluice.Run) any {
			read := map[string]any{}
			for _, key := range slices.Sorted(maps.Keys(values)) {
				read[key], _ = run.ConfigVar(key)
			}
			return read
		}))
		return resultOf(sluicetest.InvokeFlow(t, flow, sluicetest.InvokeOptions{Integration: integration, ConfigVars: values}))
	},
	"onTrigger result payload becomes onTrigger.results": func(t *testing.T, input map[string]any) (seen any, err error) {
		trigger := func(_ context.Context, _ *sluice.Run, payload *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
			var n int
			if err := payload.Body.Decode(&n); err != nil {
				return nil, err
			}
			payload.Body = sluice.NewBody(n + 1)
			return &sluice.TriggerResult{Payload: payload}, nil
		}
		_, err = invoked(t, input, flow1(trigger, seeing(&seen, func(ctx context.Context, run *sluice.Run) any {
			return map[string]any{"body": map[string]any{"data": bodyData(ctx, run)}}
		})))
		return seen, err
	},
	"response and state returned by onTrigger are ignored": func(t *testing.T, input map[string]any) (any, error) {
		trigger := func(context.Context, *sluice.Run, *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
			return &sluice.TriggerResult{Response: &sluice.HTTPResponse{StatusCode: 202}}, nil
		}
		return invoked(t, input, flow1(trigger, returning(func(ctx context.Context, run *sluice.Run) any { return stateOf(ctx, run.InstanceState()) })))
	},
	"instanceState mutated by onTrigger is seen by onExecution (one shared context)": func(t *testing.T, input map[string]any) (any, error) {
		trigger := func(ctx context.Context, run *sluice.Run, _ *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
			return nil, run.InstanceState().Set(ctx, "n", 1)
		}
		return invoked(t, input, flow1(trigger, returning(func(ctx context.Context, run *sluice.Run) any { return stateOf(ctx, run.InstanceState()) })))
	},
	"component trigger reference is not invoked: results are the payload": func(t *testing.T, input map[string]any) (any, error) {
		integration, flow := componentFlow(returning(bodyData))
		return resultOf(sluicetest.InvokeFlow(t, flow, sluicetest.InvokeOptions{
			Payload: payloadOf(input["payload"]), Integration: integration,
			Runtime: runtime.Options{Components: sluicetest.CreateMockContextComponents(integration.ComponentRegistry, nil)},
		}))
	},
	"error in onTrigger propagates, onExecution isn't called": func(t *testing.T, input map[string]any) (any, error) {
		trigger := func(context.Context, *sluice.Run, *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
			return nil, errors.New("trigger boom")
		}
		return invoked(t, input, flow1(trigger, returning(func(context.Context, *sluice.Run) any {
			t.Error("the execution was called")
			return nil
		})))
	},
	"error in onExecution propagates": func(t *testing.T, input map[string]any) (any, error) {
		_, err := invoked(t, input, flow1(nil, func(context.Context, *sluice.Run) (*sluice.Result, error) { return nil, errors.New("exec boom") }))
		require.EqualError(t, err, "exec boom")
		return nil, err
	},
	"result is returned untouched": func(t *testing.T, _ map[string]any) (any, error) {
		x, err := sluicetest.InvokeFlow(t, flow1(nil, func(context.Context, *sluice.Run) (*sluice.Result, error) {
			return &sluice.Result{
				Data: map[string]any{"a": 1}, StatusCode: 201, Headers: map[string]string{"Location": "/x"}, ContentType: "text/plain",
			}, nil
		}), sluicetest.InvokeOptions{})
		return x.Result, err
	},
	"createMockContextComponents: examplePayload or {data:null}, overridable": func(t *testing.T, input map[string]any) (any, error) {
		manifest := sluice.ComponentManifest{Key: "slack"}
		for name, action := range object(object(object(input["registry"])["slack"])["actions"]) {
			manifest.Actions = append(manifest.Actions, sluice.ComponentAction{
				ComponentEntry: sluice.ComponentEntry{Key: name}, ExamplePayload: object(action)["examplePayload"],
			})
		}
		registry := []sluice.ComponentManifest{manifest}
		mine := func(context.Context, *sluice.Run, sluice.Inputs) (any, error) {
			return map[string]any{"data": "mine"}, nil
		}
		called := map[string]any{}
		for name, call := range map[string]struct {
			action string
			mocks  sluicetest.MockActions
		}{
			"post": {"post", nil}, "list": {"list", nil},
			"overridden": {"post", sluicetest.MockActions{"slack": {"post": mine}}},
		} {
			flow := flow1(nil, func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
				data, err := run.CallAction(ctx, "slack", call.action, nil)
				return &sluice.Result{Data: data}, err
			})
			x, err := sluicetest.InvokeFlow(t, flow, sluicetest.InvokeOptions{
				Integration: &sluice.Integration{Name: "Integration 1", ComponentRegistry: registry},
				Runtime:     runtime.Options{Components: sluicetest.CreateMockContextComponents(registry, call.mocks)},
			})
			if err != nil {
				return nil, err
			}
			called[name] = x.Result.Data
		}
		return called, nil
	},
}
