package sluicetest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"testing"

	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	"github.com/sluice-go/sluice/store/sqlite"
)

// Options of a harness.
type Options struct {
	// Runtime holds the options of the runtime under test: its integrations, its components, the
	// Transport that stands in for the services which flows call. What it leaves open is set for
	// a test: a Database in memory, a Logger that writes to the test's log, and no RateLimit,
	// because on the virtual clock requests take no time. Without a Transport requests of flows
	// are errors, unless RealTime is set: no test reaches the network by omission. Its Store is
	// not closed. BaseURL is always http://sluice.test.
	Runtime runtime.Options
	// Deployments are made before the test begins, for one customer after the other.
	Deployments []runtime.Deployment
	// OpenStore opens the runtime's database, which the harness closes. It is called in the
	// bubble: there belongs what starts goroutines or timers. Defaults to SQLite at the
	// runtime's Database; give one of that, OpenStore and the runtime's Store.
	OpenStore func(ctx context.Context) (store.Store, error)
	// RealTime lets the test run outside a bubble, on the clock of the machine, for what
	// a bubble cannot have: PostgreSQL, real servers and connections. Advance and Tick take the
	// time that they let pass, and Drain waits for at most a minute.
	RealTime bool
}

// baseURL is where the harness's endpoints seem to be.
const baseURL = "http://sluice.test"

func (o Options) withDefaults(t *testing.T) Options {
	t.Helper()
	if o.Runtime.Logger == nil {
		o.Runtime.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	if o.Runtime.RateLimit == 0 {
		o.Runtime.RateLimit = -1
	}
	if o.Runtime.Transport == nil && !o.RealTime {
		o.Runtime.Transport = noTransport{}
	}
	o.Runtime.BaseURL = baseURL
	if o.OpenStore != nil || o.Runtime.Store != nil {
		return o
	}
	path := o.Runtime.Database
	if path == "" {
		path = ":memory:"
	}
	o.Runtime.Database = "" // The harness opens it.
	o.OpenStore = func(ctx context.Context) (store.Store, error) { return sqlite.Open(ctx, path) }
	return o
}

// noTransport refuses what flows request: a real connection would hold the virtual clock for ever.
type noTransport struct{}

// RoundTrip implements http.RoundTripper.
func (noTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Body != nil {
		defer request.Body.Close()
	}
	return nil, fmt.Errorf("sluicetest: the flow requests %s, and the test has no Options.Runtime.Transport: give it Hosts or a Recorder, or set RealTime",
		request.URL.Redacted())
}

func (o Options) open(ctx context.Context) (store.Store, error) {
	switch {
	case o.Runtime.Store == nil:
		return o.OpenStore(ctx)
	case o.OpenStore != nil:
		return nil, errors.New("sluicetest: Options.OpenStore and Options.Runtime.Store are both set: give one")
	default:
		return o.Runtime.Store, nil
	}
}
