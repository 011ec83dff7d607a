// Package sluicetest drives integrations in unit tests: the production runtime, its HTTP
// handler and its store in memory, on a virtual clock. A day of retries takes milliseconds.
//
//	func TestOrders(t *testing.T) {
//		sluicetest.Run(t, orders, func(t *testing.T, h *sluicetest.Harness) {
//			h.Deploy(runtime.Deployment{})
//			response := h.Post("New order", `{"id": 7}`).RequireStatus(200)
//			h.Drain()
//			response.Execution().RequireSucceeded()
//		})
//	}
package sluicetest

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
)

// Harness is a running runtime under test. Its methods end the test when something fails that
// the test does not ask about; call them from the test's goroutine, except Deliver, Dial and what
// a Webhook sends, while nothing deploys or restarts.
type Harness struct {
	// Runtime under test, for what the harness has no word of its own for. Restart replaces it.
	Runtime *runtime.Runtime
	// Store is the runtime's database.
	Store store.Store

	t       testing.TB
	options Options
	// handler is that of the current Runtime.
	handler  atomic.Pointer[http.Handler]
	listener *pipeListener
	server   *http.Server
	served   chan struct{} // closed when the server has ended
	client   *http.Client
	// instances that are deployed, the one that was deployed last at the end.
	instances []*runtime.Instance
	// life is that of the current Runtime. Faults strike in it.
	life    *life
	faults  faults
	answers answers
	// unfinished is set where the test leaves executions unfinished on purpose.
	unfinished bool
}

// Run calls test with a runtime that serves the integration from memory, in a bubble with a
// virtual clock (see [synctest]): time passes only while everything waits for it. Inside, start
// no real servers and open no real connections: a bubble cannot see them at rest. Call Run in
// each subtest: a bubble has no subtests of its own.
//
// Afterwards the runtime is stopped. The test fails if it leaves goroutines behind, and if
// executions are unfinished: see [Harness.Drain] and [Harness.LeaveUnfinished].
//
// [synctest]: https://pkg.go.dev/testing/synctest
func Run(t *testing.T, integration *sluice.Integration, test func(t *testing.T, h *Harness)) {
	t.Helper()
	RunOptions(t, Options{Runtime: runtime.Options{Integrations: []*sluice.Integration{integration}}}, test)
}

// RunOptions is Run with options.
func RunOptions(t *testing.T, options Options, test func(t *testing.T, h *Harness)) {
	t.Helper()
	run := func(t *testing.T) {
		t.Helper()
		h := &Harness{t: t, options: options.withDefaults(t)}
		defer h.close()
		h.open()
		test(t, h)
		h.requireFinished()
		h.requireStruck()
	}
	if options.RealTime {
		realTime(t, run)
	} else {
		bubble(t, run)
	}
}

// open brings the harness up.
func (h *Harness) open() {
	h.t.Helper()
	var err error
	if h.Store, err = h.options.open(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	h.start()
	h.serve()
	for _, deployment := range h.options.Deployments {
		h.Deploy(deployment)
	}
}

// close takes down what open brought up, however far it came.
func (h *Harness) close() {
	if h.Runtime != nil {
		h.stop()
	}
	if h.client != nil {
		h.closeServer()
	}
	if h.Store == nil || h.options.Runtime.Store != nil {
		return
	}
	if err := h.Store.Close(); err != nil {
		h.t.Error(err)
	}
}

func (h *Harness) start() {
	h.t.Helper()
	l := newLife(&h.faults, h.Store)
	rt, err := runtime.New(h.t.Context(), l.decorate(h.options.Runtime))
	if err != nil {
		h.t.Fatal(err)
	}
	h.Runtime, h.life = rt, l
	l.begin(rt)
	handler := l.handler(rt.Handler())
	h.handler.Store(&handler)
	if err := rt.Start(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

// stopLimit is how long flows have to end when the test is over.
const stopLimit = time.Minute

func (h *Harness) stop() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(h.t.Context()), stopLimit)
	defer cancel()
	if err := h.Runtime.Stop(ctx); err != nil && !h.Crashed() {
		h.t.Error(err)
	}
}

// Restart stops the runtime, as at the end of a process, unless it has crashed: what runs comes
// to its end, or is cancelled after a minute. Then it starts another on the same store, with the
// same options. What a crashed one was running goes on after its lease, at most: 15 seconds.
func (h *Harness) Restart() {
	h.t.Helper()
	h.stop()
	h.start()
}
