// Package runtime serves integrations inside your own process: webhook endpoints over
// net/http, durable executions on SQLite, instances for your customers.
//
//	rt, err := runtime.New(ctx, runtime.Options{Integrations: []*sluice.Integration{orders}, Database: "orders.db"})
//	if err != nil { … }
//	if err := rt.Start(ctx); err != nil { … }
//	instance, err := rt.Deploy(ctx, runtime.Deployment{})
//	if err != nil { … }
//	fmt.Println(instance.WebhookURLs["New order"])
//	err = http.ListenAndServe("127.0.0.1:8080", rt.Handler())
package runtime

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"

	"github.com/sluice-go/sluice/internal/engine"
	"github.com/sluice-go/sluice/internal/gateway"
	"github.com/sluice-go/sluice/store"
	"github.com/sluice-go/sluice/store/sqlite"
)

// Runtime serves the instances of its integrations. Its methods are safe for concurrent
// use.
type Runtime struct {
	engine  *engine.Engine
	gateway *gateway.Gateway
	store   store.Store
	// ownsStore says that the runtime opened the store and closes it.
	ownsStore bool

	stopping atomic.Bool
	stopped  chan struct{} // closed when stopErr is set
	stopErr  error
}

// New validates the integrations and opens the database. It reports every fault of the
// options at once. What it returns is not running yet: see Start. Stop releases the
// database, also of a runtime that was never started.
func New(ctx context.Context, options Options) (*Runtime, error) {
	if err := options.check(); err != nil {
		return nil, fmt.Errorf("runtime: %w", err)
	}
	options = options.withDefaults()
	rt := &Runtime{store: options.Store, stopped: make(chan struct{})}
	if rt.store == nil {
		opened, err := sqlite.Open(ctx, options.Database)
		if err != nil {
			return nil, fmt.Errorf("runtime: %w", err)
		}
		rt.store, rt.ownsStore = opened, true
	}
	var err error
	if rt.engine, err = engine.New(ctx, options.engine(rt.store)); err != nil {
		return nil, errors.Join(fmt.Errorf("runtime: %w", err), rt.closeStore())
	}
	rt.gateway = gateway.New(rt.engine, options.gateway())
	return rt, nil
}

// Start begins to run executions: those that arrive, and those that an earlier process
// left unfinished. The end of ctx does not end the runtime: see Stop.
func (rt *Runtime) Start(ctx context.Context) error {
	if err := rt.engine.Start(ctx); err != nil {
		return fmt.Errorf("runtime: %w", err)
	}
	return nil
}

// Stop ends the runtime. New requests are refused with 503 at once; what runs comes to its
// end until ctx ends, then it is cancelled with the cause [sluice.ErrStopping]. What is
// unfinished then runs again at the next start. Stop closes the database that New opened.
// The error tells of user code that did not return, or of the database. Further calls wait
// for the first and return its error.
func (rt *Runtime) Stop(ctx context.Context) error {
	if !rt.stopping.CompareAndSwap(false, true) {
		<-rt.stopped
		return rt.stopErr
	}
	defer close(rt.stopped)
	if err := errors.Join(rt.engine.Stop(ctx), rt.closeStore()); err != nil {
		rt.stopErr = fmt.Errorf("runtime: %w", err)
	}
	return rt.stopErr
}

func (rt *Runtime) closeStore() error {
	if !rt.ownsStore {
		return nil
	}
	return rt.store.Close()
}

// Handler serves the webhook endpoints, and the results that callers are redirected to, below
// /trigger/. Mount it with [http.StripPrefix] below another path, and give that to
// Options.BaseURL.
func (rt *Runtime) Handler() http.Handler { return rt.gateway }
