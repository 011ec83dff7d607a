package simulation

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/internal/intercept"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	"github.com/sluice-go/sluice/store/sqlite"
)

// What a simulation is made of.
const (
	month     = 30 * 24 * time.Hour
	requests  = 100
	troubles  = 40
	customers = 3
	lease     = 15 * time.Second
)

// world is three processes on one store.
type world struct {
	t       *testing.T
	random  *rand.Rand
	db      *sqlite.Store
	history *history
	nodes   []*node
	// urls are the webhooks by customer and flow name.
	urls map[string]map[string]string
	// order numbers the requests.
	order int
	under sync.WaitGroup
}

// node is a process.
type node struct {
	name    string
	version string
	faults  *faults
	rt      *runtime.Runtime
}

func newWorld(t *testing.T, seed uint64) *world {
	t.Helper()
	db, err := sqlite.Open(t.Context(), ":memory:")
	require.NoError(t, err)
	w := &world{
		t: t, db: db, history: newHistory(), urls: map[string]map[string]string{},
		random: rand.New(rand.NewPCG(seed, 1)),
	}
	t.Cleanup(func() {
		for _, n := range w.nodes {
			w.kill(n)
		}
		require.NoError(t, db.Close())
	})
	for i := range 3 {
		n := &node{name: fmt.Sprintf("node %d", i), version: "1"}
		w.start(n)
		w.nodes = append(w.nodes, n)
	}
	w.deploy(w.nodes[0])
	return w
}

// start begins a new life of a process.
func (w *world) start(n *node) {
	n.faults = newFaults(w.random.Uint64())
	rt, err := runtime.New(w.t.Context(), runtime.Options{
		Integrations: []*sluice.Integration{definition(w.history, n.name, n.version)},
		Store:        intercept.New(w.db, n.faults.pass), Lease: lease, RateLimit: -1, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(w.t, err)
	require.NoError(w.t, rt.Start(w.t.Context()))
	n.rt = rt
}

// kill ends a process at once: nothing that it does from now on reaches the store.
func (w *world) kill(n *node) {
	w.history.died()
	n.faults.kill()
	ctx, cancel := context.WithCancel(w.t.Context())
	cancel()
	_ = n.rt.Stop(ctx) // Only its goroutines have to end.
}

// deploy brings every customer's instance to the version of the process.
func (w *world) deploy(n *node) {
	for i := range customers {
		name := fmt.Sprintf("customer %d", i)
		instance, err := n.rt.Deploy(w.t.Context(), runtime.Deployment{Customer: runtime.Customer{ExternalID: name}})
		if err != nil {
			continue // The store failed: the next deployment makes up for it.
		}
		w.urls[name] = instance.WebhookURLs
	}
}

// live runs a month: callers, and troubles.
func (w *world) live() {
	end := time.Now().Add(month)
	events := make([]func(), 0, requests+troubles)
	for range requests {
		events = append(events, w.request)
	}
	for range troubles {
		events = append(events, w.trouble)
	}
	w.random.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
	for i, event := range events {
		// Half of what happens comes in bursts.
		if w.random.IntN(2) == 0 {
			time.Sleep(2 * time.Until(end) / time.Duration(len(events)-i) * time.Duration(w.random.IntN(100)) / 100)
		}
		event()
	}
	time.Sleep(time.Until(end))
	w.under.Wait()
}

// request sends a webhook to a process that lives, as a balancer would.
func (w *world) request() {
	r := request{
		Customer: fmt.Sprintf("customer %d", w.random.IntN(customers)),
		Flow:     webhooks[w.random.IntN(len(webhooks))], At: time.Now(),
		Body: order{
			ID: w.order, About: fmt.Sprint(w.random.IntN(4)), //nolint:perfsprint // It is clearer.
			Fail: max(0, w.random.IntN(8)-3), Seconds: w.random.IntN(40),
		},
	}
	if w.random.IntN(10) != 0 { // One in ten repeats the last id.
		w.order++
	}
	n := w.nodes[w.random.IntN(len(w.nodes))]
	url, ok := w.urls[r.Customer][r.Flow]
	if !ok || n.faults.down() {
		return
	}
	handler := n.rt.Handler() // Meanwhile the process may begin another life.
	w.under.Go(func() {
		body, err := json.Marshal(r.Body)
		if err != nil {
			w.t.Error(err)
			return
		}
		answer := httptest.NewRecorder()
		sent := httptest.NewRequestWithContext(w.t.Context(), http.MethodPost, url, strings.NewReader(string(body)))
		sent.Header.Set("Content-Type", "application/json")
		handler.ServeHTTP(answer, sent)
		var accepted struct {
			ExecutionID string `json:"executionId"`
			Duplicate   bool   `json:"duplicate"`
		}
		_ = json.Unmarshal(answer.Body.Bytes(), &accepted)
		w.history.answer(answer.Code, accepted.ExecutionID, accepted.Duplicate, r)
	})
}

// trouble befalls a process or the store.
func (w *world) trouble() {
	n := w.nodes[w.random.IntN(len(w.nodes))]
	if n.faults.down() {
		return
	}
	length := time.Duration(w.random.Int64N(int64(4 * lease)))
	switch w.random.IntN(6) {
	case 0, 1:
		w.kill(n)
		w.later(length, func() { w.start(n) })
	case 2, 3:
		w.history.died()
		n.faults.pause()
		w.later(length, func() { w.resume(n) })
	case 4:
		n.faults.disturb(0.2, time.Duration(w.random.Int64N(int64(3*time.Second))))
		w.later(length, func() { n.faults.disturb(0, 0) })
	case 5:
		w.kill(n)
		n.version = fmt.Sprint(w.random.IntN(3)) //nolint:perfsprint // It is clearer.
		w.start(n)
		w.deploy(n)
	}
}

// resume ends the pause of a process.
func (w *world) resume(n *node) {
	w.history.resumed(n.name)
	n.faults.resume()
}

// later lets time pass and then mends what is broken. Meanwhile what is under way goes on,
// and requests arrive.
func (w *world) later(d time.Duration, mend func()) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		time.Sleep(min(time.Until(end), time.Duration(w.random.Int64N(int64(15*time.Second)))+time.Millisecond))
		w.request()
	}
	mend()
}

// settle waits until nothing is unfinished, and stops all.
func (w *world) settle() []*store.Record {
	for {
		time.Sleep(6 * time.Hour) // Longer than an execution takes with all its retries.
		records := w.records()
		if !unfinished(records) {
			for _, n := range w.nodes {
				require.NoError(w.t, n.rt.Stop(w.t.Context()))
			}
			return records
		}
	}
}

func unfinished(records []*store.Record) bool {
	for _, r := range records {
		if !r.Status.Final() {
			return true
		}
	}
	return false
}

// records are all executions, oldest first.
func (w *world) records() []*store.Record {
	var all []*store.Record
	for after := ""; ; after = all[len(all)-1].ID {
		page, err := w.db.Executions(w.t.Context(), store.Filter{OldestFirst: true}, after, 500)
		require.NoError(w.t, err)
		all = append(all, page...)
		if len(page) < 500 {
			return all
		}
	}
}
