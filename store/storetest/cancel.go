package storetest

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/store"
)

// cancel cancels an execution, which must answer with the status.
func (h *harness) cancel(id string, status store.Status) {
	h.t.Helper()
	got, err := h.Cancel(h.ctx(), id, "not needed")
	require.NoError(h.t, err)
	require.Equal(h.t, status, got)
}

// requireCanceled asserts that an execution was ended while it did not run, after some
// attempts, and returns the error on record.
func (h *harness) requireCanceled(id string, attempts int) string {
	h.t.Helper()
	record := h.record(id)
	require.Equal(h.t, store.StatusCanceled, record.Status)
	require.Zero(h.t, record.Due)
	require.Len(h.t, record.Attempts, attempts+1)
	last := record.Attempts[attempts]
	require.Equal(h.t, store.StatusCanceled, last.Status)
	require.Equal(h.t, attempts+1, last.Attempt)
	require.Zero(h.t, last.StartedAt)
	require.WithinDuration(h.t, time.Now(), last.EndedAt, time.Minute)
	return last.Error
}

// requireTold asserts which of its executions a worker is to cancel.
func (h *harness) requireTold(id string, want ...string) {
	h.t.Helper()
	canceled, err := h.Extend(h.ctx(), worker(id))
	require.NoError(h.t, err)
	require.ElementsMatch(h.t, want, canceled)
}

// wait accepts an execution and has it wait for another attempt after the first.
func (h *harness) wait(a *store.Acceptance, next time.Time) string {
	h.t.Helper()
	a.Worker = worker("w1")
	claim := h.acceptAs(a).Claim
	require.NotNil(h.t, claim)
	require.NoError(h.t, h.Finish(h.ctx(), claim, retry(1, next)))
	return claim.Execution.ID
}

func testCancel(t *testing.T, s *suite) {
	t.Helper()
	s.test(t, "queued", func(t *testing.T, h *harness) {
		before, id, after := h.accept("a").ID, h.accept("a").ID, h.accept("a").ID
		answer := h.await(id)
		h.cancel(id, store.StatusCanceled)
		require.Equal(t, "not needed", h.requireCanceled(id, 0))
		require.Equal(t, store.StatusCanceled, (<-answer).record.Status)
		require.Equal(t, []string{before, after}, ids(h.claim(2)))
		h.nothingReady()
	})
	s.test(t, "waiting", func(t *testing.T, h *harness) {
		for _, next := range []time.Time{time.Now().Add(time.Hour), time.Now().Add(20 * time.Millisecond), start} {
			id := h.wait(&store.Acceptance{Execution: execution(t, "a")}, next)
			h.cancel(id, store.StatusCanceled)
			require.Equal(t, "not needed", h.requireCanceled(id, 1))
		}
		h.nothingReady()
	})
	s.test(t, "refused", func(t *testing.T, h *harness) {
		over := h.run("a")
		h.finish(over, store.StatusSucceeded)
		canceled := h.accept("a").ID
		h.cancel(canceled, store.StatusCanceled)
		for id, want := range map[string]error{
			over.Execution.ID: store.ErrConflict, canceled: store.ErrConflict,
			newID(t): store.ErrNotFound, "": store.ErrNotFound, "42": store.ErrNotFound,
		} {
			status, err := h.Cancel(h.ctx(), id, "not needed")
			require.ErrorIs(t, err, want)
			require.Empty(t, status)
		}
		_, err := h.Cancel(h.ctx(), h.accept("a").ID, "")
		require.ErrorContains(t, err, "reason")
		require.Len(t, h.record(canceled).Attempts, 1)
		h.claim(1)
		h.nothingReady()
	})
	s.test(t, "its state", func(t *testing.T, h *harness) {
		claim := h.run("a")
		id := claim.Execution.ID
		again := retry(1, time.Now().Add(time.Hour))
		again.State = []store.StateChange{set(ofExecution(id), "k", "1"), set(ofInstance("a"), "k", "1")}
		require.NoError(t, h.Finish(h.ctx(), claim, again))
		h.cancel(id, store.StatusCanceled)
		h.requireState(ofExecution(id), map[string]string{"k": ""})
		h.requireState(ofInstance("a"), map[string]string{"k": "1"})
	})
	s.test(t, "in a lane", testCancelInLane)
	s.test(t, "some of many", testCancelMany)
	s.test(t, "against workers", testCancelRace)
	s.crashTest(t, "after a crash", func(t *testing.T, h *harness) {
		queued := h.accept("a").ID
		waiting := h.wait(&store.Acceptance{Execution: execution(t, "a")}, start)
		h.crash()
		h.cancel(queued, store.StatusCanceled)
		h.cancel(waiting, store.StatusCanceled)
		h.crash()
		h.requireCanceled(queued, 0)
		h.requireCanceled(waiting, 1)
		h.nothingReady()
	})
	s.crashTest(t, "before a crash", func(t *testing.T, h *harness) {
		for range 10 {
			h.cancel(h.accept("a").ID, store.StatusCanceled)
		}
		h.crash()
		h.nothingReady()
	})
	s.crashTest(t, "a suspect", func(t *testing.T, h *harness) {
		first, second := h.run("a"), h.run("a")
		h.crash()
		h.claim(2)
		h.crash()
		h.cancel(first.Execution.ID, store.StatusCanceled)
		require.Equal(t, []string{second.Execution.ID}, ids(h.claim(1)))
		h.nothingReady()
	})
	testCancelRunning(t, s)
}

func testCancelRunning(t *testing.T, s *suite) {
	t.Helper()
	for _, status := range []store.Status{store.StatusSucceeded, store.StatusFailed} {
		s.test(t, "running, then "+string(status), func(t *testing.T, h *harness) {
			claim := h.run("a")
			h.cancel(claim.Execution.ID, store.StatusRunning)
			require.Equal(t, store.StatusRunning, h.record(claim.Execution.ID).Status)
			h.finish(claim, status)
			require.Equal(t, []*store.Outcome{outcome(1, status)}, h.record(claim.Execution.ID).Attempts)
		})
	}
	s.test(t, "running, then canceled", func(t *testing.T, h *harness) {
		for said, want := range map[string]string{"": "not needed", "mine": "mine"} {
			claim := h.run("a")
			h.cancel(claim.Execution.ID, store.StatusRunning)
			o := outcome(1, store.StatusCanceled)
			o.Error = said
			require.NoError(t, h.Finish(h.ctx(), claim, o))
			require.Equal(t, want, o.Error)
			require.Equal(t, []*store.Outcome{o}, h.record(claim.Execution.ID).Attempts)
		}
	})
	s.test(t, "running, then waiting", func(t *testing.T, h *harness) {
		claim := h.run("a")
		id := claim.Execution.ID
		answer := h.await(id)
		h.cancel(id, store.StatusRunning)
		o := retry(1, time.Now().Add(time.Hour))
		o.State = []store.StateChange{set(ofExecution(id), "k", "1"), set(ofInstance("a"), "k", "1")}
		require.NoError(t, h.Finish(h.ctx(), claim, o))
		want := outcome(1, store.StatusCanceled)
		want.Error = "not needed: " + want.Error
		require.Equal(t, []*store.Outcome{want}, h.record(id).Attempts)
		require.Equal(t, store.StatusCanceled, (<-answer).record.Status)
		o.State = nil
		require.Equal(t, want, o, "the caller learns of it")
		h.requireState(ofExecution(id), map[string]string{"k": ""})
		h.requireState(ofInstance("a"), map[string]string{"k": "1"})
		h.nothingReady()
	})
	s.test(t, "running, then released", func(t *testing.T, h *harness) {
		claim := h.run("a")
		h.cancel(claim.Execution.ID, store.StatusRunning)
		_, err := h.Cancel(h.ctx(), claim.Execution.ID, "another reason")
		require.NoError(t, err)
		for _, until := range []time.Time{{}, time.Now().Add(time.Hour)} {
			require.NoError(t, h.Release(h.ctx(), claim, store.Pause{Until: until}))
			claim = h.claim(1)[0]
			require.Equal(t, "not needed", claim.Canceled)
		}
		require.NoError(t, h.Release(h.ctx(), claim, store.Pause{}))
		h.cancel(claim.Execution.ID, store.StatusCanceled)
		h.requireCanceled(claim.Execution.ID, 0)
		h.nothingReady()
	})
	s.test(t, "running, as its worker learns", func(t *testing.T, h *harness) {
		claim, other := h.run("a"), h.run("a")
		elsewhere := h.acceptAs(&store.Acceptance{Execution: execution(t, "a"), Worker: worker("w2")}).Claim
		h.requireTold("w1")
		h.cancel(claim.Execution.ID, store.StatusRunning)
		h.cancel(elsewhere.Execution.ID, store.StatusRunning)
		h.requireTold("w1", claim.Execution.ID)
		h.requireTold("w1", claim.Execution.ID)
		h.cancel(other.Execution.ID, store.StatusRunning)
		h.requireTold("w1", claim.Execution.ID, other.Execution.ID)
		h.finish(claim, store.StatusCanceled)
		h.requireTold("w1", other.Execution.ID)
		h.requireTold("w2", elsewhere.Execution.ID)
	})
	s.crashTest(t, "running, then a crash", func(t *testing.T, h *harness) {
		claim, other := h.run("a"), h.run("a")
		h.cancel(claim.Execution.ID, store.StatusRunning)
		for crashes := 1; crashes < 3; crashes++ {
			h.crash()
			claims := h.claim(2)
			if claims[0].Execution.ID == other.Execution.ID { // Suspects have turns of their own.
				slices.Reverse(claims)
			}
			h.release(claims[1:])
			claim = claims[0]
			require.Equal(t, "not needed", claim.Canceled)
			require.Equal(t, crashes, claim.Crashes)
		}
		h.finish(claim, store.StatusCanceled)
		claim = h.claim(1)[0]
		require.Equal(t, other.Execution.ID, claim.Execution.ID)
		require.Empty(t, claim.Canceled)
		h.crash()
		require.Equal(t, []string{other.Execution.ID}, ids(h.claim(1)))
		h.nothingReady()
	})
}

// inOneSeat returns an execution in a lane with one seat.
func inOneSeat(t *testing.T) *store.Acceptance {
	t.Helper()
	return &store.Acceptance{Execution: inLane(t, "a", "l", 1)}
}

// testCancelInLane cancels the first that wait for a seat, and one that keeps it.
func testCancelInLane(t *testing.T, h *harness) {
	first := inOneSeat(t)
	first.Worker = worker("w1")
	claim := h.acceptAs(first).Claim
	var queued []string
	for range 3 {
		a := inOneSeat(t)
		h.acceptAs(a)
		queued = append(queued, a.Execution.ID)
	}
	h.cancel(queued[0], store.StatusCanceled)
	h.nothingReady()
	again := retry(1, time.Now().Add(time.Hour))
	again.KeepSeat = true
	require.NoError(t, h.Finish(h.ctx(), claim, again))
	h.nothingReady()
	h.cancel(claim.Execution.ID, store.StatusCanceled)
	claim = h.claim(1)[0]
	require.Equal(t, queued[1], claim.Execution.ID)
	h.nothingReady()

	again = retry(1, start)
	again.KeepSeat = true
	require.NoError(t, h.Finish(h.ctx(), claim, again))
	h.cancel(claim.Execution.ID, store.StatusCanceled)
	require.Equal(t, queued[2:], ids(h.claim(1)))
}

// testCancelMany cancels every third of more than drivers hold in memory.
func testCancelMany(t *testing.T, h *harness) {
	var kept []string
	for i := range 300 {
		id := h.accept("a").ID
		if i%3 == 1 {
			defer func() { require.Equal(t, store.StatusCanceled, h.record(id).Status) }()
			h.cancel(id, store.StatusCanceled)
		} else {
			kept = append(kept, id)
		}
	}
	require.Equal(t, kept, ids(h.claim(len(kept))))
	h.nothingReady()
}

// testCancelRace cancels executions while others claim and finish them: each is ended once,
// and all who took part know by whom.
func testCancelRace(t *testing.T, h *harness) {
	const n = 60
	statuses, errs := make([]store.Status, n), make([]error, n)
	list := make([]string, n)
	for i := range list {
		list[i] = h.accept("a").ID
	}
	finished := map[string]store.Status{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for i, id := range list {
		all.Go(func() { statuses[i], errs[i] = h.Cancel(h.ctx(), id, "not needed") })
		if i%3 > 0 {
			continue
		}
		all.Go(func() {
			claims, err := h.Claim(h.ctx(), worker("w1"), 1)
			if err != nil {
				t.Error(err)
				return
			}
			o := outcome(1, store.StatusSucceeded)
			if i%2 == 0 {
				o = retry(1, time.Now().Add(time.Hour))
			}
			if err := h.Finish(h.ctx(), claims[0], o); err != nil {
				t.Error(err)
			}
			mu.Lock()
			finished[claims[0].Execution.ID] = o.Status
			mu.Unlock()
		})
		h.accept("spare") // There is something to claim, also if all else was canceled.
	}
	all.Wait()
	for i, id := range list {
		record := h.record(id)
		switch {
		case errors.Is(errs[i], store.ErrConflict):
			require.Equal(t, store.StatusSucceeded, finished[id])
		case statuses[i] == store.StatusRunning:
			require.NoError(t, errs[i])
			require.Equal(t, finished[id], record.Status)
		default:
			require.NoError(t, errs[i])
			require.Equal(t, store.StatusCanceled, record.Status)
			require.Zero(t, record.Attempts[len(record.Attempts)-1].StartedAt)
		}
		require.True(t, record.Status.Final())
		require.LessOrEqual(t, len(record.Attempts), 2)
	}
}
