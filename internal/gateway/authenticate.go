package gateway

import (
	"net/http"

	"github.com/sluice-go/sluice/internal/engine"
)

// apiKeyHeader carries the caller's API key.
const apiKeyHeader = "Api-Key"

// unauthorized is the answer to a wrong, a missing and a doubled key alike: it tells
// nothing of which keys, flows and customers there are. It leaves no record.
var unauthorized = &refusal{status: http.StatusUnauthorized, message: "A valid API key is required.", closes: true}

// authenticate checks the caller's API key before anything of the body is read.
func (g *Gateway) authenticate(c *call) error { return c.authorize(c.target) }

// authorize checks the caller's API key against those of a flow. A routed request is
// authorized twice: for the flow that routes it, and for its own as soon as that is known.
func (c *call) authorize(target engine.Target) error {
	if target.Authorize(c.presentedKeys()) != nil {
		return unauthorized
	}
	return nil
}

func (c *call) presentedKeys() []string { return c.request.Header.Values(apiKeyHeader) }
