package runtime_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// echoRoute hands back what it runs for and the body that it got.
func echoRoute(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
	return &sluice.Result{Data: map[string]any{
		"flow": run.Flow.Name, "customer": run.Customer.ExternalID, "user": run.User.ExternalID, "body": run.Payload.Body.Data(),
	}}, nil
}

// echoFlows are flows of the names that do what echoRoute does.
func echoFlows(names ...string) []sluice.Flow {
	flows := make([]sluice.Flow, len(names))
	for i, name := range names {
		flows[i] = sluice.Flow{Name: name, StableKey: strings.ReplaceAll(name, ".", "-"), OnExecution: echoRoute}
	}
	return flows
}

// sharedReceiver is seed 002's example of customer routing on a shared endpoint.
func sharedReceiver() *sluice.Integration {
	return &sluice.Integration{
		Name:         "Shared Webhook Receiver",
		EndpointType: sluice.EndpointSharedInstance,
		TriggerPreprocessFlowConfig: &sluice.PreprocessFlowConfig{
			FlowNameField: "body.data.eventType", ExternalCustomerIDField: "body.data.orgId",
		},
		Flows: echoFlows("invoice.paid", "invoice.overdue"),
	}
}

func deployFor(h *sluicetest.Harness, customers ...string) (instances []*runtime.Instance) {
	for _, customer := range customers {
		instances = append(instances, h.Deploy(runtime.Deployment{Customer: runtime.Customer{ExternalID: customer}}))
	}
	return instances
}

// call posts a JSON body to a URL. Headers are pairs of name and value.
func call(t *testing.T, h *sluicetest.Harness, url, body string, headers ...string) *sluicetest.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	return h.Deliver(request)
}

// requireRefused asserts that the answer is an error, recorded as a failed execution that
// never ran.
func requireRefused(t *testing.T, h *sluicetest.Harness, status int, message string, response *sluicetest.Response) *sluicetest.Execution {
	t.Helper()
	require.Equal(t, status, response.StatusCode, response.Text)
	var answer struct{ Error string }
	require.NoError(t, json.Unmarshal([]byte(response.Text), &answer))
	require.Contains(t, answer.Error, message)
	x := h.Execution(response.Header.Get("prismatic-executionid"))
	require.Equal(t, store.StatusFailed, x.Status)
	require.Equal(t, answer.Error, x.Error)
	require.Nil(t, x.Result)
	return x
}

func TestSeed002_FieldOfThePayloadNamesTheFlow(t *testing.T) {
	t.Parallel()
	integration := &sluice.Integration{
		Name: "Event Router", EndpointType: sluice.EndpointInstanceSpecific,
		TriggerPreprocessFlowConfig: &sluice.PreprocessFlowConfig{FlowNameField: "body.data.event"},
		Flows:                       echoFlows("order.created", "order.updated"),
	}
	sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		instances := deployFor(h, "acme", "globex")
		urls := instances[0].WebhookURLs
		require.Len(t, urls, 2)
		require.Equal(t, urls["order.created"], urls["order.updated"])
		require.NotEqual(t, urls["order.created"], instances[1].WebhookURLs["order.created"])
		for _, event := range []string{"order.created", "order.updated"} {
			body := fmt.Sprintf(`{"event":%q,"id":12345678901234567890}`, event)
			id := executionID(t, call(t, h, urls[event], body))
			h.Drain()
			x := h.Execution(id)
			require.Equal(t, store.StatusSucceeded, x.Status)
			require.Equal(t, strings.ReplaceAll(event, ".", "-"), x.Flow)
			require.Equal(t, instances[0].ID, x.Instance)
			require.JSONEq(t, fmt.Sprintf(`{"flow":%q,"customer":"acme","user":"","body":%s}`, event, body), string(x.Result.Data))
			require.Equal(t, urls[event], x.Payload.InvokeURL)
			require.Empty(t, x.Steps)
		}
		require.Len(t, h.Executions(), 2)
		x := requireRefused(t, h, 404, `no flow is named "order-created"`, call(t, h, urls["order.created"], `{"event":"order-created"}`))
		require.Equal(t, instances[0].ID, x.Instance)
		require.Empty(t, x.Flow)
	})
}

func TestSeed002_CustomerOfASharedEndpoint(t *testing.T) {
	t.Parallel()
	sluicetest.Run(t, sharedReceiver(), func(t *testing.T, h *sluicetest.Harness) {
		instances := deployFor(h, "cust_123", "cust_124")
		require.Equal(t, instances[0].WebhookURLs, instances[1].WebhookURLs)
		response := h.Post("invoice.paid", `{"orgId":"cust_123","eventType":"invoice.paid","amount":1}`)
		h.Drain()
		x := h.Execution(executionID(t, response))
		require.Equal(t, store.StatusSucceeded, x.Status)
		require.Equal(t, instances[0].ID, x.Instance)
		require.Equal(t, "cust_123", x.Customer)
		require.Equal(t, "invoice-paid", x.Flow)
	})
}

func TestRouteModes(t *testing.T) {
	t.Parallel()
	integration := sharedReceiver()
	integration.Flows[1].IsSynchronous = true
	sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		deployFor(h, "a")
		url := h.URL("invoice.paid")
		const sync, async = `{"flow":"invoice.`, `{"executionId":"`
		for _, test := range []struct{ flow, header, want string }{
			{"invoice.paid", "", async},
			{"invoice.paid", "true", sync},
			{"invoice.paid", "false", async},
			{"invoice.overdue", "", sync},
			{"invoice.overdue", "false", async},
		} {
			response := call(t, h, url, `{"orgId":"a","eventType":"`+test.flow+`"}`, "prismatic-synchronous", test.header)
			require.Equal(t, 200, response.StatusCode)
			require.Contains(t, response.Text, strings.TrimPrefix(test.want, "{"), test)
		}
	})
}

func TestRouteByHeadersAndQuery(t *testing.T) {
	t.Parallel()
	for path, target := range map[string][]string{
		"headers.X-Event":       {"", "x-EVENT", "e"},
		"headers.x-event":       {"", "X-Event", "e"},
		"queryParameters.event": {"?event=e&event=f", "", ""},
		"pathFragment":          {"/e", "", ""},
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			integration := &sluice.Integration{
				Name: "Test", EndpointType: sluice.EndpointInstanceSpecific, Flows: echoFlows("e", "f"),
				TriggerPreprocessFlowConfig: &sluice.PreprocessFlowConfig{FlowNameField: path},
			}
			run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
				headers := []string{"prismatic-synchronous", "true"}
				if target[1] != "" {
					headers = append(headers, target[1], target[2])
				}
				response := call(t, h, h.URL("e")+target[0], `{}`, headers...)
				require.Contains(t, response.Text, `"flow":"e"`)
			})
		})
	}
}

func TestRouteToOneInstanceOfTheCustomer(t *testing.T) {
	t.Parallel()
	sluicetest.Run(t, sharedReceiver(), func(t *testing.T, h *sluicetest.Harness) {
		deployFor(h, "a", "b")
		send := func() *sluicetest.Response { return h.Post("invoice.paid", `{"orgId":"a","eventType":"invoice.paid"}`) }
		require.Equal(t, 200, send().StatusCode)
		h.Deploy(runtime.Deployment{Customer: runtime.Customer{ExternalID: "a"}, Name: "second"})
		x := requireRefused(t, h, 404, `customer "a" has 2 deployed instances`, send())
		require.Empty(t, x.Instance)
		require.Equal(t, "Shared Webhook Receiver", x.Integration)
	})
}

func TestRouteToAnUnfinishedDeployment(t *testing.T) {
	t.Parallel()
	integration, fails := sharedReceiver(), false
	integration.Flows[0].OnInstanceDeploy = func(context.Context, *sluice.Run) (*sluice.LifecycleResult, error) {
		if fails {
			return nil, errors.New("no")
		}
		return nil, nil
	}
	sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		whole := deployFor(h, "a")[0]
		fails = true
		for _, customer := range []string{"a", "b"} {
			_, err := h.Runtime.Deploy(t.Context(), runtime.Deployment{Customer: runtime.Customer{ExternalID: customer}, Name: "pending"})
			require.Error(t, err)
		}
		response := h.Post("invoice.paid", `{"orgId":"a","eventType":"invoice.paid"}`)
		require.Equal(t, whole.ID, h.Execution(executionID(t, response)).Instance)
		requireRefused(t, h, 404, `external id "b"`, h.Post("invoice.paid", `{"orgId":"b","eventType":"invoice.paid"}`))
	})
}

func TestRouteSeesDeploymentsAtOnce(t *testing.T) {
	t.Parallel()
	sluicetest.Run(t, sharedReceiver(), func(t *testing.T, h *sluicetest.Harness) {
		deployFor(h, "a")
		send := func() *sluicetest.Response { return h.Post("invoice.paid", `{"orgId":"b","eventType":"invoice.paid"}`) }
		requireRefused(t, h, 404, `external id "b"`, send())
		deployFor(h, "b")
		require.Equal(t, 200, send().StatusCode)
	})
}

func TestRefusedRoutesAreBounded(t *testing.T) {
	t.Parallel()
	sluicetest.Run(t, sharedReceiver(), func(t *testing.T, h *sluicetest.Harness) {
		deployFor(h, "a")
		for range 100 {
			require.Equal(t, 404, h.Post("invoice.paid", `{"orgId":"nobody","eventType":"invoice.paid"}`).StatusCode)
		}
		require.Less(t, len(h.Executions()), 30)
		require.Equal(t, 400, h.Post("invoice.paid", `{bad`).StatusCode)
	})
}

func TestMalformedBodyOnASharedEndpoint(t *testing.T) {
	t.Parallel()
	sluicetest.Run(t, sharedReceiver(), func(t *testing.T, h *sluicetest.Harness) {
		deployFor(h, "a")
		response := h.Post("invoice.paid", `{bad`)
		require.Equal(t, `{"error":"Received malformed JSON payload."}`, response.Text)
		x := h.Execution(response.Header.Get("prismatic-executionid"))
		require.Equal(t, store.StatusFailed, x.Status)
		require.Empty(t, x.Payload.RawBody.Data)
	})
}

func TestCustomerUser(t *testing.T) {
	t.Parallel()
	integration := sharedReceiver()
	integration.TriggerPreprocessFlowConfig.ExternalCustomerUserIDField = "body.data.user"
	integration.Flows[0].RetryConfig = &sluice.RetryConfig{MaxAttempts: 1, DelayMinutes: 1}
	integration.Flows[0].OnExecution = func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		require.Equal(t, sluice.UserAttributes{ID: "u-1", ExternalID: "u-1"}, run.User)
		require.Equal(t, run.User, run.Payload.User)
		if run.Attempt == 1 {
			return nil, errors.New("again, from the store")
		}
		return echoRoute(ctx, run)
	}
	sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		deployFor(h, "a")
		id := executionID(t, h.Post("invoice.paid", `{"orgId":"a","eventType":"invoice.paid","user":"u-1"}`))
		h.Drain()
		x := h.Execution(id)
		require.Equal(t, store.StatusSucceeded, x.Status)
		require.Equal(t, "u-1", x.User)
		response := h.Post("invoice.overdue", `{"orgId":"a","eventType":"invoice.overdue"}`, "prismatic-synchronous", "true")
		require.Contains(t, response.Text, `"user":""`, "a request may concern no user")
		requireRefused(t, h, 400, "leads to a list", h.Post("invoice.overdue", `{"orgId":"a","eventType":"invoice.overdue","user":["u-1"]}`))
	})
}

func TestThreat12_DuplicateJSONKeys(t *testing.T) {
	t.Parallel()
	integration := sharedReceiver()
	integration.Flows[0].IsSynchronous = true
	sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		deployFor(h, "a", "b")
		response := h.Post("invoice.paid", `{"orgId":"a","eventType":"invoice.overdue","orgId":"b","eventType":"invoice.paid"}`)
		require.JSONEq(t, `{"flow":"invoice.paid","customer":"b","user":"","body":{"orgId":"b","eventType":"invoice.paid"}}`, response.Text)
	})
}

func TestThreat14_FieldNamesInAnotherCase(t *testing.T) {
	t.Parallel()
	sluicetest.Run(t, sharedReceiver(), func(t *testing.T, h *sluicetest.Harness) {
		deployFor(h, "a")
		for _, body := range []string{
			`{"orgid":"a","eventType":"invoice.paid"}`, `{"ORGID":"a","eventType":"invoice.paid"}`,
			`{"orgId":"a","eventtype":"invoice.paid"}`, `{"orgId":"a","eventType":"Invoice.Paid"}`,
			`{"orgId":"A","eventType":"invoice.paid"}`, `{"orgId":"a","eventType":"invoice.paid "}`,
			`{"data":{"orgId":"a","eventType":"invoice.paid"}}`,
		} {
			require.Equal(t, 404, h.Post("invoice.paid", body).StatusCode, body)
		}
	})
}

func TestThreat21_TenantIsolation(t *testing.T) {
	t.Parallel()
	secret := sluice.StringVar{Key: "secret", StableKey: "secret"}
	reveal := func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
		return &sluice.Result{Data: secret.Get(run) + " of " + run.Customer.ExternalID + " at " + run.Instance.ID}, nil
	}
	for _, kind := range []sluice.EndpointType{sluice.EndpointInstanceSpecific, sluice.EndpointSharedInstance} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			integration := sharedReceiver()
			integration.EndpointType = kind
			integration.ConfigPages = []sluice.ConfigPage{{Name: "Page", Elements: []sluice.ConfigElement{secret}}}
			for i := range integration.Flows {
				integration.Flows[i].OnExecution = reveal
			}
			sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
				for range 2 { // The second time instances are cached.
					for _, customer := range []string{"a", "b"} {
						instance := h.Deploy(runtime.Deployment{
							Customer: runtime.Customer{ExternalID: customer}, Config: map[string]any{"secret": "secret-" + customer},
						})
						want := fmt.Sprintf("%q", "secret-"+customer+" of "+customer+" at "+instance.ID)
						body := `{"orgId":"` + customer + `","eventType":"invoice.paid"}`
						if kind == sluice.EndpointInstanceSpecific {
							body = `{"orgId":"b","eventType":"invoice.paid"}` // It is the URL that counts.
						}
						response := call(t, h, instance.WebhookURLs["invoice.paid"], body, "prismatic-synchronous", "true")
						require.Equal(t, want, response.Text)
						require.Equal(t, instance.ID, h.Execution(response.Header.Get("prismatic-executionid")).Instance)
						notAnEndpoint := "http://sluice.test/trigger/" + instance.ID
						require.Equal(t, 404, call(t, h, notAnEndpoint, body).StatusCode)
					}
				}
			})
		})
	}
}

func TestThreat22_AttackerChosenCustomer(t *testing.T) {
	t.Parallel()
	sluicetest.Run(t, sharedReceiver(), func(t *testing.T, h *sluicetest.Harness) {
		deployFor(h, "a", "b")
		values := []string{
			`""`, `" a"`, `"a "`, `"A"`, `"ａ"`, `"a\u0000"`, `"a\n"`, `"a,b"`, `"*"`, `"%"`, `"_"`, `"a' OR '1'='1"`, `"../a"`,
			`"a\ufeff"`, `"` + strings.Repeat("a", 100_000) + `"`, `null`, `true`, `0`, `1e999`, `["a"]`, `{"a":"a"}`, `[]`,
		}
		require.Len(t, values, 22)
		for _, value := range values {
			status := 404
			if value[0] == '[' || value[0] == '{' {
				status = 400
			}
			response := h.Post("invoice.paid", `{"eventType":"invoice.paid","orgId":`+value+`}`)
			require.Equal(t, status, response.StatusCode, value)
			require.Less(t, len(response.Text), 1_000)
		}
		require.Equal(t, 404, h.Post("invoice.paid", `{"eventType":"invoice.paid"}`).StatusCode)
		for _, x := range h.Executions() {
			require.Equal(t, store.StatusFailed, x.Status)
			require.Empty(t, x.Instance)
		}
	})
}

// TestRoutingReadsWhatTheFlowReads sends bodies with repeated, escaped and oddly typed
// members: whoever is routed to reads the very values that routed.
func TestRoutingReadsWhatTheFlowReads(t *testing.T) {
	t.Parallel()
	customers, flows := []string{"a", "b", "1", "true"}, []string{"f", "g", "2"}
	flowField, customerField := mustPath(t, "body.data.f"), mustPath(t, "body.data.c.0")
	integration := &sluice.Integration{
		Name: "Test", EndpointType: sluice.EndpointSharedInstance,
		TriggerPreprocessFlowConfig: &sluice.PreprocessFlowConfig{FlowNameField: "body.data.f", ExternalCustomerIDField: "body.data.c.0"},
		Flows:                       echoFlows(flows...),
	}
	ran := 0
	for i := range integration.Flows {
		integration.Flows[i].OnExecution = func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
			flow, _, err := run.Payload.Lookup(flowField)
			require.NoError(t, err)
			customer, _, err := run.Payload.Lookup(customerField)
			require.NoError(t, err)
			require.Equal(t, []string{run.Flow.Name, run.Customer.ExternalID}, []string{flow, customer})
			ran++
			return nil, nil
		}
	}
	scalar := rapid.SampledFrom([]string{
		`"a"`, `"b"`, `"\u0061"`, `"f"`, `"\u0066"`, `"g"`, `1`, `"1"`, `1.0`, `true`, `"true"`, `2`, `"2"`, `null`, `{"a":1}`, `[]`,
	})
	member := rapid.Custom(func(r *rapid.T) string {
		name := rapid.SampledFrom([]string{`"f"`, `"c"`, `"\u0066"`, `"\u0063"`, `"F"`, `"x"`}).Draw(r, "name")
		if strings.HasSuffix(name, `"c"`) || strings.HasSuffix(name, `63"`) {
			return name + ":[" + scalar.Draw(r, "customer") + "]"
		}
		return name + " : " + scalar.Draw(r, "value")
	})
	var bodies []string
	rapid.Check(t, func(r *rapid.T) {
		for range 20 {
			bodies = append(bodies, "{"+strings.Join(rapid.SliceOfN(member, 2, 8).Draw(r, "members"), ",")+"}")
		}
	})
	sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		deployFor(h, customers...)
		for _, body := range bodies {
			status := h.Post("f", body, "prismatic-synchronous", "true").StatusCode
			require.Contains(t, []int{200, 400, 404}, status, body)
			h.Advance(time.Second) // So that no rate is exceeded.
		}
		require.Positive(t, ran)
	})
}
