package storetest

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/store"
)

func testFinish(t *testing.T, s *suite) {
	for _, status := range []store.Status{
		store.StatusSucceeded, store.StatusFailed, store.StatusCanceled, store.StatusSkipped,
	} {
		s.test(t, string(status), func(t *testing.T, h *harness) {
			claim := h.run("a")
			h.finish(claim, status)
			record := h.record(claim.Execution.ID)
			require.Equal(t, status, record.Status)
			require.Equal(t, []*store.Outcome{outcome(1, status)}, record.Attempts)
			require.ErrorIs(t, h.Finish(h.ctx(), claim, outcome(1, status)), store.ErrLeaseLost)
			h.nothingReady()
		})
	}
	s.test(t, "of a lost claim", func(t *testing.T, h *harness) {
		lost := h.run("a")
		require.NoError(t, h.Release(h.ctx(), lost, store.Pause{}))
		require.ErrorIs(t, h.Finish(h.ctx(), lost, outcome(1, store.StatusFailed)), store.ErrLeaseLost)
		current := h.claim(1)[0]
		require.ErrorIs(t, h.Finish(h.ctx(), lost, outcome(1, store.StatusFailed)), store.ErrLeaseLost)
		h.finish(current, store.StatusSucceeded)
		require.Len(t, h.record(lost.Execution.ID).Attempts, 1)
	})
	s.test(t, "many at once", func(t *testing.T, h *harness) {
		claim := h.run("a")
		var won atomic.Int32
		var all sync.WaitGroup
		for range 32 {
			all.Go(func() {
				err := h.Finish(h.ctx(), claim, outcome(1, store.StatusSucceeded))
				if err == nil {
					won.Add(1)
				} else if !errors.Is(err, store.ErrLeaseLost) {
					t.Errorf("finish: %v", err)
				}
			})
		}
		all.Wait()
		require.EqualValues(t, 1, won.Load())
		require.Len(t, h.record(claim.Execution.ID).Attempts, 1)
	})
	s.test(t, "refused", func(t *testing.T, h *harness) {
		claim := h.run("a")
		for name, o := range map[string]*store.Outcome{
			"attempt":          outcome(2, store.StatusFailed),
			"status":           outcome(1, store.StatusRunning),
			"no next attempt":  outcome(1, store.StatusWaiting),
			"needless attempt": {Attempt: 1, Status: store.StatusFailed, NextAttempt: start},
		} {
			require.Error(t, h.Finish(h.ctx(), claim, o), name)
		}
		h.finish(claim, store.StatusSucceeded)
	})
	s.test(t, "another attempt", testRetry)
	s.crashTest(t, "after a crash", func(t *testing.T, h *harness) {
		claim := h.run("a")
		h.finish(claim, store.StatusSucceeded)
		h.crash()
		require.Equal(t, store.StatusSucceeded, h.record(claim.Execution.ID).Status)
		h.nothingReady()
	})
}

// testRetry runs an execution again when it is due, and not before, ahead of later ones.
func testRetry(t *testing.T, h *harness) {
	claim := h.run("a")
	later := h.accept("a")
	next := time.Now().Add(200 * time.Millisecond).UTC()
	require.NoError(t, h.Finish(h.ctx(), claim, retry(1, next)))
	record := h.record(claim.Execution.ID)
	require.Equal(t, store.StatusWaiting, record.Status)
	require.Equal(t, []*store.Outcome{retry(1, next)}, record.Attempts)
	laterClaim := h.claim(1)[0]
	require.Equal(t, later.ID, laterClaim.Execution.ID)

	again := h.claim(1)[0]
	require.False(t, time.Now().Before(next), "claimed before it was due")
	require.Equal(t, claim.Execution, again.Execution)
	require.Equal(t, 2, again.Attempt)
	require.Greater(t, again.Token, claim.Token)
	h.finish(again, store.StatusSucceeded)
	record = h.record(claim.Execution.ID)
	require.Equal(t, store.StatusSucceeded, record.Status)
	require.Len(t, record.Attempts, 2)

	require.NoError(t, h.Finish(h.ctx(), laterClaim, retry(1, time.Now().Add(-time.Minute))))
	due := h.claim(1)[0]
	require.Equal(t, later.ID, due.Execution.ID)
	require.Equal(t, 2, due.Attempt)
	require.NoError(t, h.Finish(h.ctx(), due, retry(2, time.Now().Add(time.Hour))))
	h.nothingReady()
}
