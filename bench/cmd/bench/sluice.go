package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/bench/order"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	"github.com/sluice-go/sluice/store/sqlite"
)

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
func startRuntime(flow sluice.Flow, synchronous bool, recording runtime.Recording) func(dir string) (*subject, error) {
	flow.IsSynchronous = synchronous
	return func(dir string) (*subject, error) {
		return serveFlow(flow, runtime.Options{Database: filepath.Join(dir, "bench.db"), Recording: recording})
	}
}

func serveFlow(flow sluice.Flow, options runtime.Options) (*subject, error) {
	options.RateLimit = -1 // What is measured has one endpoint.
	return serveIntegration(&sluice.Integration{Name: "Bench", Flows: []sluice.Flow{flow}}, options, runtime.Deployment{}, nil)
}

// startGateway serves a flow behind everything that the gateway does: a rate that is
// counted, an API key, and the endpoint of all customers, whose flow and customer stand in
// the body.
func startGateway(dir string) (*subject, error) {
	flow := idle
	flow.Name, flow.EndpointSecurityType = "order.created", sluice.EndpointSecurityCustomerRequired
	integration := &sluice.Integration{
		Name: "Bench", Flows: []sluice.Flow{flow}, EndpointType: sluice.EndpointSharedInstance,
		TriggerPreprocessFlowConfig: &sluice.PreprocessFlowConfig{
			FlowNameField: "body.data.event", ExternalCustomerIDField: "body.data.customer.id",
		},
	}
	options := runtime.Options{Database: filepath.Join(dir, "bench.db"), RateLimit: manyRequests}
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

// startAccept measures the store's acceptances alone: of what 64 callers bring, whatever
// waits shares a commit, or each has its own.
func startAccept(alone bool) func(dir string) (*subject, error) {
	return func(dir string) (*subject, error) {
		database, err := sqlite.Open(context.Background(), filepath.Join(dir, "bench.db"))
		if err != nil {
			return nil, err
		}
		var turn sync.Mutex
		return &subject{
			operation: func(int) error {
				if alone {
					turn.Lock()
					defer turn.Unlock()
				}
				_, err := acceptOne(database)
				return err
			},
			stop: database.Close,
		}, nil
	}
}

// startExecute measures executions from their acceptance to their recorded outcome,
// without HTTP and with a flow that takes no time.
func startExecute(dir string) (*subject, error) {
	database, err := sqlite.Open(context.Background(), filepath.Join(dir, "bench.db"))
	if err != nil {
		return nil, err
	}
	return &subject{
		operation: func(int) error {
			claim, err := acceptOne(database)
			if err != nil {
				return err
			}
			now := time.Now()
			return database.Finish(context.Background(), claim, &store.Outcome{
				Attempt: 1, Status: store.StatusSucceeded, StartedAt: now, EndedAt: now, Result: recordedResult,
			})
		},
		stop: database.Close,
	}, nil
}

// acceptOne takes an execution in and claims it.
func acceptOne(database store.Store) (*store.Claim, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	accepted, err := database.Accept(context.Background(), &store.Acceptance{
		Execution: &store.Execution{
			ID: id.String(), Integration: "Bench", Customer: "default", Instance: "bench", Flow: "idle", InvokeType: "webhook",
			AcceptedAt: time.Now(), Payload: store.Payload{Head: recordedHead, Body: order.Document()},
		},
		Worker: store.Worker{ID: "bench", Lease: time.Minute},
	})
	if err != nil {
		return nil, err
	}
	return accepted.Claim, nil
}

// What the engine records beside the body, for a request of the load generator.
var (
	recordedHead = []byte(`{"headers":{"content-length":["1024"],"content-type":["application/json"]},` +
		`"url":"http://127.0.0.1:8080/trigger/pv7n26ubdn-clVLVJYQolQ","at":"2026-01-02T03:04:05.678901234Z",` +
		`"rawType":"application/json","bodyType":"application/json","rawSize":1024,"same":true}`)
	recordedResult = []byte(`{"statusCode":200,"contentType":"application/json","data":null}`)
)
