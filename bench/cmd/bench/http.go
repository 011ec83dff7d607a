package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/bench/bare"
	"github.com/sluice-go/sluice/bench/order"
	"github.com/sluice-go/sluice/runtime"
)

// requests asks what Sluice costs behind HTTP, beside a handler that does the same with nothing around it.
func requests() table {
	return table{
		name: "requests", title: "Requests over HTTP",
		rows: []row{
			{name: "bare", start: startBare},
			{name: "sync, unrecorded", start: startRuntime(echo, true, runtime.RecordNone)},
			{name: "sync, recorded", start: startRuntime(echo, true, runtime.RecordAll)},
			{name: "async, accepted and executed", start: startRuntime(idle, false, runtime.RecordAll)},
			{name: "async, with key, rate and route by a field", start: startGateway},
		},
	}
}

func startBare(site) (*subject, error) {
	return &subject{
		handler: bare.Handler(),
		path:    "/",
		header:  http.Header{"Content-Type": {"application/json"}},
		body:    order.Document(),
	}, nil
}

// echo answers with the body that it was sent, parsed: the work of the bare handler.
var echo = sluice.Flow{
	Name: "Echo", StableKey: "echo",
	OnExecution: func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
		return &sluice.Result{Data: run.Payload.Body.Data()}, nil
	},
}

// idle does nothing.
var idle = sluice.Flow{
	Name: "Idle", StableKey: "idle",
	OnExecution: func(context.Context, *sluice.Run) (*sluice.Result, error) { return nil, nil },
}

// startRuntime serves a flow over HTTP.
func startRuntime(flow sluice.Flow, synchronous bool, recording runtime.Recording) func(at site) (*subject, error) {
	flow.IsSynchronous = synchronous
	return func(at site) (*subject, error) {
		return serveFlow(flow, runtime.Options{Database: filepath.Join(at.Dir, "bench.db"), Recording: recording})
	}
}

func serveFlow(flow sluice.Flow, options runtime.Options) (*subject, error) {
	options.RateLimit = -1 // What is measured has one endpoint.
	return serveIntegration(&sluice.Integration{Name: "Bench", Flows: []sluice.Flow{flow}}, options, runtime.Deployment{}, nil)
}

// startGateway serves a flow behind everything that the gateway does: a rate that is
// counted, an API key, and the endpoint of all customers, whose flow and customer stand in
// the body.
func startGateway(at site) (*subject, error) {
	flow := idle
	flow.Name, flow.EndpointSecurityType = "order.created", sluice.EndpointSecurityCustomerRequired
	integration := &sluice.Integration{
		Name: "Bench", Flows: []sluice.Flow{flow}, EndpointType: sluice.EndpointSharedInstance,
		TriggerPreprocessFlowConfig: &sluice.PreprocessFlowConfig{
			FlowNameField: "body.data.event", ExternalCustomerIDField: "body.data.customer.id",
		},
	}
	options := runtime.Options{Database: filepath.Join(at.Dir, "bench.db"), RateLimit: manyRequests}
	customer := runtime.Deployment{Customer: runtime.Customer{ExternalID: "cus_8842071"}}
	return serveIntegration(integration, options, customer, func(rt *runtime.Runtime, instance *runtime.Instance, header http.Header) error {
		key, err := rt.CreateAPIKey(context.Background(), instance.ID, flow.Name)
		header.Set("Api-Key", key)
		return err
	})
}

// manyRequests a second are counted and never reached.
const manyRequests = 100_000

// serveIntegration deploys an instance and serves its first flow over HTTP. prepare, if not
// nil, completes the headers of the requests.
func serveIntegration(
	integration *sluice.Integration, options runtime.Options, deployment runtime.Deployment,
	prepare func(rt *runtime.Runtime, instance *runtime.Instance, header http.Header) error,
) (*subject, error) {
	ctx := context.Background()
	options.Integrations = []*sluice.Integration{integration}
	options.Logger = slog.New(slog.DiscardHandler)
	rt, err := runtime.New(ctx, options)
	if err != nil {
		return nil, err
	}
	if err := rt.Start(ctx); err != nil {
		return nil, errors.Join(err, rt.Stop(ctx))
	}
	instance, err := rt.Deploy(ctx, deployment)
	if err != nil {
		return nil, errors.Join(err, rt.Stop(ctx))
	}
	endpoint, err := url.Parse(instance.WebhookURLs[integration.Flows[0].Name])
	header := http.Header{"Content-Type": {"application/json"}}
	if err == nil && prepare != nil {
		err = prepare(rt, instance, header)
	}
	if err != nil {
		return nil, errors.Join(err, rt.Stop(ctx))
	}
	return &subject{
		handler: rt.Handler(), path: endpoint.Path, header: header, body: order.Document(),
		stop: func() error { return rt.Stop(ctx) },
	}, nil
}
