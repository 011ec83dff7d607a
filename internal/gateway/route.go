package gateway

import (
	"errors"
	"time"

	"github.com/sluice-go/sluice/internal/engine"
)

// route finds the flow, and on an endpoint that instances share the instance, of a request
// to an endpoint that does not name them, and checks the caller's API key against the
// flow's. Its time counts as the caller's waiting.
func (g *Gateway) route(c *call) error {
	if !c.target.NeedsRoute() {
		return nil
	}
	began := time.Now()
	targets, fired, err := g.engine.Route(c.request.Context(), c.target, c.request.Method, c.payload)
	c.routing = time.Since(began)
	if err != nil || fired != nil {
		c.fired = fired
		return g.hideCustomers(c, err)
	}
	for _, target := range targets {
		if err := c.authorize(target); err != nil {
			return err
		}
	}
	c.target = targets[0]
	if len(targets) > 1 {
		c.targets = targets
	}
	return nil
}

// hideCustomers turns the refusal of an unknown customer into that of a wrong key, where
// customers have keys.
func (g *Gateway) hideCustomers(c *call, err error) error {
	unrouted, ok := errors.AsType[*engine.RouteError](err)
	if !ok || !unrouted.UnknownCustomer {
		return err
	}
	switch denied := g.engine.AuthorizeUnknown(c.request.Context(), unrouted, c.presentedKeys()); {
	case errors.Is(denied, engine.ErrUnauthorized):
		return unauthorized
	case denied != nil:
		return unavailable(cannotServe)
	default:
		return err
	}
}
