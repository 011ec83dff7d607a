package gateway

import (
	"errors"
	"net/http"
	"strings"

	"github.com/sluice-go/sluice/internal/engine"
)

// pathPrefix precedes the endpoint's id in every webhook URL.
const pathPrefix = "/trigger/"

// allowedMethods are those that an endpoint takes (seed 001); HEAD counts as GET.
const allowedMethods = "GET, POST, PUT, PATCH, DELETE"

// resolve finds what the request's endpoint is for.
func (g *Gateway) resolve(c *call) error {
	switch c.request.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
	default:
		return &refusal{
			status: http.StatusMethodNotAllowed, message: "Method " + c.request.Method + " is not allowed.", allow: allowedMethods,
		}
	}
	var ok bool
	if c.endpoint, c.fragment, ok = splitPath(c.request.URL.EscapedPath()); !ok {
		return errNotFound
	}
	var err error
	switch c.target, err = g.engine.Resolve(c.request.Context(), c.endpoint); {
	case errors.Is(err, engine.ErrUnknownEndpoint):
		return errNotFound
	case err != nil:
		return unavailable(cannotServe)
	}
	return nil
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
