package gateway

import (
	"context"
	"time"

	"github.com/sluice-go/sluice/internal/engine"
)

// route finds the flow, and on an endpoint that instances share the instance, of a request
// to an endpoint that does not name them. Its time counts as the caller's waiting.
func (g *Gateway) route(c *call) error {
	if !c.target.NeedsRoute() {
		return nil
	}
	began := time.Now()
	ctx, cancel := context.WithTimeoutCause(c.request.Context(), g.options.SyncTimeout, engine.ErrRouteDeadline)
	defer cancel()
	targets, fired, err := g.engine.Route(ctx, c.target, c.payload)
	c.routing = time.Since(began)
	if err != nil || fired != nil {
		c.fired = fired
		return err
	}
	c.target = targets[0]
	if len(targets) > 1 {
		c.targets = targets
	}
	return nil
}
