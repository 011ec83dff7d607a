package storetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/store"
)

func testPauses(t *testing.T, s *suite) {
	s.test(t, "of an execution", func(t *testing.T, h *harness) { testSleep(t, h, func() {}) })
	s.crashTest(t, "of an execution over a crash", func(t *testing.T, h *harness) { testSleep(t, h, h.crash) })
	s.test(t, "that keep the seat", func(t *testing.T, h *harness) { testSleepOnSeat(t, h, func() {}) })
	s.crashTest(t, "that keep the seat over a crash", func(t *testing.T, h *harness) { testSleepOnSeat(t, h, h.crash) })
	s.test(t, "that keep the seat and end at once", func(t *testing.T, h *harness) {
		list := h.queue("a", "k", 2, 3)
		claims := h.claimsOnly(list[:2]...)
		require.NoError(t, h.Release(h.ctx(), claims[1], store.Pause{KeepSeat: true}))
		require.NoError(t, h.Release(h.ctx(), claims[0], store.Pause{KeepSeat: true}))
		require.Equal(t, store.StatusQueued, h.record(list[0]).Status)
		h.claimsOnly(list[:2]...)
	})
	s.test(t, "that end", func(t *testing.T, h *harness) {
		claim := h.run("a")
		require.NoError(t, h.Release(h.ctx(), claim, store.Pause{Until: start, KeepSeat: true}))
		require.ErrorIs(t, h.Release(h.ctx(), claim, store.Pause{Until: start}), store.ErrLeaseLost)
		require.Equal(t, []string{claim.Execution.ID}, ids(h.claim(1)))
	})
	s.test(t, "of an instance", testPausedInstance)
	s.crashTest(t, "of an instance over a crash", func(t *testing.T, h *harness) {
		i, id := pausedInstance(h)
		h.crash()
		h.nothingReady()
		i.Paused = false
		require.NoError(t, h.PutInstance(h.ctx(), i))
		h.claimsOnly(id)
	})
	s.crashTest(t, "of an instance with suspects", func(t *testing.T, h *harness) {
		i := instance(t, "acme", "main")
		i.Paused = false
		require.NoError(t, h.PutInstance(h.ctx(), i))
		first, second := h.run(i.ID), h.run("b")
		h.crash()
		h.claim(2)
		h.crash()
		i.Paused = true
		require.NoError(t, h.PutInstance(h.ctx(), i))
		h.finish(h.claimsOnly(second.Execution.ID)[0], store.StatusSucceeded)
		h.nothingReady()
		i.Paused = false
		require.NoError(t, h.PutInstance(h.ctx(), i))
		h.claimsOnly(first.Execution.ID)
	})
}

// pausedInstance deploys one with an execution that is ready, and pauses it.
func pausedInstance(h *harness) (*store.Instance, string) {
	h.t.Helper()
	i := instance(h.t, "acme", "main")
	i.Paused = false
	require.NoError(h.t, h.PutInstance(h.ctx(), i))
	e := h.accept(i.ID)
	i.Paused = true
	require.NoError(h.t, h.PutInstance(h.ctx(), i))
	return i, e.ID
}

func testPausedInstance(t *testing.T, h *harness) {
	i, first := pausedInstance(h)
	h.nothingReady()
	other := h.accept("other")
	h.claimsOnly(other.ID)
	for _, limit := range []int{0, 1} {
		e, claim := h.runIn(i.ID, "k", limit)
		require.Nil(t, claim, "nothing of it is claimed")
		require.Equal(t, store.StatusQueued, h.record(e.ID).Status)
	}
	h.nothingReady()
	claimed := make(chan []*store.Claim)
	go func() {
		claims, err := h.Claim(h.ctx(), worker("w1"), 1)
		if err != nil {
			t.Error(err)
		}
		claimed <- claims
	}()
	i.Paused = false
	require.NoError(t, h.PutInstance(h.ctx(), i))
	claims := append(<-claimed, h.claim(2)...)
	require.Contains(t, ids(claims), first)

	i.Paused = true
	require.NoError(t, h.PutInstance(h.ctx(), i))
	h.finish(claims[0], store.StatusSucceeded)
	require.NoError(t, h.Finish(h.ctx(), claims[1], retry(1, start)), "what runs is not lost")
	h.release(claims[2:])
	h.nothingReady()
	i.Paused = false
	require.NoError(t, h.PutInstance(h.ctx(), i))
	h.claim(2)
}

// testSleep releases an execution for some time. Others run meanwhile.
func testSleep(t *testing.T, h *harness, disturb func()) {
	list := h.queue("a", "k", 1, 2)
	claim := h.claimsOnly(list[0])[0]
	require.NoError(t, h.RecordStep(h.ctx(), claim, step("a", 1)))
	until := time.Now().Add(2 * shortly)
	require.NoError(t, h.Release(h.ctx(), claim, store.Pause{Until: until}))
	require.ErrorIs(t, h.Finish(h.ctx(), claim, outcome(1, store.StatusFailed)), store.ErrLeaseLost)
	record := h.record(list[0])
	require.Equal(t, store.StatusWaiting, record.Status)
	require.Equal(t, until.UnixNano(), record.Due.UnixNano())
	require.Equal(t, time.UTC, record.Due.Location())
	require.Empty(t, record.Attempts)
	disturb()
	claims := h.claim(1)
	require.Equal(t, list[1:], ids(claims))
	h.finish(claims[0], store.StatusSucceeded)
	claim = h.claimsOnly(list[0])[0]
	require.False(t, time.Now().Before(until))
	require.Equal(t, 1, claim.Attempt)
	require.True(t, claim.Recovered)
	require.Zero(t, claim.Crashes)
	require.Equal(t, store.StatusRunning, h.record(list[0]).Status)
	require.Zero(t, h.record(list[0]).Due)
}

// testSleepOnSeat releases an execution for some time, and nobody else gets its seat.
func testSleepOnSeat(t *testing.T, h *harness, disturb func()) {
	list := h.queue("a", "k", 1, 2)
	claim := h.claimsOnly(list[0])[0]
	until := time.Now().Add(2 * shortly)
	require.NoError(t, h.Release(h.ctx(), claim, store.Pause{Until: until, KeepSeat: true}))
	disturb()
	claim = h.claimsOnly(list[0])[0]
	require.False(t, time.Now().Before(until))
	require.NoError(t, h.Release(h.ctx(), claim, store.Pause{Until: time.Now().Add(time.Hour)}))
	disturb()
	h.claimsOnly(list[1])
}
