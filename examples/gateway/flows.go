package main

import (
	"context"

	"github.com/sluice-go/sluice"
)

// signatureHeader carries the signature of signed requests.
const signatureHeader = "x-hmac-sha256"

// endpoints is an integration whose flows have an endpoint each. signingSecret is what
// requests to the signed one are signed with.
func endpoints(signingSecret string) *sluice.Integration {
	return &sluice.Integration{Name: "Endpoints", Flows: []sluice.Flow{
		{Name: "Async", StableKey: "async", OnExecution: accept},
		{Name: "Sync", StableKey: "sync", OnExecution: echo, IsSynchronous: true},
		{Name: "Keyed 1", StableKey: "keyed-1", OnExecution: accept, EndpointSecurityType: sluice.EndpointSecurityCustomerRequired},
		{Name: "Keyed 2", StableKey: "keyed-2", OnExecution: accept, EndpointSecurityType: sluice.EndpointSecurityCustomerRequired},
		{Name: "Signed", StableKey: "signed", OnExecution: accept, Trigger: sluice.HMACTrigger{
			Signature: sluice.HMAC(signatureHeader, sluice.HMACSHA256),
			Secrets:   []string{signingSecret},
		}},
		setHeader.Flow,
	}}
}

// accept does nothing with what it was sent.
func accept(context.Context, *sluice.Run) (*sluice.Result, error) { return nil, nil }

// echo answers all that the flow received.
func echo(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
	return &sluice.Result{Data: run.Payload}, nil
}

// Header is what setHeader is asked for.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// setHeader answers with a header of the caller's choice. The runtime refuses those that
// would not be one header of this answer.
var setHeader = sluice.Define(sluice.Flow{
	Name: "Header", StableKey: "header", IsSynchronous: true,
}, func(_ context.Context, _ *sluice.Run, header Header) (sluice.Reply[Header], error) {
	return sluice.Reply[Header]{Data: header, Headers: map[string]string{header.Name: header.Value}}, nil
})

// The fields of a body that say whom and what a shared request is for.
const (
	customerField = "orgId"
	flowField     = "eventType"
)

// invoices is an integration whose customers share one endpoint.
var invoices = &sluice.Integration{
	Name:         "Invoices",
	EndpointType: sluice.EndpointSharedInstance,
	Flows: []sluice.Flow{
		{
			Name: "Route", StableKey: "route", OnExecution: route,
			PreprocessFlowConfig: &sluice.PreprocessFlowConfig{
				FlowNameField: flowField, ExternalCustomerIDField: customerField,
			},
		},
		{Name: "invoice.paid", StableKey: "invoice-paid", OnExecution: accept},
		{Name: "invoice.overdue", StableKey: "invoice-overdue", OnExecution: accept},
	},
}

// route tells whom and what a request is for. It reads the generic value of the body, in
// which names count to the letter: a struct would match them in any case.
func route(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
	body, _ := run.Payload.Body.Data().(map[string]any)
	return &sluice.Result{Data: map[string]any{customerField: body[customerField], flowField: body[flowField]}}, nil
}
