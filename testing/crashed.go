package sluicetest

import (
	"context"
	"net/http"
)

// Crashed tells whether the runtime has crashed, and was not restarted since.
func (h *Harness) Crashed() bool { return h.life.isOver() }

// observing is the context of what the test itself asks of the store: no fault strikes it, and
// it is answered after a crash as well.
func (h *Harness) observing() context.Context {
	return context.WithValue(h.t.Context(), observer{}, true)
}

// unanswered is what a caller gets of a runtime that crashed meanwhile: nothing.
func (h *Harness) unanswered(request *http.Request, err error) *Response {
	h.t.Helper()
	if !h.Crashed() {
		h.t.Fatal(err)
	}
	return &Response{Response: &http.Response{
		Status: "without an answer: the runtime has crashed", Header: http.Header{}, Body: http.NoBody, Request: request,
	}, h: h}
}
