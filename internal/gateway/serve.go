// Package gateway is the front of the runtime: it turns HTTP requests into calls of the
// engine, and what the engine answers into HTTP responses. It never sees the store.
package gateway

import (
	"net/http"
	"strings"
	"time"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/internal/engine"
)

// Options of a gateway. All are required; the runtime sets the defaults.
type Options struct {
	// MaxBodyBytes bounds a request's body.
	MaxBodyBytes int64
	// SyncTimeout is how long a synchronous caller waits.
	SyncTimeout time.Duration
	// RedirectResults sends synchronous callers to their result instead of the result.
	RedirectResults bool
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

// call is one request on its way through the stages.
type call struct {
	http.ResponseWriter
	request *http.Request
	// endpoint is its id; fragment is what follows it in the path, as the caller escaped it.
	endpoint, fragment string
	// target is the flow that is called.
	target engine.Target
	// payload is what was read of the request.
	payload *sluice.TriggerPayload
	// fired is the execution to be, once its trigger has seen the request.
	fired *engine.Fired
}

// ServeHTTP takes a request through the stages. The first that fails ends it.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{ResponseWriter: w, request: r}
	if !g.engine.Enter() {
		c.refuse(unavailable("The service is stopping or has not started."))
		return
	}
	defer g.engine.Leave()
	if secret, ok := strings.CutPrefix(r.URL.Path, resultPrefix); ok {
		if err := g.serveResult(c, secret); err != nil {
			g.refuse(c, err)
		}
		return
	}
	for _, stage := range [...]func(*call) error{g.resolve, g.authenticate, g.parse, g.fire, g.respond} {
		if err := stage(c); err != nil {
			g.refuse(c, err)
			return
		}
	}
}

// fire lets the flow's trigger see the request.
func (g *Gateway) fire(c *call) (err error) {
	c.fired, err = g.engine.Fire(c.request.Context(), c.target, c.payload)
	return err
}
