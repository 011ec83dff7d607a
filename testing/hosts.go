package sluicetest

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
)

// Hosts stands for the systems that flows call: handlers in memory, by the host of the URL,
// such as "shop.test". As Options.Transport it is the way out of the flows; a request to a
// host that is missing is an error, so that no test reaches the network. A handler that calls
// webhooks itself does so with [Harness.Client].
type Hosts map[string]http.Handler

// RoundTrip implements http.RoundTripper.
func (h Hosts) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Body != nil {
		defer request.Body.Close()
	}
	if err := context.Cause(request.Context()); err != nil {
		return nil, err
	}
	handler, ok := h[request.URL.Host]
	if !ok {
		return nil, fmt.Errorf("sluicetest: no handler for the host %q: Hosts has %q", request.URL.Host, slices.Sorted(maps.Keys(h)))
	}
	received := request.Clone(request.Context())
	received.RequestURI = request.URL.RequestURI()
	if received.Host == "" {
		received.Host = request.URL.Host
	}
	if received.Body == nil {
		received.Body = http.NoBody
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, received)
	response := recorder.Result()
	response.Request = request
	return response, nil
}

// Client sends requests to the runtime's handler, whatever their host, and follows no
// redirects. It is for code that calls webhooks; tests have [Harness.Deliver] and
// [Harness.Post].
func (h *Harness) Client() *http.Client { return h.client }
