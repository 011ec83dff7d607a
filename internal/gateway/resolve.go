package gateway

import (
	"errors"
	"net/http"
	"strings"

	"github.com/sluice-go/sluice/internal/engine"
	"github.com/sluice-go/sluice/store"
)

// pathPrefix precedes the endpoint's id in every webhook URL.
const pathPrefix = "/trigger/"

// allowedMethods are those that an endpoint takes (seed 001); HEAD counts as GET.
const allowedMethods = "GET, POST, PUT, PATCH, DELETE"

// call is a request whose endpoint is known.
type call struct {
	target   engine.Target
	endpoint string
	// fragment is what follows the endpoint's id in the path, as the caller escaped it.
	fragment string
}

// resolve finds the flow that the request's endpoint starts.
func (g *Gateway) resolve(r *http.Request) (*call, error) {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
	default:
		return nil, &refusal{status: http.StatusMethodNotAllowed, message: "Method " + r.Method + " is not allowed.", allow: allowedMethods}
	}
	endpoint, fragment, ok := splitPath(r.URL.EscapedPath())
	if !ok {
		return nil, notFound
	}
	target, err := g.engine.Resolve(r.Context(), endpoint)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, notFound
	case err != nil:
		return nil, unavailable("The endpoint cannot be served at the moment.")
	}
	return &call{target: target, endpoint: endpoint, fragment: fragment}, nil
}

// splitPath splits /trigger/{endpoint}/{fragment}.
func splitPath(path string) (endpoint, fragment string, ok bool) {
	rest, ok := strings.CutPrefix(path, pathPrefix)
	if !ok {
		return "", "", false
	}
	endpoint, fragment, _ = strings.Cut(rest, "/")
	return endpoint, fragment, endpoint != ""
}
