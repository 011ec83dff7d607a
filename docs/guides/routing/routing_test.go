// Package routing_test is the code of the guide on routing.
package routing_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// Event is what the sender posts for all its customers.
type Event struct {
	Type string `json:"type"`
	Team string `json:"team"`
}

var (
	opened = sluice.Define(sluice.Flow{Name: "Opened", StableKey: "opened"}, handle)
	closed = sluice.Define(sluice.Flow{Name: "Closed", StableKey: "closed"}, handle)
)

// handle tells whose event it was: by the run, never by the body.
func handle(_ context.Context, run *sluice.Run, event Event) (string, error) {
	return run.Customer.ExternalID + ": " + event.Type, nil
}

var byField = &sluice.Integration{
	Name:         "Tickets",
	EndpointType: sluice.EndpointInstanceSpecific,
	TriggerPreprocessFlowConfig: &sluice.PreprocessFlowConfig{
		FlowNameField: "headers.x-event",
	},
	Flows: []sluice.Flow{opened.Flow, closed.Flow},
}

func TestRouteByField(t *testing.T) {
	t.Parallel()
	sluicetest.Run(t, byField, func(t *testing.T, h *sluicetest.Harness) {
		instance := h.Deploy(runtime.Deployment{Customer: runtime.Customer{ExternalID: "acme"}})
		require.Equal(t, instance.WebhookURLs["Opened"], instance.WebhookURLs["Closed"])
		response := h.Webhook("Opened").Header("X-Event", "Closed").JSON(Event{Type: "closed"}).RequireStatus(200)
		h.Webhook("Opened").Header("X-Event", "closed").JSON(Event{}).RequireStatus(404)
		h.Drain()
		response.Execution().RequireResult("acme: closed")
		require.Equal(t, store.StatusFailed, h.Executions()[1].Status)
	})
}

// teams are the customers of the sender's teams.
var teams = map[string]string{"T1": "acme", "T2": "globex"}

// flows are the flows of the sender's event types.
var flows = map[string]string{"ticket.opened": "Opened", "ticket.closed": "Closed"}

// Route is where an event goes.
type Route struct {
	Flow     string `json:"flow"`
	Customer string `json:"customer"`
}

var router = sluice.Define(sluice.Flow{
	Name: "Router", StableKey: "router",
	PreprocessFlowConfig: &sluice.PreprocessFlowConfig{FlowNameField: "flow", ExternalCustomerIDField: "customer"},
}, func(_ context.Context, _ *sluice.Run, event Event) (Route, error) {
	if flows[event.Type] == "" {
		return Route{}, sluice.Reject(http.StatusUnprocessableEntity, "No flow takes "+event.Type+".")
	}
	return Route{Flow: flows[event.Type], Customer: teams[event.Team]}, nil
})

func TestRouteByFlow(t *testing.T) {
	t.Parallel()
	shared(t, router.Flow, func(t *testing.T, h *sluicetest.Harness) {
		response := h.Webhook("Opened").JSON(Event{Type: "ticket.closed", Team: "T1"}).RequireStatus(200)
		h.Webhook("Opened").JSON(Event{Type: "ticket.lost", Team: "T1"}).RequireStatus(422)
		h.Webhook("Opened").JSON(Event{Type: "ticket.closed", Team: "T3"}).RequireStatus(404)
		h.Drain()
		response.Execution().RequireResult("acme: ticket.closed")
	})
}

// shared tests an integration whose customers share the URL that the flow routes.
func shared(t *testing.T, preprocess sluice.Flow, test func(t *testing.T, h *sluicetest.Harness)) {
	t.Helper()
	sluicetest.RunOptions(t, sluicetest.Options{
		Runtime: runtime.Options{Integrations: []*sluice.Integration{{
			Name:         "Tickets",
			EndpointType: sluice.EndpointSharedInstance,
			Flows:        []sluice.Flow{preprocess, opened.Flow, closed.Flow},
		}}},
		Deployments: []runtime.Deployment{
			{Customer: runtime.Customer{ExternalID: "acme"}},
			{Customer: runtime.Customer{ExternalID: "globex"}},
		},
	}, test)
}

var fanOut = sluice.Define(sluice.Flow{
	Name: "Fan out", StableKey: "fan-out",
	PreprocessFlowConfig: &sluice.PreprocessFlowConfig{FlowNameField: "flow", ExternalCustomerIDField: "customer"},
}, func(_ context.Context, _ *sluice.Run, events []Event) ([]Route, error) {
	var routes []Route
	for _, event := range events {
		routes = append(routes, Route{Flow: "All", Customer: teams[event.Team]})
	}
	return routes, nil
})

func TestSeveralRoutes(t *testing.T) {
	t.Parallel()
	all := sluice.Define(sluice.Flow{Name: "All", StableKey: "all"},
		func(_ context.Context, run *sluice.Run, events []Event) (string, error) {
			return run.Customer.ExternalID, nil
		})
	sluicetest.RunOptions(t, sluicetest.Options{
		Runtime: runtime.Options{Integrations: []*sluice.Integration{{
			Name: "Tickets", EndpointType: sluice.EndpointSharedInstance, Flows: []sluice.Flow{fanOut.Flow, all.Flow},
		}}},
		Deployments: []runtime.Deployment{
			{Customer: runtime.Customer{ExternalID: "acme"}},
			{Customer: runtime.Customer{ExternalID: "globex"}},
		},
	}, func(t *testing.T, h *sluicetest.Harness) {
		response := h.Webhook("All").JSON([]Event{{Team: "T1"}, {Team: "T2"}}).RequireStatus(200)
		t.Log(response.Text)
		h.Drain()
		require.Len(t, h.Executions(), 2)
		h.Executions()[0].RequireResult("acme")
		h.Executions()[1].RequireResult("globex")
	})
}
