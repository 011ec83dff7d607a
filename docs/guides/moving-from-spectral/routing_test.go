// Package spectral_test holds the Go side of the guide "Moving from spectral".
package spectral_test

import (
	"context"
	"testing"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	sluicetest "github.com/sluice-go/sluice/testing"
)

var eventRouter = &sluice.Integration{
	Name:         "Event Router",
	EndpointType: sluice.EndpointInstanceSpecific,
	TriggerPreprocessFlowConfig: &sluice.PreprocessFlowConfig{
		FlowNameField: "body.data.event",
	},
	Flows: []sluice.Flow{
		{
			Name:      "order.created",
			StableKey: "order-created",
			OnExecution: func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
				order := run.Payload.Body.Data()
				run.Logger.InfoContext(ctx, "New order", "order", order)
				return nil, nil
			},
		},
		{
			Name:      "order.updated",
			StableKey: "order-updated",
			OnExecution: func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
				order := run.Payload.Body.Data()
				run.Logger.InfoContext(ctx, "Updated order", "order", order)
				return nil, nil
			},
		},
	},
}

func TestEventRouter(t *testing.T) {
	t.Parallel()
	sluicetest.Run(t, eventRouter, func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		created := h.Post("order.created", `{"event":"order.created"}`).RequireStatus(200)
		updated := h.Post("order.created", `{"event":"order.updated"}`).RequireStatus(200)
		h.Post("order.created", `{"event":"order.deleted"}`).RequireStatus(404)
		h.Drain()
		created.Execution().RequireSucceeded().RequireLog("New order")
		updated.Execution().RequireSucceeded().RequireLog("Updated order")
	})
}

// routing is what the preprocess flow hands back.
type routing struct {
	FlowName   string `json:"flowName"`
	CustomerID string `json:"customerId"`
}

var routeRequest = sluice.Define(sluice.Flow{
	Name:      "Route Request",
	StableKey: "route-request",
	PreprocessFlowConfig: &sluice.PreprocessFlowConfig{
		FlowNameField:           "flowName",
		ExternalCustomerIDField: "customerId",
	},
}, func(_ context.Context, _ *sluice.Run, body map[string]string) (routing, error) {
	return routing{FlowName: body["type"], CustomerID: body["tenantId"]}, nil
})

var multiTenantRouter = &sluice.Integration{
	Name:         "Multi-tenant Router",
	EndpointType: sluice.EndpointSharedInstance,
	Flows: []sluice.Flow{
		routeRequest.Flow,
		{
			Name:      "contact.created",
			StableKey: "contact-created",
			OnExecution: func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
				contact := run.Payload.Body.Data()
				run.Logger.InfoContext(ctx, "New contact", "contact", contact, "customer", run.Customer.ExternalID)
				return nil, nil
			},
		},
	},
}

func TestMultiTenantRouter(t *testing.T) {
	t.Parallel()
	sluicetest.Run(t, multiTenantRouter, func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{Customer: runtime.Customer{ExternalID: "acme"}})
		h.Deploy(runtime.Deployment{Customer: runtime.Customer{ExternalID: "globex"}})
		response := h.Post("contact.created", `{"tenantId":"acme","type":"contact.created"}`).RequireStatus(200)
		h.Post("contact.created", `{"tenantId":"umbrella","type":"contact.created"}`).RequireStatus(404)
		h.Drain()
		response.Execution().RequireSucceeded().RequireLog("New contact")
	})
}

// invoice is what the sender puts into the body.
type invoice struct {
	OrgID     string `json:"orgId"`
	EventType string `json:"eventType"`
	Number    string `json:"number"`
}

type processed struct {
	Processed bool    `json:"processed"`
	Invoice   invoice `json:"invoice"`
}

var invoicePaid = sluice.Define(
	sluice.Flow{Name: "invoice.paid", StableKey: "invoice-paid"},
	func(_ context.Context, _ *sluice.Run, in invoice) (processed, error) {
		return processed{Processed: true, Invoice: in}, nil
	})

type alerted struct {
	Alerted bool    `json:"alerted"`
	Invoice invoice `json:"invoice"`
}

var invoiceOverdue = sluice.Define(
	sluice.Flow{Name: "invoice.overdue", StableKey: "invoice-overdue"},
	func(_ context.Context, _ *sluice.Run, in invoice) (alerted, error) {
		return alerted{Alerted: true, Invoice: in}, nil
	})

var sharedWebhookReceiver = &sluice.Integration{
	Name:         "Shared Webhook Receiver",
	EndpointType: sluice.EndpointSharedInstance,
	TriggerPreprocessFlowConfig: &sluice.PreprocessFlowConfig{
		FlowNameField:           "body.data.eventType",
		ExternalCustomerIDField: "body.data.orgId",
	},
	Flows: []sluice.Flow{invoicePaid.Flow, invoiceOverdue.Flow},
}

func TestSharedWebhookReceiver(t *testing.T) {
	t.Parallel()
	sluicetest.Run(t, sharedWebhookReceiver, func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{Customer: runtime.Customer{ExternalID: "cust_123"}})
		paid := invoice{OrgID: "cust_123", EventType: "invoice.paid", Number: "7"}
		overdue := invoice{OrgID: "cust_123", EventType: "invoice.overdue", Number: "8"}
		one, two := h.Webhook("invoice.paid").JSON(paid), h.Webhook("invoice.paid").JSON(overdue)
		h.Drain()
		one.Execution().RequireResult(processed{Processed: true, Invoice: paid})
		two.Execution().RequireResult(alerted{Alerted: true, Invoice: overdue})
	})
}
