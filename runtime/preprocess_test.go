package runtime_test

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// multiTenantRouter is seed 002's example of a preprocess flow.
func multiTenantRouter(change ...func(router *sluice.Flow)) *sluice.Integration {
	router := sluice.Flow{
		Name: "Route Request", StableKey: "route-request",
		PreprocessFlowConfig: &sluice.PreprocessFlowConfig{FlowNameField: "flowName", ExternalCustomerIDField: "customerId"},
		OnExecution: func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
			var body struct{ TenantID, Type string }
			if err := run.Payload.Body.Decode(&body); err != nil {
				return nil, err
			}
			run.Logger.InfoContext(ctx, "routing", "id", run.ExecutionID)
			return &sluice.Result{Data: map[string]string{"flowName": body.Type, "customerId": body.TenantID}}, nil
		},
	}
	for _, f := range change {
		f(&router)
	}
	return &sluice.Integration{
		Name: "Multi-tenant Router", EndpointType: sluice.EndpointSharedInstance,
		Flows: append([]sluice.Flow{router}, echoFlows("contact.created", "contact.deleted")...),
	}
}

const contact = `{"tenantId":"a","type":"contact.created","id":7}`

// routes makes the router hand back data.
func routes(data any) func(*sluice.Flow) {
	return func(f *sluice.Flow) {
		f.OnExecution = func(context.Context, *sluice.Run) (*sluice.Result, error) { return &sluice.Result{Data: data}, nil }
	}
}

func TestSeed002_PreprocessFlowNamesFlowAndCustomer(t *testing.T) {
	t.Parallel()
	integration := multiTenantRouter()
	integration.Flows[1].OnTrigger = func(ctx context.Context, run *sluice.Run, payload *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
		run.Logger.InfoContext(ctx, "triggered", "by", payload.Headers.Get("x-by"))
		return nil, nil
	}
	sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		instance := deployFor(h, "a", "b")[0]
		require.Len(t, instance.WebhookURLs, 3)
		id := executionID(t, h.Post("contact.created", contact, "X-By", "me"))
		h.Drain()
		require.Len(t, h.Executions(), 1, "preprocess and target are one execution")
		x := h.Execution(id)
		require.Equal(t, store.StatusSucceeded, x.Status)
		require.Equal(t, "contact-created", x.Flow)
		require.Equal(t, instance.ID, x.Instance)
		require.JSONEq(t, `{"flow":"contact.created","customer":"a","user":"","body":`+contact+`}`, string(x.Result.Data))
		require.Len(t, x.Steps, 1)
		require.Equal(t, "Route Request", x.Steps[0].Name)
		require.Equal(t, 0, x.Steps[0].Attempt)
		require.JSONEq(t, `{"flowName":"contact.created","customerId":"a"}`, string(x.Steps[0].Result))
		require.False(t, x.Steps[0].EndedAt.IsZero())
		require.Equal(t, []string{"routing", "triggered"}, []string{x.Logs[0].Message, x.Logs[1].Message})
		require.Equal(t, id, x.Logs[0].Attributes["id"], "both have one id")
		require.Equal(t, "me", x.Logs[1].Attributes["by"])
		require.Empty(t, x.Attempts[0].Logs)
	})
}

func TestPreprocessModes(t *testing.T) {
	t.Parallel()
	integration := multiTenantRouter(synchronous) // What it is itself does not count.
	integration.Flows[2].IsSynchronous = true
	sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		deployFor(h, "a")
		executionID(t, h.Post("contact.created", contact))
		require.Contains(t, h.Post("contact.created", contact, "prismatic-synchronous", "true").Text, `"flow":"contact.created"`)
		const deleted = `{"tenantId":"a","type":"contact.deleted"}`
		require.Contains(t, h.Post("contact.deleted", deleted).Text, `"flow":"contact.deleted"`)
		executionID(t, h.Post("contact.deleted", deleted, "prismatic-synchronous", "false"))
		h.Drain()
		for _, x := range h.Executions() {
			require.Equal(t, store.StatusSucceeded, x.Status)
			require.Len(t, x.Steps, 1, "the record of a synchronous execution has the route as well")
			require.Len(t, x.Logs, 1)
		}
	})
}

func TestPreprocessTimeCountsForTheCaller(t *testing.T) {
	t.Parallel()
	var routing time.Duration
	integration := multiTenantRouter(func(f *sluice.Flow) {
		route := f.OnExecution
		f.OnExecution = func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
			select {
			case <-time.After(routing):
				return route(ctx, run)
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
	})
	integration.Flows[1].OnExecution = func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		time.Sleep(25 * time.Second) // Virtual.
		return echoRoute(ctx, run)
	}
	sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		deployFor(h, "a")
		routing = 10 * time.Second
		began := time.Now()
		response := h.Post("contact.created", contact, "prismatic-synchronous", "true")
		require.Equal(t, 29*time.Second, time.Since(began))
		require.Equal(t, http.StatusGatewayTimeout, response.StatusCode)
		id := executionID(t, response)
		h.Drain()
		require.Equal(t, store.StatusSucceeded, h.Execution(id).Status, "it goes on")

		routing = time.Minute
		began = time.Now()
		response = h.Post("contact.created", contact)
		require.Equal(t, 29*time.Second, time.Since(began))
		require.Equal(t, http.StatusGatewayTimeout, response.StatusCode)
		require.JSONEq(t, `{"error":"Taking the request in took too long. Nothing was accepted."}`, response.Text)
		x := h.Execution(response.Header.Get("prismatic-executionid"))
		require.Equal(t, store.StatusFailed, x.Status)
		require.Equal(t, "route-request", x.Flow)
	})
}

func TestPreprocessFailures(t *testing.T) {
	t.Parallel()
	fails := func(err error) func(*sluice.Flow) {
		return func(f *sluice.Flow) {
			f.OnExecution = func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
				run.Logger.InfoContext(ctx, "failing")
				return nil, err
			}
		}
	}
	type object = map[string]any
	tests := map[string]struct {
		router  func(*sluice.Flow)
		status  int
		message string
	}{
		"error":            {fails(errors.New("no key")), 400, "no key"},
		"no result":        {routes(nil), 404, "no flow is named: flowName is missing"},
		"text":             {routes("contact.created"), 404, "no flow is named: flowName is missing"},
		"no customer":      {routes(object{"flowName": "contact.created"}), 404, "no customer is named: customerId is missing"},
		"unknown flow":     {routes(object{"flowName": "contact.moved", "customerId": "a"}), 404, `no flow is named "contact.moved"`},
		"stable key":       {routes(object{"flowName": "contact-created", "customerId": "a"}), 404, `no flow is named "contact-created"`},
		"unknown customer": {routes(object{"flowName": "contact.created", "customerId": "z"}), 404, `external id "z"`},
		"customer object":  {routes(object{"flowName": "contact.created", "customerId": object{}}), 400, "leads to an object"},
		"not encodable":    {routes(func() {}), 400, "unsupported type"},
		"empty list":       {routes([]object{}), 404, "its list is empty"},
		"list of nothing":  {routes([]any{nil}), 404, "flowName is missing"},
		"too many":         {routes(make([]object, 101)), 400, "names 101 routes: at most 100"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sluicetest.Run(t, multiTenantRouter(test.router), func(t *testing.T, h *sluicetest.Harness) {
				deployFor(h, "a")
				x := requireRefused(t, h, test.status, test.message, h.Post("contact.created", contact))
				require.Equal(t, "route-request", x.Flow)
				require.Empty(t, x.Instance)
				require.Len(t, h.Executions(), 1)
			})
		})
	}
}

func TestPreprocessPanic(t *testing.T) {
	t.Parallel()
	integration := multiTenantRouter(func(f *sluice.Flow) {
		f.OnExecution = func(context.Context, *sluice.Run) (*sluice.Result, error) { panic("boom") }
	})
	sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		deployFor(h, "a")
		response := h.Post("contact.created", contact)
		require.Equal(t, http.StatusInternalServerError, response.StatusCode)
		require.Equal(t, "panic: boom", h.Execution(response.Header.Get("prismatic-executionid")).Error)
	})
}

func TestThreat23_PreprocessLoop(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Route Request", "route-request"} {
		integration := multiTenantRouter(routes(map[string]string{"flowName": name, "customerId": "a"}))
		sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
			deployFor(h, "a")
			requireRefused(t, h, 404, name, h.Post("contact.created", contact))
		})
	}
}

func TestPreprocessIsNotAccepted(t *testing.T) {
	t.Parallel()
	integration := multiTenantRouter(func(f *sluice.Flow) {
		f.OnExecution = func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
			_, err := sluice.Step(ctx, "step", func(context.Context) (int, error) { return 1, nil })
			return nil, err
		}
	})
	sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		deployFor(h, "a")
		requireRefused(t, h, 400, sluice.ErrNotAccepted.Error(), h.Post("contact.created", contact))
	})
}

func TestPreprocessReadsConfiguration(t *testing.T) {
	t.Parallel()
	target := sluice.StringVar{Key: "Target", StableKey: "target"}
	reads := func(f *sluice.Flow) {
		f.OnExecution = func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
			name := target.Get(run)
			if name == "" {
				require.Error(t, ctx.Err(), "the flow goes on without its configuration")
				name = "contact.created"
			}
			return &sluice.Result{Data: map[string]string{"flowName": name, "customerId": "a"}}, nil
		}
	}
	for _, kind := range []sluice.EndpointType{sluice.EndpointInstanceSpecific, sluice.EndpointSharedInstance} {
		integration := multiTenantRouter(reads)
		integration.EndpointType = kind
		integration.ConfigPages = []sluice.ConfigPage{{Name: "Page", Elements: []sluice.ConfigElement{target}}}
		sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
			h.Deploy(runtime.Deployment{
				Customer: runtime.Customer{ExternalID: "a"}, Config: map[string]any{"Target": "contact.deleted"},
			})
			response := h.Post("contact.created", contact, "prismatic-synchronous", "true")
			if kind == sluice.EndpointInstanceSpecific {
				require.Contains(t, response.Text, `"flow":"contact.deleted"`)
				return
			}
			requireRefused(t, h, 400, `config variable "Target"`, response)
		})
	}
}

func TestRoutedFlowGetsTheOriginalPayload(t *testing.T) {
	t.Parallel()
	spoil := func(payload *sluice.TriggerPayload) {
		payload.Headers["x-new"] = []string{"spoilt"}
		delete(payload.Headers, "x-old")
		payload.QueryParameters["q"] = []string{"spoilt"}
		payload.Body = sluice.NewBody("spoilt")
		payload.RawBody.Data = nil
	}
	integration := multiTenantRouter(func(f *sluice.Flow) {
		f.OnTrigger = func(_ context.Context, _ *sluice.Run, payload *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
			require.Equal(t, "Bearer t", payload.Headers.Get("Authorization"), "a trigger checks signatures")
			return nil, nil
		}
		route := f.OnExecution
		f.OnExecution = func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
			require.Empty(t, run.Payload.Headers.Get("Authorization"))
			result, err := route(ctx, run)
			spoil(run.Payload)
			return result, err
		}
	})
	integration.Flows[1].OnTrigger = func(_ context.Context, run *sluice.Run, payload *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
		require.Equal(t, "Bearer t", payload.Headers.Get("Authorization"))
		require.Equal(t, "contact.created", run.Flow.Name)
		require.Equal(t, run.Flow, payload.Flow)
		require.Equal(t, "a", payload.Customer.ExternalID)
		require.NotEmpty(t, payload.Instance.ID)
		return nil, nil
	}
	integration.Flows[1].OnExecution = func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		require.Equal(t, "kept", run.Payload.Headers.Get("x-old"))
		require.Empty(t, run.Payload.Headers.Get("x-new"))
		require.Equal(t, "1", run.Payload.QueryParameters.Get("q"))
		require.Equal(t, contact, string(run.Payload.RawBody.Data))
		return echoRoute(ctx, run)
	}
	sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		deployFor(h, "a")
		response := call(t, h, h.URL("contact.created")+"?q=1", contact,
			"prismatic-synchronous", "true", "X-Old", "kept", "Authorization", "Bearer t")
		require.Equal(t, 200, response.StatusCode, response.Text)
		x := h.Execution(response.Header.Get("prismatic-executionid"))
		require.Empty(t, x.Payload.Headers.Get("Authorization"))
	})
}

func TestPreprocessTriggerAnswers(t *testing.T) {
	t.Parallel()
	answer := &sluice.HTTPResponse{StatusCode: 202, ContentType: "text/plain", Body: "challenge"}
	stop := false
	var ran atomic.Int32
	integration := multiTenantRouter(func(f *sluice.Flow) {
		f.OnTrigger = func(context.Context, *sluice.Run, *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
			return &sluice.TriggerResult{Response: answer, Stop: stop}, nil
		}
	})
	integration.Flows[1].OnExecution = func(context.Context, *sluice.Run) (*sluice.Result, error) {
		ran.Add(1)
		return nil, nil
	}
	integration.Flows[2].Trigger = sluice.WebhookTrigger{StatusCode: 201, Body: "{}"}
	sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		deployFor(h, "a")
		response := h.Post("contact.created", contact)
		require.Equal(t, []any{202, "challenge"}, []any{response.StatusCode, response.Text})
		h.Drain()
		require.EqualValues(t, 1, ran.Load(), "the routed flow runs")
		response = h.Post("contact.deleted", `{"tenantId":"a","type":"contact.deleted"}`)
		require.Equal(t, []any{201, "{}"}, []any{response.StatusCode, response.Text}, "the routed flow's own answer goes first")
		h.Drain()
		stop = true
		before := len(h.Executions())
		response = h.Post("contact.created", contact)
		require.Equal(t, []any{202, "challenge"}, []any{response.StatusCode, response.Text})
		h.Drain()
		require.Len(t, h.Executions(), before, "nothing is routed, nothing recorded")
	})
}

// TestWhatRanBeforeIsKeptInTheQueue: an execution that waits in the store for a slot has
// its route and the logs from before all the same.
func TestWhatRanBeforeIsKeptInTheQueue(t *testing.T) {
	t.Parallel()
	integration := multiTenantRouter()
	integration.Flows[1].OnExecution = func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		run.Logger.InfoContext(ctx, "executing")
		time.Sleep(time.Minute)
		return echoRoute(ctx, run)
	}
	options := runtime.Options{Integrations: []*sluice.Integration{integration}, Concurrency: 1}
	sluicetest.RunOptions(t, sluicetest.Options{Runtime: options}, func(t *testing.T, h *sluicetest.Harness) {
		deployFor(h, "a")
		for range 3 {
			executionID(t, h.Post("contact.created", contact))
		}
		for range 2 {
			for _, x := range h.Executions() {
				require.Len(t, x.Steps, 1)
				require.Len(t, x.Logs, 1)
				require.Equal(t, "routing", x.Logs[0].Message)
			}
			h.Drain()
		}
		for _, x := range h.Executions() {
			require.Equal(t, "executing", x.Attempts[0].Logs[0].Message)
		}
	})
}

// TestPreprocessRejects: a rejection is an answer, not a failure, and leaves no record.
func TestPreprocessRejects(t *testing.T) {
	t.Parallel()
	rejects := func(f *sluice.Flow) {
		f.OnExecution = func(context.Context, *sluice.Run) (*sluice.Result, error) { return nil, sluice.Reject(403, "not you") }
	}
	sluicetest.Run(t, multiTenantRouter(rejects), func(t *testing.T, h *sluicetest.Harness) {
		deployFor(h, "a")
		response := h.Post("contact.created", contact)
		require.Equal(t, http.StatusForbidden, response.StatusCode)
		require.Equal(t, `{"error":"not you"}`, response.Text)
		require.Empty(t, h.Executions())
	})
}
