package gateway

import (
	"errors"
	"io"
	"net/http"
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
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return &refusal{status: http.StatusUnsupportedMediaType, message: "Content-Encoding " + encoding + " is not supported."}
	}
	raw, err := g.readBody(c)
	if err != nil {
		return err
	}
	contentType := r.Header.Get("Content-Type")
	c.payload.RawBody = sluice.RawBody{Data: raw, ContentType: contentType}
	c.payload.Body, err = sluice.ParseBody(contentType, raw)
	return err
}

// readBody reads the whole body, up to the limit.
func (g *Gateway) readBody(c *call) ([]byte, error) {
	r, limit := c.request, g.options.MaxBodyBytes
	if r.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	body := http.MaxBytesReader(c.ResponseWriter, r.Body, limit)
	if r.ContentLength > 0 {
		data := make([]byte, r.ContentLength)
		_, err := io.ReadFull(body, data)
		return data, readError(err, limit)
	}
	data, err := io.ReadAll(body)
	return data, readError(err, limit)
}

func readError(err error, limit int64) error {
	var over *http.MaxBytesError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &over):
		return tooLarge(limit)
	default:
		return badRequest("The request's body could not be read.")
	}
}

// withoutLineage drops what tells of callers within the platform: that is for the engine
// to set (design §2).
func withoutLineage(headers sluice.Headers) sluice.Headers {
	return headers.Without(func(name string) bool {
		rest, ok := strings.CutPrefix(name, "prismatic-")
		return ok && (rest == "executionid" || rest == "invoked-by" || rest == "invoke-type" || strings.HasPrefix(rest, "simulated-"))
	})
}

// invokeURL is the URL that was called, on the configured base: never on the request's own
// host.
func (g *Gateway) invokeURL(c *call) string {
	url := g.engine.EndpointURL(c.endpoint)
	if c.fragment != "" {
		url += "/" + c.fragment
	}
	if query := c.request.URL.RawQuery; query != "" {
		url += "?" + query
	}
	return url
}

func isTrue(value string) bool { return strings.EqualFold(strings.TrimSpace(value), "true") }

func isFalse(value string) bool { return strings.EqualFold(strings.TrimSpace(value), "false") }
