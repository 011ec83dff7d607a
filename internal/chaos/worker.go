//go:build unix

package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
)

// lease is short, so that what a dead process held is soon run elsewhere.
const lease = 2 * time.Second

// throttle is how many executions of the flow "throttled" may run at once.
const throttle = 3

// flows are the names of the webhooks under load.
var flows = []string{"parallel", "sequential", "throttled"}

// order is the body of every request.
type order struct {
	// Lane and Number tell requests apart: those of a lane are sent one after the other.
	Lane   string `json:"lane"`
	Number int    `json:"number"`
	// Milliseconds is how long the work takes, Fail how many attempts fail.
	Milliseconds int `json:"milliseconds"`
	Fail         int `json:"fail"`
}

// work is the worker process: it serves until it is killed.
func work(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("worker", flag.ContinueOnError)
	database := flags.String("database", "", "SQLite file or PostgreSQL URL")
	folder := flags.String("folder", "", "where to note what runs")
	if err := flags.Parse(args); err != nil {
		return err
	}
	db, err := open(ctx, *database)
	if err != nil {
		return err
	}
	notes, err := os.OpenFile(filepath.Join(*folder, fmt.Sprintf("notes-%d", os.Getpid())), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	rt, err := runtime.New(ctx, runtime.Options{
		Integrations: []*sluice.Integration{definition(&notebook{notes})},
		Store:        db, Lease: lease, RateLimit: -1, BaseURL: "http://" + listener.Addr().String(),
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError + 4})),
	})
	if err != nil {
		return err
	}
	if err := rt.Start(ctx); err != nil {
		return err
	}
	instance, err := rt.Deploy(ctx, runtime.Deployment{})
	if err != nil {
		return err
	}
	// The parent waits for this line.
	if err := json.NewEncoder(os.Stdout).Encode(instance.WebhookURLs); err != nil {
		return err
	}
	server := &http.Server{Handler: rt.Handler(), ReadHeaderTimeout: time.Second}
	return server.Serve(listener)
}

// definition is what runs under load.
func definition(notes *notebook) *sluice.Integration {
	flow := func(name string, queue sluice.QueueConfig) sluice.Flow {
		return sluice.Flow{
			Name: name, StableKey: name, QueueConfig: queue, OnExecution: notes.execute,
			RetryConfig: &sluice.RetryConfig{MaxAttempts: 3},
		}
	}
	return &sluice.Integration{
		Name: "Chaos", Version: "1",
		Flows: []sluice.Flow{
			flow("parallel", nil),
			flow("sequential", sluice.SequentialQueueConfig{}),
			flow("throttled", sluice.ThrottledQueueConfig{ConcurrencyLimit: throttle}),
		},
	}
}

// errOrdered is the failure that a request asks for.
var errOrdered = errors.New("this order fails")

// execute notes when it starts, runs a step, and ends.
func (n *notebook) execute(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
	var o order
	if err := run.Payload.Body.Decode(&o); err != nil {
		return nil, sluice.Permanent(err)
	}
	note := note{Execution: run.ExecutionID, Flow: run.Flow.Name, Number: o.Number, Attempt: run.Attempt}
	n.write(note, "start")
	defer n.write(note, "end")
	if err := run.InstanceState().Increment(ctx, "done", 1); err != nil {
		return nil, err
	}
	if _, err := sluice.Step(ctx, "charge", func(ctx context.Context) (int, error) {
		n.write(note, "step")
		return o.Number, pause(ctx, time.Duration(o.Milliseconds)*time.Millisecond)
	}); err != nil {
		return nil, err
	}
	n.write(note, "stepped")
	if run.Attempt <= o.Fail {
		return nil, errOrdered
	}
	return &sluice.Result{Data: o.Number}, nil
}

// pause lets time pass, as a call to another system does.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// doneScope is the state that every success counts in.
func doneScope(instance, flow string) store.Scope {
	return store.Scope{Kind: store.ScopeFlow, ID: instance, Flow: flow}
}
