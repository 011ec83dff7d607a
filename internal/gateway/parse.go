package gateway

import (
	"strings"

	"github.com/sluice-go/sluice"
)

// debugHeader asks for debug output.
const debugHeader = "Prismatic-Debug"

// parse reads the request into a payload.
func (g *Gateway) parse(c *call) error {
	r := c.request
	c.payload = &sluice.TriggerPayload{
		Headers:      withoutLineage(sluice.NewHeaders(r.Header)),
		PathFragment: c.fragment,
		InvokeURL:    g.invokeURL(c),
		GlobalDebug:  isTrue(r.Header.Get(debugHeader)),
	}
	// A malformed parameter is not worth losing a webhook: the others count.
	c.payload.QueryParameters, _ = sluice.ParseQuery(r.URL.RawQuery)
	codings, err := contentEncodings(r.Header)
	if err != nil {
		return err
	}
	wire, err := g.readBody(c)
	if err != nil {
		return err
	}
	contentType := r.Header.Get("Content-Type")
	c.payload.RawBody = sluice.RawBody{Data: wire, ContentType: contentType}
	plain, err := g.inflate(c, codings, wire)
	if err != nil {
		return err
	}
	c.payload.Body, err = g.parseBody(contentType, plain)
	return err
}

// largeBody is the size from which on as many bodies are parsed at a time as there are
// processors: more would be no faster, and take memory for their parts.
const largeBody = 64 << 10

func (g *Gateway) parseBody(contentType string, plain []byte) (sluice.Body, error) {
	if len(plain) >= largeBody {
		g.parsing <- struct{}{}
		defer func() { <-g.parsing }()
	}
	return sluice.ParseBody(contentType, plain)
}

// withoutLineage drops what tells of callers within the platform: that is for the engine
// to set (design §2).
func withoutLineage(headers sluice.Headers) sluice.Headers {
	return headers.Without(func(name string) bool {
		rest, ok := strings.CutPrefix(name, "prismatic-")
		return ok && (rest == "executionid" || rest == "invoked-by" || rest == "invoke-type" || strings.HasPrefix(rest, "simulated-"))
	})
}

// invokeURL is the URL that was called, to the letter, on the configured base: never on the
// request's own host. Some providers sign it.
func (g *Gateway) invokeURL(c *call) string {
	asked := c.request.URL
	url := g.engine.EndpointURL(c.endpoint) + strings.TrimPrefix(asked.EscapedPath(), pathPrefix+c.endpoint)
	if asked.RawQuery != "" || asked.ForceQuery {
		url += "?" + asked.RawQuery
	}
	return url
}

func isTrue(value string) bool { return strings.EqualFold(strings.TrimSpace(value), "true") }

func isFalse(value string) bool { return strings.EqualFold(strings.TrimSpace(value), "false") }
