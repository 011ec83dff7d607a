package sluicetest

import (
	"net/http"
)

// faultyTransport stands between the HTTP client of flows and the network.
type faultyTransport struct {
	life *life
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t *faultyTransport) RoundTrip(request *http.Request) (response *http.Response, err error) {
	defer t.life.exit()
	sent := false
	err = t.life.pass(request.Context(), requestSent, request.URL.Host, func() (err error) {
		sent = true
		response, err = t.next.RoundTrip(request) //nolint:bodyclose // It is closed below, or is the caller's.
		return err
	})
	if err == nil {
		return response, nil
	}
	if response != nil {
		_ = response.Body.Close()
	}
	if !sent && request.Body != nil {
		_ = request.Body.Close()
	}
	return nil, err
}
