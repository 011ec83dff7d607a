package sluicetest_test

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	sluicetest "github.com/sluice-go/sluice/testing"
)

func TestDefaultTriggerPayload(t *testing.T) {
	t.Parallel()
	payload := sluicetest.DefaultTriggerPayload()
	require.Equal(t, map[string]any{"foo": "bar"}, payload.Body.Data(), "parsed, as in production")
	require.Equal(t, `{"foo":"bar"}`, string(payload.RawBody.Data))
	require.Equal(t, "application/json", payload.Headers.Get("Content-Type"))
}

func TestInvokeFlowRunsTheRuntime(t *testing.T) {
	t.Parallel()
	attempts := 0
	flow := flow1(nil, func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		_, err := sluice.Step(ctx, "count", func(context.Context) (int, error) { return 1, nil })
		if attempts++; attempts < 3 {
			return nil, errors.New("not yet")
		}
		run.Logger.InfoContext(ctx, "done")
		return &sluice.Result{Data: run.Payload.PathFragment + " " + run.Payload.QueryParameters.Get("q") + " " + run.Customer.Name}, err
	})
	flow.RetryConfig = &sluice.RetryConfig{MaxAttempts: 5, DelayMinutes: 10}
	x, err := sluicetest.InvokeFlow(t, flow, sluicetest.InvokeOptions{
		Payload:  sluice.TriggerPayload{PathFragment: "a/b", QueryParameters: sluice.QueryParameters{"q": {"1"}}},
		Customer: runtime.Customer{ExternalID: "acme", Name: "Acme"},
	})
	require.NoError(t, err)
	require.JSONEq(t, `"a/b 1 Acme"`, string(x.Result.Data))
	require.Len(t, x.Attempts, 3)
	require.Len(t, x.Steps, 1)
	require.Equal(t, "done", x.Attempts[2].Logs[0].Message)
	require.GreaterOrEqual(t, x.Attempts[2].StartedAt.Sub(x.AcceptedAt), 20*time.Minute)
}

func TestInvokeFlowFails(t *testing.T) {
	t.Parallel()
	x, err := sluicetest.InvokeFlow(t, flow1(nil, func(context.Context, *sluice.Run) (*sluice.Result, error) {
		return nil, errors.New("no luck")
	}), sluicetest.InvokeOptions{})
	require.EqualError(t, err, "no luck")
	require.Equal(t, store.StatusFailed, x.Status)

	secured := flow1(nil, nil)
	secured.EndpointSecurityType, secured.OrganizationAPIKeys = sluice.EndpointSecurityOrganization, []string{"a-key-that-is-long-enough"}
	_, err = sluicetest.InvokeFlow(t, secured, sluicetest.InvokeOptions{})
	require.NoError(t, err)
	_, err = sluicetest.InvokeFlow(t, secured, sluicetest.InvokeOptions{Payload: sluice.TriggerPayload{Headers: sluice.Headers{"api-key": {"wrong"}}}})
	require.ErrorContains(t, err, "nothing was executed: POST")
	require.ErrorContains(t, err, "401")

	_, err = sluicetest.InvokeTrigger(t, func(context.Context, *sluice.Run, *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
		return nil, fs.ErrPermission
	}, sluicetest.InvokeOptions{})
	require.ErrorIs(t, err, fs.ErrPermission)
	_, err = sluicetest.InvokeTrigger(t, nil, sluicetest.InvokeOptions{
		Payload: sluice.TriggerPayload{RawBody: sluice.RawBody{Data: []byte(`{`), ContentType: "application/json"}},
	})
	require.ErrorContains(t, err, "malformed JSON", "the trigger is not reached")
}

func TestInvokeFlowOf(t *testing.T) {
	t.Parallel()
	type in struct{ A, B int }
	sum := sluice.Define(sluice.Flow{Name: "Sum", StableKey: "sum"}, func(_ context.Context, _ *sluice.Run, v in) (int, error) { return v.A + v.B, nil })
	total, err := sluicetest.InvokeFlowOf(t, sum, in{1, 2}, sluicetest.InvokeOptions{})
	require.NoError(t, err)
	require.Equal(t, 3, total)

	reply := sluice.Define(sluice.Flow{Name: "Reply", StableKey: "reply"}, func(_ context.Context, _ *sluice.Run, v in) (sluice.Reply[in], error) {
		return sluice.Reply[in]{Data: v, StatusCode: 201, Headers: map[string]string{"X-A": "1"}}, nil
	})
	answer, err := sluicetest.InvokeFlowOf(t, reply, in{1, 2}, sluicetest.InvokeOptions{})
	require.NoError(t, err)
	require.Equal(t, sluice.Reply[in]{Data: in{1, 2}, StatusCode: 201, Headers: map[string]string{"X-A": "1"}, ContentType: "application/json"}, answer)
}

func TestComponentHarness(t *testing.T) {
	t.Parallel()
	var called []string
	hook := func(name string) sluice.ComponentLifecycleFunc {
		return func(_ context.Context, run *sluice.Run, inputs sluice.Inputs) (*sluice.LifecycleResult, error) {
			called = append(called, name+" of "+run.Instance.Name)
			if inputs["fail"] == name {
				return nil, errors.New(name + " failed")
			}
			return nil, nil
		}
	}
	c := sluicetest.CreateHarness(sluice.Component{
		Key: "acme",
		Triggers: map[string]sluice.TriggerDefinition{
			"rows": {
				Perform: func(_ context.Context, _ *sluice.Run, payload *sluice.TriggerPayload, inputs sluice.Inputs) (*sluice.TriggerResult, error) {
					payload.Body = sluice.NewBody(inputs["a"])
					return &sluice.TriggerResult{Payload: payload}, nil
				},
				OnInstanceDeploy: hook("deploy"), OnInstanceDelete: hook("delete"),
				WebhookLifecycleHandlers: &sluice.ComponentWebhookLifecycleHandlers{Create: hook("create"), Delete: hook("remove")},
			},
			"bare": {Perform: func(context.Context, *sluice.Run, *sluice.TriggerPayload, sluice.Inputs) (*sluice.TriggerResult, error) {
				return nil, nil
			}},
		},
		Actions: map[string]sluice.ActionFunc{"add": func(_ context.Context, run *sluice.Run, inputs sluice.Inputs) (any, error) {
			return []any{inputs["a"], run.Customer.Name}, nil
		}},
	})
	result, err := c.Trigger(t, "rows", sluice.Inputs{"a": "b"}, sluicetest.InvokeOptions{})
	require.NoError(t, err)
	require.Equal(t, "b", result.Payload.Body.Data())
	added, err := c.Action(t, "add", sluice.Inputs{"a": 7}, sluicetest.InvokeOptions{})
	require.NoError(t, err)
	require.Equal(t, []any{7, "Customer 1"}, added)

	for name, run := range map[string]func(*testing.T, string, sluice.Inputs, sluicetest.InvokeOptions) error{
		"deploy": c.TriggerOnInstanceDeploy, "delete": c.TriggerOnInstanceDelete,
		"create": c.TriggerWebhookCreate, "remove": c.TriggerWebhookDelete,
	} {
		called = nil
		require.NoError(t, run(t, "rows", nil, sluicetest.InvokeOptions{}))
		require.Equal(t, []string{name + " of Instance 1"}, called)
		require.EqualError(t, run(t, "rows", sluice.Inputs{"fail": name}, sluicetest.InvokeOptions{}), name+" failed")
		require.ErrorContains(t, run(t, "bare", nil, sluicetest.InvokeOptions{}), "Trigger does not support ")
	}
}

func TestConnectionValue(t *testing.T) {
	_, err := sluicetest.ConnectionValue("SLUICE_TEST_NO_SUCH_CONNECTION")
	require.EqualError(t, err, "Unable to find connection value: set the environment variable SLUICE_TEST_NO_SUCH_CONNECTION")
	t.Setenv(sluicetest.DefaultConnectionValueEnvironmentVariable, `{"key": "k", "fields": {"a": "1"}, "token": {"access_token": "t"}}`)
	connection, err := sluicetest.ConnectionValue("")
	require.NoError(t, err)
	require.Equal(t, sluicetest.CreateConnection("", map[string]any{"a": "1"}, map[string]any{"access_token": "t"}), connection)
	t.Setenv("SLUICE_TEST_CONNECTION", `{`)
	_, err = sluicetest.ConnectionValue("SLUICE_TEST_CONNECTION")
	require.ErrorContains(t, err, "the environment variable SLUICE_TEST_CONNECTION holds no connection as JSON")
}

func TestLoggerMock(t *testing.T) {
	t.Parallel()
	mock := sluicetest.LoggerMock(t)
	_, err := sluicetest.InvokeFlow(t, flow1(nil, func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		run.Logger.DebugContext(ctx, "looking", "row", 7)
		return nil, nil
	}), sluicetest.InvokeOptions{Runtime: runtime.Options{Logger: mock.Logger}})
	require.NoError(t, err)
	var found []runtime.LogLine
	for _, line := range mock.Lines() {
		if line.Message == "looking" {
			found = append(found, line)
		}
	}
	require.Len(t, found, 1)
	require.Equal(t, slog.LevelDebug.String(), found[0].Level)
	require.InDelta(t, 7, found[0].Attributes["row"], 0)
}
