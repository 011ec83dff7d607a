// Package gateway is the front of the runtime: it turns HTTP requests into calls of the
// engine, and what the engine answers into HTTP responses. It never sees the store.
package gateway

import (
	"net/http"
	"time"

	"github.com/sluice-go/sluice/internal/engine"
)

// Options of a gateway. All are required; the runtime sets the defaults.
type Options struct {
	// MaxBodyBytes bounds a request's body.
	MaxBodyBytes int64
	// SyncTimeout is how long a synchronous caller waits.
	SyncTimeout time.Duration
}

// Gateway serves the webhook endpoints.
type Gateway struct {
	engine  *engine.Engine
	options Options
}

// New returns the gateway of an engine.
func New(e *engine.Engine, options Options) *Gateway {
	return &Gateway{engine: e, options: options}
}

// ServeHTTP takes a request through the stages: resolve, parse, fire, then accept or
// execute, and respond.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !g.engine.Enter() {
		refuse(w, unavailable("The service is stopping or has not started."))
		return
	}
	defer g.engine.Leave()
	call, err := g.resolve(r)
	if err != nil {
		refuse(w, err)
		return
	}
	payload, err := g.parse(w, r, call)
	if err != nil {
		g.refuseMalformed(w, call, payload, err)
		return
	}
	fired, err := g.engine.Fire(r.Context(), call.target, payload)
	if err != nil {
		g.refuseFired(w, fired, err)
		return
	}
	switch {
	case fired.Stop:
		respondCustom(w, fired, fired.Response)
	case fired.Response == nil && isSynchronous(r, call.target):
		g.execute(w, r, fired)
	default:
		g.accept(w, r, fired)
	}
}

// accept answers an asynchronous caller once the execution is durable.
func (g *Gateway) accept(w http.ResponseWriter, r *http.Request, fired *engine.Fired) {
	accepted, err := g.engine.Accept(r.Context(), fired)
	switch {
	case err != nil:
		g.refuseFired(w, fired, err)
	case fired.Response != nil:
		respondCustom(w, fired, fired.Response)
	default:
		respondAccepted(w, accepted)
	}
}

// execute answers a synchronous caller with the flow's result.
func (g *Gateway) execute(w http.ResponseWriter, r *http.Request, fired *engine.Fired) {
	finished, err := g.engine.Execute(r.Context(), fired, g.options.SyncTimeout)
	switch {
	case err != nil:
		g.refuseFired(w, fired, err)
	case finished.Duplicate:
		respondAccepted(w, finished.Accepted)
	default:
		respondReply(w, fired, finished.Reply)
	}
}
