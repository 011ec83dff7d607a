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

// parse reads the request into a payload. With an error the payload is what was read
// before it.
func (g *Gateway) parse(w http.ResponseWriter, r *http.Request, c *call) (*sluice.TriggerPayload, error) {
	payload := &sluice.TriggerPayload{
		Headers:      withoutLineage(sluice.NewHeaders(r.Header)),
		PathFragment: c.fragment,
		InvokeURL:    g.invokeURL(r, c),
		GlobalDebug:  isTrue(r.Header.Get(debugHeader)),
	}
	// A malformed parameter is not worth losing a webhook: the others count.
	payload.QueryParameters, _ = sluice.ParseQuery(r.URL.RawQuery)
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return payload, &refusal{status: http.StatusUnsupportedMediaType, message: "Content-Encoding " + encoding + " is not supported."}
	}
	raw, err := g.readBody(w, r)
	if err != nil {
		return payload, err
	}
	contentType := r.Header.Get("Content-Type")
	payload.RawBody = sluice.RawBody{Data: raw, ContentType: contentType}
	payload.Body, err = sluice.ParseBody(contentType, raw)
	return payload, err
}

// readBody reads the whole body, up to the limit.
func (g *Gateway) readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	limit := g.options.MaxBodyBytes
	if r.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	body := http.MaxBytesReader(w, r.Body, limit)
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
func (g *Gateway) invokeURL(r *http.Request, c *call) string {
	url := g.engine.EndpointURL(c.endpoint)
	if c.fragment != "" {
		url += "/" + c.fragment
	}
	if r.URL.RawQuery != "" {
		url += "?" + r.URL.RawQuery
	}
	return url
}

func isTrue(value string) bool { return strings.EqualFold(strings.TrimSpace(value), "true") }
