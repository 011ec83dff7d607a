package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/bench/order"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
)

// local is a runtime that is called in its own process: its handler, with no network between.
type local struct {
	database store.Store
	runtime  *runtime.Runtime
	handler  http.Handler
	requests []*http.Request // One for each instance; only copies of them are sent.
	recorded *board[string]  // By the ids of executions.
}

// localOptions say what a local runtime is.
type localOptions struct {
	open      opener
	flow      sluice.Flow
	instances int           // How many instances of the flow there are; 0 is one.
	lease     time.Duration // As in the options of the runtime.
}

// startLocal deploys instances of a flow.
func startLocal(at site, options localOptions) (_ *local, err error) {
	l := &local{recorded: newBoard[string]()}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.stop())
		}
	}()
	if l.database, err = options.open(at); err != nil {
		return nil, err
	}
	ctx := context.Background()
	if l.runtime, err = runtime.New(ctx, runtime.Options{
		Store: &telling{Store: l.database, recorded: l.recorded}, RateLimit: -1, Logger: slog.New(slog.DiscardHandler), Lease: options.lease,
		Integrations: []*sluice.Integration{{Name: "Bench", Flows: []sluice.Flow{options.flow}}},
	}); err != nil {
		return nil, err
	}
	if err := l.runtime.Start(ctx); err != nil {
		return nil, err
	}
	l.handler = l.runtime.Handler()
	l.requests = make([]*http.Request, max(options.instances, 1))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(16)
	for i := range l.requests {
		group.Go(func() error {
			customer := fmt.Sprintf("customer-%d", i)
			deployed, err := l.runtime.Deploy(ctx, runtime.Deployment{Customer: runtime.Customer{ExternalID: customer}})
			if err != nil {
				return err
			}
			endpoint, err := url.Parse(deployed.WebhookURLs[options.flow.Name])
			l.requests[i] = &http.Request{
				Method: http.MethodPost, URL: endpoint, RequestURI: endpoint.RequestURI(), Host: endpoint.Host,
				Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, ContentLength: order.Size,
				Header: http.Header{"Content-Type": {"application/json"}},
			}
			return err
		})
	}
	return l, group.Wait()
}

func (l *local) stop() error {
	var faults []error
	if l.runtime != nil {
		faults = append(faults, l.runtime.Stop(context.Background()))
	}
	if l.database != nil {
		faults = append(faults, l.database.Close())
	}
	return errors.Join(faults...)
}

// send has an execution accepted, of any instance, and returns its id.
func (l *local) send() (string, error) {
	request := l.requests[rand.IntN(len(l.requests))].Clone(context.Background()) //nolint:gosec // Nobody is to be surprised.
	request.Body = body{bytes.NewReader(document)}
	response := answer{header: make(http.Header)}
	l.handler.ServeHTTP(&response, request)
	if response.status != http.StatusOK {
		return "", fmt.Errorf("the request was answered %d", response.status)
	}
	return response.header.Get("Prismatic-Executionid"), nil
}

var document = order.Document()

// body is the body of a request.
type body struct{ *bytes.Reader }

// Close implements [io.Closer].
func (body) Close() error { return nil }

// answer keeps what is asked of a response.
type answer struct {
	header http.Header
	status int
}

// Header implements [http.ResponseWriter].
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements [http.ResponseWriter].
func (a *answer) WriteHeader(status int) { a.status = status }

// Write implements [http.ResponseWriter].
func (a *answer) Write(data []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return len(data), nil
}

// telling is a store that tells of recorded outcomes.
type telling struct {
	store.Store

	recorded *board[string]
}

// Finish implements [store.Finisher].
func (t *telling) Finish(ctx context.Context, claim *store.Claim, outcome *store.Outcome) error {
	err := t.Store.Finish(ctx, claim, outcome)
	if err == nil {
		t.recorded.post(claim.Execution.ID)
	}
	return err
}

// startEndToEnd measures executions from their request to their recorded outcome.
func startEndToEnd(options localOptions) func(at site) (*subject, error) {
	return func(at site) (*subject, error) {
		l, err := startLocal(at, options)
		if err != nil {
			return nil, err
		}
		return &subject{
			operation: func(int) error {
				id, err := l.send()
				if err != nil {
					return err
				}
				return l.recorded.await(id)
			},
			stop: l.stop,
		}, nil
	}
}
