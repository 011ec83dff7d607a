package sluicetest_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// of is an integration of flows, whose names are their stable keys too.
func of(name string, flows ...sluice.Flow) *sluice.Integration {
	for i := range flows {
		flows[i].StableKey = flows[i].Name
	}
	return &sluice.Integration{Name: name, Flows: flows}
}

// received is what a request was to the flow.
type received struct {
	Shop     string `json:"shop"`
	Page     string `json:"page"`
	Fragment string `json:"fragment"`
	Type     string `json:"type"`
	Body     any    `json:"body"`
}

func echo(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
	p := run.Payload
	return &sluice.Result{Data: received{
		Shop: p.Headers.Get("x-shop"), Page: p.QueryParameters.Get("page"), Fragment: p.PathFragment, Type: p.Headers.Get("content-type"),
		Body: p.Body.Data(),
	}}, nil
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	sluicetest.Run(t, of("Shop", sluice.Flow{Name: "echo", OnExecution: echo}), func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		h.Webhook("echo").Synchronous(true).Header("X-Shop", "acme").Query("page", "2 of 3").Path("orders/7").JSON([]int{1, 2}).
			RequireStatus(200).
			RequireJSON(received{"acme", "2 of 3", "orders/7", "application/json", []int{1, 2}}).
			Execution().RequireSucceeded()
		h.Webhook("echo").Synchronous(true).Form(url.Values{"a": {"b c"}}).
			RequireJSON(received{Type: "application/x-www-form-urlencoded", Body: map[string]string{"a": "b c"}})
		h.Webhook("echo").Synchronous(true).Body("text/plain", []byte("hello")).RequireJSON(received{Type: "text/plain", Body: "hello"})
		h.Webhook("echo").Synchronous(true).Query("page", "1").Get().RequireJSON(received{Page: "1"})
		var answer struct{ ExecutionID string }
		response := h.Webhook("echo").Synchronous(false).Get()
		response.Decode(&answer)
		require.Equal(t, response.ExecutionID(), answer.ExecutionID)
		require.Contains(t, failure(t, h, func() { h.Webhook("ECHO").Get() }), `"Shop" has no flow "ECHO": names are compared exactly, it has ["echo"]`)
		require.Contains(t, failure(t, h, func() { h.Webhook("echo").Header("X") }), `headers are pairs of name and value: ["X"]`)
		require.Contains(t, failure(t, h, func() { response.Decode(new(int)) }), "the answer cannot be read into *int: ")
	})
}

func TestAnswerWithoutExecution(t *testing.T) {
	t.Parallel()
	sluicetest.Run(t, of("Shop", sluice.Flow{Name: "echo", OnExecution: echo}), func(t *testing.T, h *sluicetest.Harness) {
		require.Equal(t, "no instance is deployed: call Deploy first", failure(t, h, func() { h.URL("echo") }))
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://sluice.test/trigger/nobody", http.NoBody)
		require.NoError(t, err)
		answer := h.Deliver(request).RequireStatus(404)
		require.Equal(t, "the answer belongs to no execution:\nPUT /ID answered 404 Not Found\n  "+answer.Text, failure(t, h, func() { answer.Execution() }))
	})
}

// TestDeliverTakesAnyRequest, also those that tests of handlers make.
func TestDeliverTakesAnyRequest(t *testing.T) {
	t.Parallel()
	sluicetest.Run(t, of("Shop", sluice.Flow{Name: "echo", OnExecution: echo}), func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		endpoint := h.URL("echo")
		path := strings.TrimPrefix(endpoint, "http://sluice.test")
		for _, target := range []string{endpoint, path, "https://sluice.test" + path} {
			h.Deliver(httptest.NewRequestWithContext(t.Context(), http.MethodPost, target, strings.NewReader(`{}`))).RequireStatus(http.StatusOK)
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, target, strings.NewReader(`{}`))
			require.NoError(t, err)
			h.Deliver(request).RequireStatus(http.StatusOK)
			require.Equal(t, target, request.URL.String(), "the request stays as it is")
		}
		h.Drain()
	})
}

// TestNoTestReachesTheNetwork because it forgot to say what stands for it.
func TestNoTestReachesTheNetwork(t *testing.T) {
	t.Parallel()
	called := false
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
	t.Cleanup(server.Close)
	flow := sluice.Flow{Name: "ask", OnExecution: func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/?a=b", http.NoBody)
		if err != nil {
			return nil, err
		}
		response, err := run.HTTPClient().Do(request)
		if err != nil {
			return nil, err
		}
		return nil, response.Body.Close()
	}}
	sluicetest.Run(t, of("Shop", flow), func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		answer := h.Post("ask", `{}`)
		h.Drain()
		answer.Execution().RequireFailed("the test has no Options.Runtime.Transport: give it Hosts or a Recorder, or set RealTime")
	})
	require.False(t, called)
}

// TestSign delivers what the provider would send, by one preset of each kind.
func TestSign(t *testing.T) {
	t.Parallel()
	presets := map[string]sluice.Signature{
		"GitHub": sluice.GitHub(), "Shopify": sluice.Shopify(), "Stripe": sluice.Stripe(), "Slack": sluice.Slack(),
		"StandardWebhooks": sluice.StandardWebhooks(), "Mailgun": sluice.Mailgun(), "TwilioJSON": sluice.TwilioJSON(),
		"HubSpotV3": sluice.HubSpotV3(), "GitLab": sluice.GitLab(), "HMAC": sluice.HMAC("X-Sig", sluice.HMACSHA512),
	}
	secret := func(letter string) string { return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte(letter), 32)) }
	for name, scheme := range presets {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			signed := of("Shop", sluice.Flow{
				Name: "signed", OnExecution: echo,
				Trigger: sluice.HMACTrigger{Signature: scheme, Secrets: []string{secret("k")}},
			})
			sluicetest.Run(t, signed, func(t *testing.T, h *sluicetest.Harness) {
				h.Deploy(runtime.Deployment{})
				order := map[string]string{"id": "7"}
				answer := h.Webhook("signed").Query("page", "1").Sign(scheme, secret("k")).JSON(order).RequireStatus(200)
				h.Drain()
				answer.Execution().RequireSucceeded()
				h.Webhook("signed").Sign(scheme, secret("x")).JSON(order).RequireStatus(401)
				h.Webhook("signed").JSON(order).RequireStatus(401)
			})
		})
	}
}

func TestAPIKey(t *testing.T) {
	t.Parallel()
	keyed := of("Shop", sluice.Flow{Name: "echo", OnExecution: echo, EndpointSecurityType: sluice.EndpointSecurityCustomerRequired})
	sluicetest.Run(t, keyed, func(t *testing.T, h *sluicetest.Harness) {
		key, err := h.Runtime.CreateAPIKey(t.Context(), h.Deploy(runtime.Deployment{}).ID, "echo")
		require.NoError(t, err)
		h.Webhook("echo").Get().RequireStatus(401)
		h.Webhook("echo").APIKey(key).Get().RequireStatus(200)
		h.Drain()
	})
}

// TestSeveral serves two integrations for two customers, with configurations of their own.
func TestSeveral(t *testing.T) {
	t.Parallel()
	greeting := sluice.StringVar{Key: "Greeting", StableKey: "greeting"}
	greet := of("Greeter", sluice.Flow{Name: "greet", OnExecution: func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
		text := greeting.Get(run)
		return &sluice.Result{Data: text + ", " + run.Customer.ExternalID}, nil
	}})
	greet.ConfigPages = []sluice.ConfigPage{{Name: "Page", Elements: []sluice.ConfigElement{greeting}}}
	deploy := func(customer, text string) runtime.Deployment {
		return runtime.Deployment{
			Integration: "Greeter", Customer: runtime.Customer{ExternalID: customer}, Config: map[string]any{"Greeting": text},
		}
	}
	sluicetest.RunOptions(t, sluicetest.Options{
		Runtime:     runtime.Options{Integrations: []*sluice.Integration{of("Shop", sluice.Flow{Name: "echo", OnExecution: echo}), greet}},
		Deployments: []runtime.Deployment{{Integration: "Shop"}, deploy("acme", "Hello"), deploy("umbrella", "Moin")},
	}, func(t *testing.T, h *sluicetest.Harness) {
		instances := h.Instances()
		require.Len(t, instances, 3)
		h.Webhook("greet").Synchronous(true).Get().RequireJSON("Moin, umbrella")
		h.Webhook("greet").To(instances[1]).Synchronous(true).Get().RequireJSON("Hello, acme")
		h.Webhook("echo").To(instances[0]).Synchronous(true).JSON(7).RequireJSON(received{Type: "application/json", Body: 7})
		h.Deploy(deploy("acme", "Hi"))
		h.Webhook("greet").Synchronous(true).Get().RequireJSON("Hi, acme")
		require.Len(t, h.Instances(), 3)
		require.Equal(t, instances[1].ID, h.Instance().ID)
	})
}

func TestTick(t *testing.T) {
	t.Parallel()
	closed := func(context.Context, *sluice.Run) (*sluice.Result, error) { return nil, errors.New("closed") }
	flows := []sluice.Flow{
		{Name: "retry", OnExecution: closed, RetryConfig: &sluice.RetryConfig{MaxAttempts: 1, DelayMinutes: 5}},
		{Name: "hourly", OnExecution: echo, Schedule: &sluice.Schedule{Value: "0 * * * *"}},
	}
	sluicetest.Run(t, of("Shop", flows...), func(t *testing.T, h *sluicetest.Harness) {
		require.Equal(t, "nothing is due: no execution waits for its time, and no flow of a deployed instance has a schedule",
			failure(t, h, func() { h.Tick() }))
		began := time.Now()
		instance := h.Deploy(runtime.Deployment{})
		answer := h.Post("retry", "{}")
		require.Equal(t, began.Add(5*time.Minute), h.Tick().In(time.Local))
		answer.Execution().RequireFailed("closed").RequireAttempts(2)
		require.Equal(t, began.Add(time.Hour), h.Tick().In(time.Local))
		require.Len(t, h.Executions(), 2)
		require.Equal(t, time.Hour, time.Since(began))
		h.Pause(instance)
		require.Contains(t, failure(t, h, func() { h.Tick() }), "nothing is due")
	})
}

// TestLifecycle pauses an instance, resumes it and deletes it.
func TestLifecycle(t *testing.T) {
	t.Parallel()
	sluicetest.Run(t, of("Shop", sluice.Flow{Name: "echo", OnExecution: echo}), func(t *testing.T, h *sluicetest.Harness) {
		instance := h.Deploy(runtime.Deployment{})
		endpoint := h.URL("echo")
		get := func() *sluicetest.Response {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, endpoint, http.NoBody)
			require.NoError(t, err)
			return h.Deliver(request)
		}
		h.Pause(instance)
		get().RequireStatus(404)
		h.Resume(instance)
		get().RequireStatus(200)
		h.Drain()
		h.Delete(instance)
		get().RequireStatus(404)
		require.Empty(t, h.Instances())
		for name, call := range map[string]func(*runtime.Instance){"pause": h.Pause, "resume": h.Resume, "delete": h.Delete} {
			require.Contains(t, failure(t, h, func() { call(instance) }), "runtime: "+name+": ")
		}
	})
}

// TestRedeploy goes on with the next release: what waits is run by its code, and hooks run.
func TestRedeploy(t *testing.T) {
	t.Parallel()
	release := func(version string, result any, err error) *sluice.Integration {
		integration := of("Shop", sluice.Flow{
			Name: "sell", RetryConfig: &sluice.RetryConfig{MaxAttempts: 1, DelayMinutes: 5},
			OnExecution: func(context.Context, *sluice.Run) (*sluice.Result, error) {
				return &sluice.Result{Data: result}, err
			},
		})
		integration.Version = version
		return integration
	}
	sluicetest.Run(t, release("1", nil, errors.New("closed")), func(t *testing.T, h *sluicetest.Harness) {
		before := h.Deploy(runtime.Deployment{})
		waiting := h.Post("sell", "{}")
		waiting.Execution().RequireStatus(store.StatusWaiting)
		h.Restart()
		require.Equal(t, before.ID, h.Instance().ID)
		h.Redeploy(release("2", "sold", nil))
		require.Equal(t, before.ID, h.Instance().ID)
		require.Equal(t, "2", h.Instance().Version)
		h.Webhook("sell").Synchronous(true).Get().RequireJSON("sold")
		h.Drain()
		waiting.Execution().RequireSucceeded()
	})
}
