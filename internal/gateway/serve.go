// Package gateway is the front of the runtime: it turns HTTP requests into calls of the
// engine, and what the engine answers into HTTP responses. It never sees the store.
package gateway

import (
	"net/http"
	"runtime"
	"strings"
	"time"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/internal/engine"
)

// Options of a gateway. All are required; the runtime sets the defaults.
type Options struct {
	// MaxBodyBytes bounds a request's body, as it comes and after each decompression.
	MaxBodyBytes int64
	// MaxInFlightBytes bounds the bodies of all requests that are under way.
	MaxInFlightBytes int64
	// RateLimit is how many requests an endpoint takes in a second; negative is no limit.
	RateLimit int
	// ReadTimeout is how long a body may take to arrive.
	ReadTimeout time.Duration
	// SyncTimeout is how long a synchronous caller waits.
	SyncTimeout time.Duration
	// RedirectResults sends synchronous callers to their result instead of the result.
	RedirectResults bool
}

// Gateway serves the webhook endpoints.
type Gateway struct {
	engine   *engine.Engine
	options  Options
	rate     *rateLimiter
	results  *rateLimiter // by the secret of the result
	inFlight budget
	parsing  chan struct{} // a place each for large bodies that are being parsed
	reading  chan struct{} // a place each for results that are being read
}

// New returns the gateway of an engine.
func New(e *engine.Engine, options Options) *Gateway {
	g := &Gateway{
		engine: e, options: options, rate: newRateLimiter(options.RateLimit), results: newRateLimiter(options.RateLimit),
		parsing: make(chan struct{}, runtime.GOMAXPROCS(0)), reading: make(chan struct{}, runtime.GOMAXPROCS(0)),
	}
	g.inFlight.free.Store(options.MaxInFlightBytes)
	return g
}

// call is one request on its way through the stages.
type call struct {
	http.ResponseWriter
	request *http.Request
	// held is what of the gateway's budget the body takes, or the result.
	held int64
	// bodyRead says that nothing of the body is left on the connection.
	bodyRead bool
	// endpoint is its id; fragment is what follows it in the path, as the caller escaped it.
	endpoint, fragment string
	// target is what is called: without a flow until route has found it. targets are all of
	// them where there are several.
	target  engine.Target
	targets []engine.Target
	// routing is how long route took.
	routing time.Duration
	// payload is what was read of the request.
	payload *sluice.TriggerPayload
	// fired is the execution to be, once its trigger has seen the request: the first where
	// there are several, allFired.
	fired    *engine.Fired
	allFired []*engine.Fired
}

// ServeHTTP takes a request through the stages. The first that fails ends it.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{ResponseWriter: w, request: r}
	if !g.engine.Enter() {
		c.refuse(unavailable("The service is stopping or has not started."))
		return
	}
	defer g.engine.Leave()
	defer func() { g.inFlight.give(c.held) }()
	if secret, ok := strings.CutPrefix(r.URL.Path, resultPrefix); ok {
		if err := g.serveResult(c, secret); err != nil { //nolint:contextcheck // Its context is the request's.
			g.refuse(c, err)
		}
		return
	}
	for _, stage := range [...]func(*call) error{g.resolve, g.admit, g.authenticate, g.parse, g.route, g.fire, g.respond} {
		if err := stage(c); err != nil {
			g.refuse(c, err)
			return
		}
	}
}

// fire lets the flow's trigger see the request.
func (g *Gateway) fire(c *call) (err error) {
	switch {
	case c.fired != nil:
		return nil // The preprocess flow's trigger has answered.
	case c.targets != nil:
		return g.fireAll(c)
	}
	c.fired, err = g.engine.Fire(c.request.Context(), c.target, c.request.Method, c.payload)
	return err
}
