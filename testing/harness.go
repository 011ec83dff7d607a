// Package sluicetest drives integrations in unit tests: the production runtime, its HTTP
// handler and its store in memory, on a virtual clock. A day of retries takes milliseconds.
//
//	func TestOrders(t *testing.T) {
//		sluicetest.Run(t, orders, func(t *testing.T, h *sluicetest.Harness) {
//			h.Deploy(runtime.Deployment{})
//			response := h.Post("New order", `{"id": 7}`)
//			require.Equal(t, 200, response.StatusCode)
//			h.Drain()
//			require.Equal(t, store.StatusSucceeded, h.Executions()[0].Status)
//		})
//	}
package sluicetest

import (
	"context"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
)

// Harness is a running runtime inside a synctest bubble.
type Harness struct {
	// Runtime under test, for what the harness has no word of its own for.
	Runtime *runtime.Runtime

	t        *testing.T
	listener *pipeListener
	client   *http.Client
	// urls of the flows that were deployed last, by flow name.
	urls map[string]string
}

// baseURL is where the harness's endpoints seem to be.
const baseURL = "http://sluice.test"

// Run calls test in a bubble with a virtual clock, with a runtime that serves the
// integration from memory. Afterwards the runtime is stopped; the test fails if it leaves
// goroutines behind. Inside, start no real servers and open no real connections: a bubble
// cannot see them at rest. Call Run in each subtest: a bubble has no subtests of its own.
func Run(t *testing.T, integration *sluice.Integration, test func(t *testing.T, h *Harness)) {
	t.Helper()
	RunOptions(t, runtime.Options{Integrations: []*sluice.Integration{integration}}, test)
}

// RunOptions is Run with options of the runtime. What they leave open is set for a test:
// a store in memory, a logger that writes to the test's log, and no rate limit, because on
// the virtual clock requests take no time.
func RunOptions(t *testing.T, options runtime.Options, test func(t *testing.T, h *Harness)) {
	t.Helper()
	RunFunc(t, func(*testing.T) runtime.Options { return options }, test)
}

// RunFunc is RunOptions with options that are made in the bubble, where a Store of your own
// belongs.
func RunFunc(t *testing.T, options func(t *testing.T) runtime.Options, test func(t *testing.T, h *Harness)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := start(t, options(t))
		defer h.stop()
		test(t, h)
	})
}

func start(t *testing.T, options runtime.Options) *Harness {
	t.Helper()
	if options.Store == nil && options.Database == "" {
		options.Database = ":memory:"
	}
	if options.Logger == nil {
		options.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	if options.RateLimit == 0 {
		options.RateLimit = -1
	}
	options.BaseURL = baseURL
	rt, err := runtime.New(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	if err := rt.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	h := &Harness{Runtime: rt, t: t}
	h.serve(rt.Handler())
	return h
}

// stopLimit is how long flows have to end when the test is over, in virtual time.
const stopLimit = time.Minute

func (h *Harness) stop() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(h.t.Context()), stopLimit)
	defer cancel()
	if err := h.Runtime.Stop(ctx); err != nil {
		h.t.Error(err)
	}
}

// Deploy deploys an instance; the zero Deployment is one for a default customer.
func (h *Harness) Deploy(d runtime.Deployment) *runtime.Instance {
	h.t.Helper()
	instance, err := h.Runtime.Deploy(h.t.Context(), d)
	if err != nil {
		h.t.Fatal(err)
	}
	h.urls = instance.WebhookURLs
	return instance
}

// URL is the webhook URL of a flow, by its name, of the instance that was deployed last.
func (h *Harness) URL(flow string) string {
	h.t.Helper()
	url, ok := h.urls[flow]
	if !ok {
		h.t.Fatalf("no flow %q is deployed: call Deploy first; names are compared exactly, deployed are %q", flow, slices.Sorted(maps.Keys(h.urls)))
	}
	return url
}

// Response is the answer to a request, with its body read.
type Response struct {
	*http.Response
	// Text is the body.
	Text string
}

// Deliver sends any request to the runtime's handler, over HTTP, and reads the answer.
func (h *Harness) Deliver(request *http.Request) *Response {
	h.t.Helper()
	response, err := h.client.Do(request)
	if err != nil {
		h.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return &Response{response, string(body)}
}

// Dial opens a connection to the runtime's handler, for requests that an http.Client does not
// send. Close it.
func (h *Harness) Dial(ctx context.Context) (net.Conn, error) { return h.listener.dial(ctx, "", "") }

// Post delivers a JSON body to the webhook of a flow of the instance that was deployed
// last. Headers are pairs of name and value.
func (h *Harness) Post(flow, body string, headers ...string) *Response {
	h.t.Helper()
	request, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, h.URL(flow), strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if len(headers)%2 != 0 {
		h.t.Fatalf("headers are pairs of name and value: %q", headers)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Add(headers[i], headers[i+1])
	}
	return h.Deliver(request)
}

// Drain waits, on the virtual clock, until no execution is queued, running or waiting for
// its time; what schedules start meanwhile is not waited for. It fails the test if that takes
// longer than a virtual year.
func (h *Harness) Drain() {
	h.t.Helper()
	const limit, step = 365 * 24 * time.Hour, time.Second
	began := time.Now()
	for waited := time.Duration(0); ; {
		synctest.Wait()
		due, busy := h.pending(began)
		if !busy {
			return
		}
		pause := max(step, time.Until(due))
		if waited += pause; waited > limit {
			h.t.Fatal("executions are still unfinished after a virtual year")
		}
		time.Sleep(pause)
	}
}

// pending tells whether executions are unfinished, and when the next waiting one is due. What a
// schedule started after began does not count.
func (h *Harness) pending(began time.Time) (due time.Time, busy bool) {
	for _, x := range h.Executions() {
		scheduled := x.InvokeType == sluice.InvokeSchedule || x.InvokeType == sluice.InvokePoll
		if x.Status.Final() || scheduled && x.AcceptedAt.After(began) {
			continue
		}
		busy = true
		if x.Status != store.StatusWaiting {
			return time.Time{}, true
		}
		if due.IsZero() || x.Due.Before(due) {
			due = x.Due
		}
	}
	return due, busy
}

// Advance lets virtual time pass, with everything that falls due in it.
func (h *Harness) Advance(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// Execution is what is on record of the execution with the id.
func (h *Harness) Execution(id string) *runtime.Execution {
	h.t.Helper()
	synctest.Wait()
	execution, err := h.Runtime.Execution(h.t.Context(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	return execution
}

// Executions are all that are on record, oldest first.
func (h *Harness) Executions() []*runtime.Execution {
	h.t.Helper()
	synctest.Wait()
	const page = 100
	var all []*runtime.Execution
	for after := ""; ; after = all[len(all)-1].ID {
		executions, err := h.Runtime.Executions(h.t.Context(), store.Filter{}, after, page)
		if err != nil {
			h.t.Fatal(err)
		}
		all = append(all, executions...)
		if len(executions) < page {
			break
		}
	}
	slices.Reverse(all)
	return all
}
