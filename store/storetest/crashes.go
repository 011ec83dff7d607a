package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/store"
)

func testCrashes(t *testing.T, s *suite) {
	s.crashTest(t, "of a claimed one", func(t *testing.T, h *harness) {
		claim := h.run("a")
		require.Zero(t, claim.Crashes)
		for crashes := 1; crashes < 5; crashes++ {
			h.crash()
			claim = h.claim(1)[0]
			require.Equal(t, crashes, claim.Crashes)
			require.Equal(t, 1, claim.Attempt)
		}
		h.finish(claim, store.StatusFailed)
		h.crash()
		h.nothingReady()
	})
	s.crashTest(t, "of one that only waits", func(t *testing.T, h *harness) {
		h.run("a")
		waits := h.accept("a")
		for range 3 {
			h.crash()
		}
		for crashes := 1; crashes < 5; crashes++ {
			claims := h.claim(2)
			if claims[0].Execution.ID == waits.ID {
				slices.Reverse(claims)
			}
			require.Equal(t, crashes, claims[0].Crashes)
			require.LessOrEqual(t, claims[1].Crashes, 1, "it may merely have been ready")
			h.release(claims[1:])
			h.crash()
		}
	})
	s.crashTest(t, "of a released one", func(t *testing.T, h *harness) {
		h.run("a")
		for range 3 {
			h.crash()
			claims := h.claim(1)
			require.Equal(t, 1, claims[0].Crashes)
			h.release(claims)
		}
	})
	s.crashTest(t, "after a step", func(t *testing.T, h *harness) {
		claim := h.run("a")
		for _, key := range []string{"a", "b", "c", "d"} {
			require.NoError(t, h.RecordStep(h.ctx(), claim, step(key, 1)))
			for crashes := 1; crashes < 3; crashes++ {
				h.crash()
				claim = h.claim(1)[0]
				require.Equal(t, crashes, claim.Crashes)
			}
		}
	})
	s.crashTest(t, "after an attempt", func(t *testing.T, h *harness) {
		h.run("a")
		h.crash()
		h.claim(1)
		h.crash()
		claim := h.claim(1)[0]
		require.Equal(t, 2, claim.Crashes)
		require.NoError(t, h.Finish(h.ctx(), claim, retry(1, time.Now().Add(-time.Second))))
		require.LessOrEqual(t, h.claim(1)[0].Crashes, 1)
		h.crash()
		require.LessOrEqual(t, h.claim(1)[0].Crashes, 2)
	})
	s.crashTest(t, "suspects run one at a time", testSuspects)
	s.crashTest(t, "suspects leave the other seats of their lane", func(t *testing.T, h *harness) {
		h.acceptAs(&store.Acceptance{Execution: inLane(t, "a", "k", 2), Worker: worker("w1")})
		h.crash()
		suspect := h.claim(1)
		h.crash()
		behind := inLane(t, "a", "k", 2)
		h.acceptAs(&store.Acceptance{Execution: behind})
		require.Equal(t, ids(suspect), ids(h.claim(1)))
		require.Equal(t, []string{behind.ID}, ids(h.claim(1)))
	})
	s.crashTest(t, "suspects make progress", func(t *testing.T, h *harness) {
		h.run("a")
		h.run("b")
		h.crash()
		for _, claim := range h.claim(2) {
			require.NoError(t, h.RecordStep(h.ctx(), claim, step("a", 1)))
		}
		h.crash()
		claim := h.claim(1)[0]
		require.Equal(t, 1, claim.Crashes)
		h.nothingReady()
		h.finish(claim, store.StatusSucceeded)
		require.Equal(t, 1, h.claim(1)[0].Crashes)
	})
}

// testSuspects claims those during which the process died twice one after the other, and
// others beside them.
func testSuspects(t *testing.T, h *harness) {
	var suspects []string
	for _, instance := range []string{"a", "b", "a", "c", "a", "a"} {
		suspects = append(suspects, h.run(instance).Execution.ID)
	}
	h.crash()
	h.claim(len(suspects))
	h.crash()
	first := h.claim(1)
	require.Equal(t, suspects[:1], ids(first))
	h.nothingReady()

	other := h.accept("a")
	require.Equal(t, []string{other.ID}, ids(h.claim(1)))
	h.nothingReady()

	h.release(first)
	first = h.claim(1)
	require.Equal(t, suspects[:1], ids(first), "given back, it is the first again")
	require.NoError(t, h.RecordStep(h.ctx(), first[0], step("a", 1)))
	h.nothingReady() // It is still the one that runs.
	h.finish(first[0], store.StatusSucceeded)
	second := h.claim(1)
	require.Equal(t, suspects[1:2], ids(second))
	h.nothingReady()

	h.crash()
	found := map[string]int{}
	for _, claim := range h.claim(2) {
		found[claim.Execution.ID] = claim.Crashes
	}
	require.Equal(t, map[string]int{suspects[1]: 3, other.ID: 1}, found)
	h.nothingReady()
}
