package storetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluice-go/sluice/store"
)

func testQueuedLoads(t *testing.T, s *suite) {
	t.Helper()
	s.test(t, "what comes and goes", testQueued)
	s.crashTest(t, "what an earlier process left", func(t *testing.T, h *harness) {
		h.queue("a", "k", 1, 2)
		h.accept("b")
		h.wait(&store.Acceptance{Execution: execution(t, "c")}, time.Now().Add(time.Hour))
		before := map[string]int{"a": 2, "b": 1}
		h.requireQueued(before)
		h.crash()
		h.requireQueued(before)
		h.claim(2)
		h.requireQueued(map[string]int{"a": 1})
	})
	s.test(t, "what another accepted", func(t *testing.T, h *harness) {
		other := h.another()
		h.accept("a")
		h.accept("a")
		other.requireQueued(map[string]int{"a": 2})
		other.claim(1)
		h.requireQueued(map[string]int{"a": 1})
	})
}

// requireQueued asserts how many executions of each instance are queued, each with a payload
// of [execution].
func (h *harness) requireQueued(want map[string]int) {
	h.t.Helper()
	queued, err := h.Queued(h.ctx())
	require.NoError(h.t, err)
	loads := map[string]store.Load{}
	for instance, n := range want {
		size := execution(h.t, instance).Payload.Size()
		loads[instance] = store.Load{Count: n, Bytes: int64(n) * size}
	}
	require.Equal(h.t, loads, queued)
}

func testQueued(t *testing.T, h *harness) {
	h.requireQueued(nil)
	h.accept("a")
	ids := h.queue("a", "k", 1, 3)
	h.accept("\xff, which is not UTF-8")
	h.requireQueued(map[string]int{"a": 4, "\xff, which is not UTF-8": 1})

	running := h.run("b")
	over := &store.Acceptance{Execution: execution(t, "b"), Outcome: outcome(1, store.StatusSkipped)}
	h.acceptAs(over)
	h.requireQueued(map[string]int{"a": 4, "\xff, which is not UTF-8": 1})

	claims := h.claim(3) // The lane has one seat.
	h.requireQueued(map[string]int{"a": 2})
	h.cancel(ids[2], store.StatusCanceled)
	h.requireQueued(map[string]int{"a": 1})
	for _, claim := range claims {
		h.finish(claim, store.StatusSucceeded)
	}
	require.NoError(t, h.Release(h.ctx(), running, store.Pause{Until: time.Now().Add(time.Hour)}))
	h.requireQueued(map[string]int{"a": 1})
	h.cancel(running.Execution.ID, store.StatusCanceled)
	h.requireQueued(map[string]int{"a": 1})

	h.release(h.claim(1))
	h.requireQueued(map[string]int{"a": 1})
	again := h.claim(1)[0]
	require.NoError(t, h.Finish(h.ctx(), again, retry(1, time.Now().Add(-time.Second))))
	require.Eventually(t, func() bool { // It is due.
		queued, err := h.Queued(h.ctx())
		return err == nil && queued["a"].Count == 1
	}, 10*time.Second, 10*time.Millisecond)
	h.finish(h.claim(1)[0], store.StatusSucceeded)
	h.requireQueued(nil)
}

// compareBacklog counts what is queued. What is due may wait still, as may what resumes on the
// seat that it has kept over a crash.
func (m *model) compareBacklog(r *rapid.T) {
	least, most := map[string]store.Load{}, map[string]store.Load{}
	for _, e := range m.all {
		load := store.Load{Count: 1, Bytes: e.Payload.Size()}
		if e.Status == store.StatusQueued || e.due {
			most[e.Instance] = most[e.Instance].Add(load)
		}
		if e.Status == store.StatusQueued && !e.due && e.kept == none {
			least[e.Instance] = least[e.Instance].Add(load)
		}
	}
	queued, err := m.store.Queued(m.t.Context())
	require.NoError(r, err)
	for instance, load := range queued {
		require.LessOrEqual(r, load.Count, most[instance].Count)
		require.LessOrEqual(r, load.Bytes, most[instance].Bytes)
		require.Positive(r, load.Count)
	}
	for instance, load := range least {
		require.GreaterOrEqual(r, queued[instance].Count, load.Count)
		require.GreaterOrEqual(r, queued[instance].Bytes, load.Bytes)
	}
}
