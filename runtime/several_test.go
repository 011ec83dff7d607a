package runtime_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	"github.com/sluice-go/sluice/store/sqlite"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// toAll routes to the flow contact.created of each customer.
func toAll(customers ...string) func(*sluice.Flow) {
	list := make([]map[string]string, len(customers))
	for i, customer := range customers {
		list[i] = map[string]string{"flowName": "contact.created", "customerId": customer}
	}
	return routes(list)
}

type severalAnswer struct {
	ExecutionID  string
	ExecutionIDs []string
	Duplicate    bool
}

func decodeSeveral(t *testing.T, response *sluicetest.Response) (answer severalAnswer) {
	t.Helper()
	require.Equal(t, http.StatusOK, response.StatusCode, response.Text)
	require.NoError(t, json.Unmarshal([]byte(response.Text), &answer))
	require.Equal(t, answer.ExecutionIDs[0], answer.ExecutionID)
	require.Equal(t, answer.ExecutionID, response.Header.Get("prismatic-executionid"))
	return answer
}

func TestSeveralRoutes(t *testing.T) {
	t.Parallel()
	sluicetest.Run(t, multiTenantRouter(toAll("a", "b", "a")), func(t *testing.T, h *sluicetest.Harness) {
		deployFor(h, "a", "b")
		// They are asynchronous whatever the header says.
		answer := decodeSeveral(t, h.Post("contact.created", contact, "prismatic-synchronous", "true"))
		require.Len(t, answer.ExecutionIDs, 3)
		require.Len(t, h.Executions(), 3)
		h.Drain()
		for i, customer := range []string{"a", "b", "a"} {
			x := h.Execution(answer.ExecutionIDs[i])
			require.Equal(t, store.StatusSucceeded, x.Status)
			require.Equal(t, customer, x.Customer)
			require.JSONEq(t, `{"flow":"contact.created","customer":"`+customer+`","user":"","body":`+contact+`}`, string(x.Result.Data))
			require.Len(t, x.Steps, 1)
			require.JSONEq(t, `{"flowName":"contact.created","customerId":"`+customer+`"}`, string(x.Steps[0].Result))
		}
	})
}

func TestAListOfOneRouteIsThatRoute(t *testing.T) {
	t.Parallel()
	sluicetest.Run(t, multiTenantRouter(toAll("a")), func(t *testing.T, h *sluicetest.Harness) {
		deployFor(h, "a")
		executionID(t, h.Post("contact.created", contact))
		require.NotContains(t, h.Post("contact.created", contact).Text, "executionIds")
		require.Contains(t, h.Post("contact.created", contact, "prismatic-synchronous", "true").Text, `"customer":"a"`)
	})
}

func TestSeveralRoutesOrNone(t *testing.T) {
	t.Parallel()
	sluicetest.Run(t, multiTenantRouter(toAll("a", "z", "b")), func(t *testing.T, h *sluicetest.Harness) {
		deployFor(h, "a", "b")
		requireRefused(t, h, 404, `external id "z"`, h.Post("contact.created", contact))
		require.Len(t, h.Executions(), 1)
	})
	integration := multiTenantRouter(toAll("a", "b"))
	integration.Flows[1].OnTrigger = func(_ context.Context, run *sluice.Run, _ *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
		if run.Customer.ExternalID == "b" {
			return nil, sluice.Reject(422, "not for b")
		}
		return nil, nil
	}
	sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		deployFor(h, "a", "b")
		response := h.Post("contact.created", contact)
		require.Equal(t, http.StatusUnprocessableEntity, response.StatusCode)
		require.Equal(t, `{"error":"not for b"}`, response.Text)
		require.Empty(t, h.Executions(), "a's did not run either: the sender tries again")
	})
}

func TestSeveralTriggers(t *testing.T) {
	t.Parallel()
	stops := ""
	integration := multiTenantRouter(toAll("a", "b", "c"))
	integration.Flows[1].OnTrigger = func(_ context.Context, run *sluice.Run, payload *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
		payload.Headers["x-customer"] = append(payload.Headers["x-customer"], run.Customer.ExternalID)
		if strings.Contains(stops, run.Customer.ExternalID) {
			return &sluice.TriggerResult{Stop: true, Response: &sluice.HTTPResponse{StatusCode: 202, Body: "stopped"}}, nil
		}
		return nil, nil
	}
	integration.Flows[1].OnExecution = func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
		require.Equal(t, run.Customer.ExternalID, run.Payload.Headers.Get("x-customer"), "another's trigger shows")
		return nil, nil
	}
	sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		deployFor(h, "a", "b", "c")
		require.Len(t, decodeSeveral(t, h.Post("contact.created", contact)).ExecutionIDs, 3)
		stops = "ac"
		require.Len(t, decodeSeveral(t, h.Post("contact.created", contact)).ExecutionIDs, 1)
		stops = "abc"
		response := h.Post("contact.created", contact)
		require.Equal(t, []any{202, "stopped"}, []any{response.StatusCode, response.Text})
		h.Drain()
		require.Len(t, h.Executions(), 4)
	})
}

func TestStateOfThePreprocessFlowIsKeptWhoeverStops(t *testing.T) {
	t.Parallel()
	integration := multiTenantRouter(toAll("a", "b"), func(router *sluice.Flow) {
		route := router.OnExecution
		router.OnExecution = func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
			result, err := route(ctx, run)
			return result, errors.Join(err, run.IntegrationState().Increment(ctx, "routed", 1), run.ExecutionState().Set(ctx, "own", 1))
		}
	})
	integration.Flows[1].OnTrigger = func(_ context.Context, run *sluice.Run, _ *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
		if run.Customer.ExternalID == "a" {
			return &sluice.TriggerResult{Stop: true, Response: &sluice.HTTPResponse{StatusCode: 202}}, nil
		}
		return nil, nil
	}
	sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		deployFor(h, "a", "b")
		for n := range 3 {
			x := h.Execution(executionID(t, h.Post("contact.created", contact)))
			h.Drain()
			x.IntegrationState().Require("routed", n+1)
			require.Equal(t, "b", x.Customer)
			require.Empty(t, x.ExecutionState().Keys())
		}
	})
}

func TestSeveralRoutesRepeated(t *testing.T) {
	t.Parallel()
	integration := multiTenantRouter(toAll("a", "b"))
	integration.Flows[1].OnTrigger = func(_ context.Context, _ *sluice.Run, payload *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
		return &sluice.TriggerResult{DedupeID: payload.Headers.Get("x-id")}, nil
	}
	sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		deployFor(h, "a", "b")
		first := decodeSeveral(t, h.Post("contact.created", contact, "X-Id", "1"))
		require.False(t, first.Duplicate)
		again := decodeSeveral(t, h.Post("contact.created", contact, "X-Id", "1"))
		require.True(t, again.Duplicate)
		require.Equal(t, first.ExecutionIDs, again.ExecutionIDs)
		h.Drain()
		require.Len(t, h.Executions(), 2)
	})
}

func TestSeveralRoutesBoundTheirBytes(t *testing.T) {
	t.Parallel()
	customers := make([]string, 20)
	for i := range customers {
		customers[i] = "a"
	}
	sluicetest.Run(t, multiTenantRouter(toAll(customers...)), func(t *testing.T, h *sluicetest.Harness) {
		deployFor(h, "a")
		body := fmt.Sprintf(`{"big":%q}`, strings.Repeat("x", 5_000_000))
		response := h.Post("contact.created", body)
		require.Equal(t, http.StatusBadRequest, response.StatusCode)
		require.Contains(t, response.Text, "too large for 20 routes")
	})
}

func TestSharedEndpointStays(t *testing.T) {
	t.Parallel()
	path, url := t.TempDir()+"/db", ""
	for range 2 {
		rt, err := runtime.New(t.Context(), runtime.Options{Integrations: []*sluice.Integration{sharedReceiver()}, Database: path})
		require.NoError(t, err)
		require.NoError(t, rt.Start(t.Context()))
		if url == "" {
			instance, err := rt.Deploy(t.Context(), runtime.Deployment{})
			require.NoError(t, err)
			url = instance.WebhookURLs["invoice.paid"]
		}
		require.Equal(t, http.StatusOK, serve(t, rt, "POST", url, `{"orgId":"default","eventType":"invoice.paid"}`).Code)
		require.NoError(t, rt.Stop(t.Context()))
	}
}

// brokenStore refuses to accept.
type brokenStore struct{ store.Store }

func (brokenStore) AcceptAll(context.Context, []*store.Acceptance) ([]*store.Accepted, error) {
	return nil, store.ErrUnavailable
}

func TestSeveralRoutesWithoutAStore(t *testing.T) {
	t.Parallel()
	ran := false
	integration := multiTenantRouter(toAll("a", "b"))
	integration.Flows[1].OnExecution = func(context.Context, *sluice.Run) (*sluice.Result, error) {
		ran = true
		return nil, nil
	}
	db, err := sqlite.Open(t.Context(), t.TempDir()+"/db")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	rt, err := runtime.New(t.Context(), runtime.Options{Integrations: []*sluice.Integration{integration}, Store: brokenStore{db}})
	require.NoError(t, err)
	require.NoError(t, rt.Start(t.Context()))
	var url string
	for _, customer := range []string{"a", "b"} {
		instance, err := rt.Deploy(t.Context(), runtime.Deployment{Customer: runtime.Customer{ExternalID: customer}})
		require.NoError(t, err)
		url = instance.WebhookURLs["contact.created"]
	}
	answer := serve(t, rt, "POST", url, contact)
	require.Equal(t, http.StatusServiceUnavailable, answer.Code)
	require.NotEmpty(t, answer.Header().Get("Retry-After"))
	require.NoError(t, rt.Stop(t.Context()))
	require.False(t, ran)
	executions, err := rt.Executions(t.Context(), store.Filter{}, "", 10)
	require.NoError(t, err)
	require.Empty(t, executions)
}

// TestADeliveryRoutedTwiceToOneFlowRunsTwice: its id names the delivery, not the routes.
func TestADeliveryRoutedTwiceToOneFlowRunsTwice(t *testing.T) {
	t.Parallel()
	integration := multiTenantRouter(toAll("a", "a"))
	integration.Flows[1].Trigger = sluice.HMACTrigger{Signature: sluice.GitLab(), Secrets: []string{sharedSecret}}
	sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		deployFor(h, "a")
		send := func() severalAnswer {
			return decodeSeveral(t, h.Post("contact.created", contact, "X-Gitlab-Token", sharedSecret, "Idempotency-Key", "delivery-1"))
		}
		first, again := send(), send()
		require.False(t, first.Duplicate)
		require.NotEqual(t, first.ExecutionIDs[0], first.ExecutionIDs[1])
		require.True(t, again.Duplicate)
		require.Equal(t, first.ExecutionIDs, again.ExecutionIDs)
		h.Drain()
		require.Len(t, h.Executions(), 2)
	})
}
