package storetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/store"
)

func step(key string, attempt int) *store.Step {
	return &store.Step{
		Key: key, Name: "name of " + key, Attempt: attempt, StartedAt: start, EndedAt: start.Add(1_000_000),
		Result: []byte(`{"step":"` + key + `"}`), State: []byte(`["state"]`),
	}
}

func testJournal(t *testing.T, s *suite) {
	s.test(t, "in the order of recording", func(t *testing.T, h *harness) {
		claim, other := h.run("a"), h.run("a")
		want := []*store.Step{step("b", 1), step("a", 1), step("c", 1)}
		for _, step := range want {
			require.NoError(t, h.RecordStep(h.ctx(), claim, step))
		}
		require.NoError(t, h.RecordStep(h.ctx(), other, step("a", 1)))
		steps, err := h.Steps(h.ctx(), claim.Execution.ID)
		require.NoError(t, err)
		require.Equal(t, want, steps)
		require.Equal(t, want, h.record(claim.Execution.ID).Steps)
	})
	s.test(t, "an ignored error", func(t *testing.T, h *harness) {
		claim := h.run("a")
		ignored := step("a", 1)
		ignored.Result, ignored.Error = nil, "it failed"
		require.NoError(t, h.RecordStep(h.ctx(), claim, ignored))
		require.Equal(t, []*store.Step{ignored}, h.record(claim.Execution.ID).Steps)
	})
	s.test(t, "a key twice", func(t *testing.T, h *harness) {
		claim := h.run("a")
		again := step("a", 1)
		again.Result = []byte("2")
		require.NoError(t, h.RecordStep(h.ctx(), claim, step("a", 1)))
		require.NoError(t, h.RecordStep(h.ctx(), claim, again))
		steps, err := h.Steps(h.ctx(), claim.Execution.ID)
		require.NoError(t, err)
		require.Equal(t, []*store.Step{step("a", 1)}, steps)
	})
	s.test(t, "without steps", func(t *testing.T, h *harness) {
		steps, err := h.Steps(h.ctx(), h.accept("a").ID)
		require.NoError(t, err)
		require.Empty(t, steps)
	})
	s.test(t, "of a lost claim", func(t *testing.T, h *harness) {
		claim := h.run("a")
		require.NoError(t, h.Release(h.ctx(), claim, store.Pause{}))
		require.ErrorIs(t, h.RecordStep(h.ctx(), claim, step("a", 1)), store.ErrLeaseLost)
		current := h.claim(1)[0]
		require.ErrorIs(t, h.RecordStep(h.ctx(), claim, step("a", 1)), store.ErrLeaseLost)
		h.finish(current, store.StatusSucceeded)
		require.ErrorIs(t, h.RecordStep(h.ctx(), current, step("a", 1)), store.ErrLeaseLost)
		require.Empty(t, h.record(claim.Execution.ID).Steps)
	})
	s.crashTest(t, "after a crash", func(t *testing.T, h *harness) {
		claim := h.run("a")
		require.NoError(t, h.RecordStep(h.ctx(), claim, step("a", 1)))
		h.crash()
		claim = h.claim(1)[0]
		require.True(t, claim.Recovered)
		require.NoError(t, h.RecordStep(h.ctx(), claim, step("b", 1)))
		steps, err := h.Steps(h.ctx(), claim.Execution.ID)
		require.NoError(t, err)
		require.Equal(t, []*store.Step{step("a", 1), step("b", 1)}, steps)
	})
}
