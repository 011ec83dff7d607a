package sluicetest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	sluicetest "github.com/sluice-go/sluice/testing"
)

var site = sluice.StringVar{Key: "Site", StableKey: "site"}

// greet greets whom the request names.
var greet = sluice.Flow{
	Name: "Greet", StableKey: "greet",
	OnExecution: func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
		var who struct{ Name string }
		err := run.Payload.Body.Decode(&who)
		return &sluice.Result{Data: "Hello " + who.Name + " of " + site.Get(run)}, err
	},
}

var greetings = &sluice.Integration{
	Name: "Greetings", Flows: []sluice.Flow{greet},
	ConfigPages: []sluice.ConfigPage{{Name: "Site", Elements: []sluice.ConfigElement{site}}},
}

func ExampleInvokeFlow() {
	asTest(func(t *testing.T) {
		x, err := sluicetest.InvokeFlow(t, greet, sluicetest.InvokeOptions{
			Integration: greetings,
			ConfigVars:  map[string]any{"Site": "acme.example"},
			Payload:     sluice.TriggerPayload{Body: sluice.NewBody(map[string]string{"name": "Ada"})},
		})
		require.NoError(t, err)
		require.JSONEq(t, `"Hello Ada of acme.example"`, string(x.Result.Data))
	})
	// Output: true
}

func ExampleHarness_InvokeFlow() {
	asTest(func(t *testing.T) {
		sluicetest.Run(t, greetings, func(t *testing.T, h *sluicetest.Harness) {
			h.Deploy(runtime.Deployment{Config: map[string]any{"Site": "acme.example"}})
			_, err := h.InvokeFlow("Greet", sluice.TriggerPayload{Body: sluice.NewBody(7)})
			require.ErrorContains(t, err, "cannot unmarshal number")
		})
	})
	// Output: true
}

func ExampleInvokeFlowOf() {
	type numbers struct{ A, B int }
	sum := sluice.Define(
		sluice.Flow{Name: "Sum", StableKey: "sum"},
		func(_ context.Context, _ *sluice.Run, in numbers) (int, error) { return in.A + in.B, nil })

	asTest(func(t *testing.T) {
		total, err := sluicetest.InvokeFlowOf(t, sum, numbers{1, 2}, sluicetest.InvokeOptions{})
		require.NoError(t, err)
		require.Equal(t, 3, total)
	})
	// Output: true
}

func ExampleInvokeTrigger() {
	closed := errors.New("closed")
	trigger := func(_ context.Context, _ *sluice.Run, payload *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
		if payload.Headers.Get("X-Shop") == "" {
			return nil, closed
		}
		return nil, nil
	}

	asTest(func(t *testing.T) {
		_, err := sluicetest.InvokeTrigger(t, trigger, sluicetest.InvokeOptions{})
		require.ErrorIs(t, err, closed)
	})
	// Output: true
}

func ExampleCreateHarness() {
	acme := sluice.Component{Key: "acme", Actions: map[string]sluice.ActionFunc{
		"greet": func(_ context.Context, _ *sluice.Run, inputs sluice.Inputs) (any, error) {
			return fmt.Sprintf("Hello %s", inputs["name"]), nil
		},
	}}

	asTest(func(t *testing.T) {
		greeting, err := sluicetest.CreateHarness(acme).Action(t, "greet", sluice.Inputs{"name": "Ada"}, sluicetest.InvokeOptions{})
		require.NoError(t, err)
		require.Equal(t, "Hello Ada", greeting)
	})
	// Output: true
}

func ExampleCreateMockContextComponents() {
	registry := []sluice.ComponentManifest{{Key: "chat", Actions: []sluice.ComponentAction{{
		ComponentEntry: sluice.ComponentEntry{Key: "post"}, ExamplePayload: map[string]any{"ok": true},
	}}}}
	post := sluice.Flow{
		Name: "Post", StableKey: "post",
		OnExecution: func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
			posted, err := run.CallAction(ctx, "chat", "post", nil)
			return &sluice.Result{Data: posted}, err
		},
	}

	asTest(func(t *testing.T) {
		x, err := sluicetest.InvokeFlow(t, post, sluicetest.InvokeOptions{
			Integration: &sluice.Integration{Name: "Poster", ComponentRegistry: registry},
			Runtime:     runtime.Options{Components: sluicetest.CreateMockContextComponents(registry, nil)},
		})
		require.NoError(t, err)
		require.JSONEq(t, `{"ok": true}`, string(x.Result.Data))
	})
	// Output: true
}

func ExampleLoggerMock() {
	noisy := sluice.Flow{
		Name: "Noisy", StableKey: "noisy",
		OnExecution: func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
			run.Logger.WarnContext(ctx, "nearly full", "percent", 97)
			return nil, nil
		},
	}

	asTest(func(t *testing.T) {
		mock := sluicetest.LoggerMock(t)
		_, err := sluicetest.InvokeFlow(t, noisy, sluicetest.InvokeOptions{Runtime: runtime.Options{Logger: mock.Logger}})
		require.NoError(t, err)
		require.Equal(t, "nearly full", mock.Lines()[0].Message)
	})
	// Output: true
}

func ExampleDefaultTriggerPayload() {
	fmt.Println(string(sluicetest.DefaultTriggerPayload().RawBody.Data))
	// Output: {"foo":"bar"}
}

func ExampleCreateConnection() {
	connection := sluicetest.CreateConnection("acme", map[string]any{"site": "acme.example"}, map[string]any{"access_token": "secret"})
	fmt.Println(connection.Field("site"), connection.AccessToken())
	// Output: acme.example secret
}

func ExampleConnectionValue() {
	_, err := sluicetest.ConnectionValue("ACME_CONNECTION")
	fmt.Println(err)
	// Output: Unable to find connection value: set the environment variable ACME_CONNECTION
}
