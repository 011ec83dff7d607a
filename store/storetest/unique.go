package storetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/store"
)

// unique is an execution with a unique key.
func unique(t *testing.T, instance, key string) *store.Acceptance {
	t.Helper()
	e := execution(t, instance)
	e.UniqueKey = key
	return &store.Acceptance{Execution: e}
}

func testUnique(t *testing.T, s *suite) {
	t.Helper()
	s.test(t, "waiting", func(t *testing.T, h *harness) {
		for _, next := range []time.Time{time.Now().Add(time.Hour), time.Now().Add(20 * time.Millisecond), start} {
			older := h.wait(unique(t, "a", "k"), next)
			answer, newer := h.await(older), unique(t, "a", "k")
			require.Equal(t, []string{older}, h.acceptAs(newer).Canceled)
			require.Contains(t, h.requireCanceled(older, 1), newer.Execution.ID)
			require.Equal(t, store.StatusCanceled, (<-answer).record.Status)
			require.Equal(t, newer.Execution, h.claim(1)[0].Execution)
			h.nothingReady()
		}
	})
	s.test(t, "others", func(t *testing.T, h *harness) {
		otherFlow := unique(t, "a", "k")
		otherFlow.Execution.Flow = "export"
		var waiting []string
		for _, a := range []*store.Acceptance{otherFlow, unique(t, "a", "K"), unique(t, "b", "k"), unique(t, "a", "")} {
			waiting = append(waiting, h.wait(a, time.Now().Add(time.Hour)))
		}
		require.Empty(t, h.acceptAs(unique(t, "a", "k")).Canceled)
		require.Empty(t, h.acceptAs(unique(t, "a", "")).Canceled)
		for _, id := range waiting {
			require.Equal(t, store.StatusWaiting, h.record(id).Status)
		}
	})
	s.test(t, "running", testUniqueRunning)
	s.test(t, "given back", func(t *testing.T, h *harness) {
		h.wait(unique(t, "a", "k"), start)
		retried := h.claim(1)[0]
		require.Equal(t, 2, retried.Attempt)
		newer := unique(t, "a", "k")
		newer.Outcome = outcome(1, store.StatusSucceeded)
		require.Empty(t, h.acceptAs(newer).Canceled, "it runs")
		require.NoError(t, h.Release(h.ctx(), retried, store.Pause{}))
		retried = h.claim(1)[0]
		require.Contains(t, retried.Canceled, newer.Execution.ID)
		o := outcome(2, store.StatusCanceled)
		o.Error = ""
		require.NoError(t, h.Finish(h.ctx(), retried, o))
		require.Equal(t, retried.Canceled, h.record(retried.Execution.ID).Attempts[1].Error)
	})
	s.test(t, "queued", func(t *testing.T, h *harness) {
		older, newer := unique(t, "a", "k"), unique(t, "a", "k")
		h.acceptAs(older)
		require.Empty(t, h.acceptAs(newer).Canceled)
		claims := h.claim(2)
		require.Equal(t, []string{older.Execution.ID, newer.Execution.ID}, ids(claims), "both run once")
		h.finish(claims[1], store.StatusSucceeded)
		h.finish(claims[0], store.StatusSucceeded)
	})
	s.test(t, "the newest", func(t *testing.T, h *harness) {
		first := unique(t, "a", "k")
		first.Worker = worker("w1")
		running := h.acceptAs(first).Claim
		second := h.wait(unique(t, "a", "k"), time.Now().Add(time.Hour))
		third := unique(t, "a", "k")
		require.Equal(t, []string{second}, h.acceptAs(third).Canceled)
		o := retry(1, start)
		require.NoError(t, h.Finish(h.ctx(), running, o))
		require.Contains(t, o.Error, third.Execution.ID)
	})
	s.test(t, "over at once", func(t *testing.T, h *harness) {
		older := h.wait(unique(t, "a", "k"), time.Now().Add(time.Hour))
		over := unique(t, "a", "k")
		over.Outcome = outcome(1, store.StatusSucceeded)
		require.Equal(t, []string{older}, h.acceptAs(over).Canceled)
		require.Empty(t, h.acceptAs(unique(t, "a", "k")).Canceled)
	})
	s.test(t, "not by a duplicate", func(t *testing.T, h *harness) {
		older, duplicate := unique(t, "a", "k"), unique(t, "a", "k")
		for _, a := range []*store.Acceptance{older, duplicate} {
			a.DedupeKey, a.DedupeUntil = "d", start.Add(time.Minute)
		}
		id := h.wait(older, time.Now().Add(time.Hour))
		accepted := h.acceptAs(duplicate)
		require.Equal(t, id, accepted.DuplicateOf)
		require.Empty(t, accepted.Canceled)
		require.Equal(t, store.StatusWaiting, h.record(id).Status)
	})
	s.test(t, "not by a refused one", func(t *testing.T, h *harness) {
		for _, next := range []time.Time{time.Now().Add(time.Hour), start} {
			id := h.wait(unique(t, "a", "k"), next)
			refused := unique(t, "a", "k")
			refused.State = []store.StateChange{change(ofInstance("a"), "k", store.StateExpect, "1")}
			_, err := h.Accept(h.ctx(), refused)
			require.ErrorIs(t, err, store.ErrStateConflict)
			require.Len(t, h.record(id).Attempts, 1)
			if next.Equal(start) {
				h.finish(h.claim(1)[0], store.StatusSucceeded)
			} else {
				h.cancel(id, store.StatusCanceled)
			}
		}
	})
	s.test(t, "several", func(t *testing.T, h *harness) {
		older := h.wait(unique(t, "a", "k"), time.Now().Add(time.Hour))
		list := []*store.Acceptance{unique(t, "a", "k"), unique(t, "a", "k")}
		accepted, err := h.AcceptAll(h.ctx(), list)
		require.NoError(t, err)
		require.Equal(t, []string{older}, accepted[0].Canceled)
		require.Empty(t, accepted[1].Canceled)
		o := retry(1, start)
		require.NoError(t, h.Finish(h.ctx(), h.claim(2)[0], o))
		require.Contains(t, o.Error, list[1].Execution.ID)
	})
	s.test(t, "a kept seat", func(t *testing.T, h *harness) {
		older, newer := inOneSeat(t), inOneSeat(t)
		older.Execution.UniqueKey, newer.Execution.UniqueKey = "k", "k"
		older.Worker = worker("w1")
		again := retry(1, time.Now().Add(time.Hour))
		again.KeepSeat = true
		require.NoError(t, h.Finish(h.ctx(), h.acceptAs(older).Claim, again))
		require.Equal(t, []string{older.Execution.ID}, h.acceptAs(newer).Canceled)
		require.Equal(t, newer.Execution, h.claim(1)[0].Execution)
	})
	s.crashTest(t, "after a crash", func(t *testing.T, h *harness) {
		older := unique(t, "a", "k")
		h.acceptAs(older)
		newer := unique(t, "a", "k")
		newer.Worker = worker("w1")
		h.finish(h.acceptAs(newer).Claim, store.StatusSucceeded)
		waiting := h.wait(unique(t, "b", "k"), start)
		h.crash()
		require.Equal(t, []string{waiting}, h.acceptAs(unique(t, "b", "k")).Canceled)
		h.crash()
		h.requireCanceled(waiting, 1)
		for _, claim := range h.claim(2) {
			if o := retry(1, start); claim.Execution.Instance == "a" {
				require.NoError(t, h.Finish(h.ctx(), claim, o))
				require.Equal(t, store.StatusCanceled, o.Status)
			}
		}
		h.nothingReady()
	})
}

// testUniqueRunning fails an execution after a newer one has come and gone.
func testUniqueRunning(t *testing.T, h *harness) {
	older, newer := unique(t, "a", "k"), unique(t, "a", "k")
	older.Worker, newer.Worker = worker("w1"), worker("w1")
	running := h.acceptAs(older).Claim
	accepted := h.acceptAs(newer)
	require.Empty(t, accepted.Canceled)
	h.finish(accepted.Claim, store.StatusSucceeded)
	o := retry(1, start)
	o.State = []store.StateChange{set(ofExecution(older.Execution.ID), "k", "1"), set(ofInstance("a"), "k", "1")}
	require.NoError(t, h.Finish(h.ctx(), running, o))
	require.Equal(t, store.StatusCanceled, o.Status, "the caller learns of it")
	require.Zero(t, o.NextAttempt)
	require.Contains(t, o.Error, newer.Execution.ID)
	require.Contains(t, o.Error, outcome(1, store.StatusFailed).Error)
	o.State = nil
	record := h.record(older.Execution.ID)
	require.Equal(t, store.StatusCanceled, record.Status)
	require.Equal(t, []*store.Outcome{o}, record.Attempts)
	h.requireState(ofExecution(older.Execution.ID), map[string]string{"k": ""})
	h.requireState(ofInstance("a"), map[string]string{"k": "1"})
	h.nothingReady()
	require.Empty(t, h.acceptAs(unique(t, "a", "k")).Canceled)
}
