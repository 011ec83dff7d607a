package sluicetest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
)

// Deliver sends any request to the runtime's handler, over HTTP, and reads the answer: also one
// of httptest.NewRequest, without a host, or for https. A runtime that crashes meanwhile gives
// none: the StatusCode is 0 then, see [Harness.Crash].
func (h *Harness) Deliver(request *http.Request) *Response {
	h.t.Helper()
	request = request.Clone(request.Context())
	request.RequestURI, request.URL.Scheme = "", "http"
	request.URL.Host = cmp.Or(request.URL.Host, request.Host, "sluice.test")
	response, err := h.client.Do(request)
	if err != nil {
		return h.unanswered(request, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return h.unanswered(request, err)
	}
	h.answers.add(response)
	return &Response{Response: response, Text: string(body), h: h}
}

// Dial opens a connection to the runtime's handler, for requests that an http.Client does not
// send. Close it.
func (h *Harness) Dial(ctx context.Context) (net.Conn, error) { return h.listener.dial(ctx, "", "") }

// Post delivers a body, as it is, as JSON to the webhook of a flow of the instance that was
// deployed last. Headers are pairs of name and value.
func (h *Harness) Post(flow, body string, headers ...string) *Response {
	h.t.Helper()
	return h.Webhook(flow).Header(headers...).Body("application/json", []byte(body))
}

// Webhook is a request to a flow that is not sent yet: JSON, Form and Body send it.
type Webhook struct {
	h        *Harness
	flow     string
	instance *runtime.Instance
	fragment string
	query    url.Values
	header   http.Header
	sign     *sluice.Signature
	secret   string
}

// Webhook begins a request to a flow, by its name, of the instance that was deployed last.
//
//	h.Webhook("New order").Header("X-Shop", "acme").Sign(sluice.GitHub(), secret).JSON(order)
func (h *Harness) Webhook(flow string) *Webhook {
	return &Webhook{h: h, flow: flow, query: url.Values{}, header: http.Header{}}
}

// To sends it to another instance.
func (w *Webhook) To(instance *runtime.Instance) *Webhook {
	w.instance = instance
	return w
}

// Header adds headers, as pairs of name and value.
func (w *Webhook) Header(pairs ...string) *Webhook {
	w.h.t.Helper()
	if len(pairs)%2 != 0 {
		w.h.t.Fatalf("headers are pairs of name and value: %q", pairs)
	}
	for pair := range slices.Chunk(pairs, 2) {
		w.header.Add(pair[0], pair[1])
	}
	return w
}

// Query adds a parameter to the URL.
func (w *Webhook) Query(name, value string) *Webhook {
	w.query.Add(name, value)
	return w
}

// Path adds a path to the URL of the webhook, as it is: it must be escaped.
func (w *Webhook) Path(fragment string) *Webhook {
	w.fragment = "/" + strings.TrimPrefix(fragment, "/")
	return w
}

// APIKey presents a key of the flow.
func (w *Webhook) APIKey(key string) *Webhook { return w.Header("Api-Key", key) }

// Synchronous says whether the answer is to be the flow's result, whatever the flow's default.
func (w *Webhook) Synchronous(synchronous bool) *Webhook {
	return w.Header("Prismatic-Synchronous", strconv.FormatBool(synchronous))
}

// Sign signs the request as the provider does, when it is sent: see [sluice.Signature.Sign].
func (w *Webhook) Sign(signature sluice.Signature, secret string) *Webhook {
	w.sign, w.secret = &signature, secret
	return w
}

// JSON posts the JSON of a value.
func (w *Webhook) JSON(v any) *Response {
	w.h.t.Helper()
	body, err := json.Marshal(v)
	if err != nil {
		w.h.t.Fatal(err)
	}
	return w.Body("application/json", body)
}

// Form posts the values of a form.
func (w *Webhook) Form(values url.Values) *Response {
	w.h.t.Helper()
	return w.Body("application/x-www-form-urlencoded", []byte(values.Encode()))
}

// Body posts bytes of a content type; without one, the request says nothing of it.
func (w *Webhook) Body(contentType string, body []byte) *Response {
	w.h.t.Helper()
	if contentType != "" {
		w.header.Set("Content-Type", contentType)
	}
	return w.h.Deliver(w.request(http.MethodPost, body))
}

// Get sends it without a body, with the method GET.
func (w *Webhook) Get() *Response {
	w.h.t.Helper()
	return w.h.Deliver(w.request(http.MethodGet, nil))
}

func (w *Webhook) request(method string, body []byte) *http.Request {
	w.h.t.Helper()
	if w.instance == nil {
		w.instance = w.h.Instance()
	}
	target := w.h.urlOf(w.instance, w.flow) + w.fragment
	if len(w.query) > 0 {
		target += "?" + w.query.Encode()
	}
	signed := sluice.SignedRequest{Method: method, URL: target, Header: w.header, Body: body}
	if w.sign != nil {
		var err error
		if signed, err = w.sign.Sign(signed, w.secret); err != nil {
			w.h.t.Fatal(err)
		}
	}
	request, err := http.NewRequestWithContext(w.h.t.Context(), method, signed.URL, bytes.NewReader(signed.Body))
	if err != nil {
		w.h.t.Fatal(err)
	}
	request.Header = signed.Header
	return request
}
