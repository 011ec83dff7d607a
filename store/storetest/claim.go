package storetest

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/store"
)

func testClaim(t *testing.T, s *suite) {
	s.test(t, "in the order of acceptance", func(t *testing.T, h *harness) {
		var accepted []string
		for range 20 {
			accepted = append(accepted, h.accept("a").ID)
		}
		require.Equal(t, accepted, ids(h.claim(20)))
	})
	s.test(t, "lanes in turn", func(t *testing.T, h *harness) {
		for range 10 {
			h.accept("busy")
		}
		h.accept("quiet")
		h.accept("calm")
		instances := map[string]int{}
		for _, claim := range h.claim(3) {
			instances[claim.Execution.Instance]++
		}
		require.Equal(t, map[string]int{"busy": 1, "quiet": 1, "calm": 1}, instances)
	})
	s.test(t, "whole and running", func(t *testing.T, h *harness) {
		e := h.accept("a")
		claim := h.claim(1)[0]
		require.Equal(t, e, claim.Execution)
		require.Equal(t, "w1", claim.Worker)
		require.Equal(t, 1, claim.Attempt)
		require.False(t, claim.Recovered)
		require.Equal(t, store.StatusRunning, h.record(e.ID).Status)
	})
	s.test(t, "waits", func(t *testing.T, h *harness) {
		h.nothingReady()
		claimed := make(chan []*store.Claim)
		go func() {
			claims, err := h.Claim(h.ctx(), worker("w1"), 5)
			if err != nil {
				t.Error(err)
			}
			claimed <- claims
		}()
		e := h.accept("a")
		require.Equal(t, []string{e.ID}, ids(<-claimed))
	})
	s.test(t, "released", func(t *testing.T, h *harness) {
		first, second := h.accept("a"), h.accept("a")
		claim := h.claim(1)[0]
		require.NoError(t, h.Release(h.ctx(), claim, store.Pause{}))
		require.Equal(t, store.StatusQueued, h.record(first.ID).Status)
		claims := h.claim(2)
		require.Equal(t, []string{first.ID, second.ID}, ids(claims))
		require.Equal(t, 1, claims[0].Attempt)
		require.True(t, claims[0].Recovered)
		require.Greater(t, claims[0].Token, claim.Token)
		require.ErrorIs(t, h.Release(h.ctx(), claim, store.Pause{}), store.ErrLeaseLost)
	})
	s.test(t, "a backlog", testBacklog)
	s.test(t, "each once", testExclusive)
	s.crashTest(t, "after a crash", testRecovery)
	s.crashTest(t, "tokens grow over a crash", func(t *testing.T, h *harness) {
		before := h.run("a")
		h.crash()
		after := h.claim(1)[0]
		require.Greater(t, after.Token, before.Token)
		require.ErrorIs(t, h.Finish(h.ctx(), before, outcome(1, store.StatusFailed)), store.ErrLeaseLost)
		h.finish(after, store.StatusSucceeded)
	})
}

// testBacklog queues more than drivers hold in memory, for one instance, while others come
// and go.
func testBacklog(t *testing.T, h *harness) {
	const n = 1300
	busy := make([]string, n)
	for i := range n {
		e := execution(t, "busy")
		busy[i] = e.ID
		h.acceptAs(&store.Acceptance{Execution: e})
	}
	var seen []string
	for i := range n {
		quiet := i%100 == 0
		if quiet {
			h.accept("quiet")
		}
		claims := h.claim(1)
		if quiet && claims[0].Execution.Instance == "busy" {
			claims = append(claims, h.claim(1)...)
			require.Equal(t, "quiet", claims[1].Execution.Instance, "its turn is the next")
		}
		for _, claim := range claims {
			if claim.Execution.Instance == "busy" {
				seen = append(seen, claim.Execution.ID)
			}
			h.finish(claim, store.StatusSucceeded)
		}
	}
	for len(seen) < n {
		claim := h.claim(1)[0]
		seen = append(seen, claim.Execution.ID)
	}
	require.Equal(t, busy, seen)
	h.nothingReady()
}

// acceptOver accepts many executions that are over.
func (h *harness) acceptOver(instance string, n int) {
	h.t.Helper()
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			for range n / 50 {
				_, err := h.Accept(h.ctx(), &store.Acceptance{
					Execution: execution(h.t, instance), Outcome: outcome(1, store.StatusSucceeded),
				})
				if err != nil {
					h.t.Error(err)
				}
			}
		})
	}
	all.Wait()
}

// testExclusive lets workers take what others accept.
func testExclusive(t *testing.T, h *harness) {
	const workers, n = 8, 400
	ctx, stop := context.WithCancelCause(h.ctx())
	defer stop(nil)
	var mu sync.Mutex
	runs := map[string]int{}
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for {
				claims, err := h.Claim(ctx, worker("w"+strconv.Itoa(w)), 3)
				if err != nil {
					return
				}
				for _, claim := range claims {
					mu.Lock()
					runs[claim.Execution.ID]++
					if len(runs) == n {
						stop(errPatience)
					}
					mu.Unlock()
					h.finish(claim, store.StatusSucceeded)
				}
			}
		})
		all.Go(func() {
			for range n / workers {
				h.accept("i" + strconv.Itoa(w%3))
			}
		})
	}
	all.Wait()
	require.Len(t, runs, n)
	for id, times := range runs {
		require.Equal(t, 1, times, id)
	}
}

// testRecovery finds after a crash what has no final outcome: ready, claimed and waiting
// executions, old and new ones.
func testRecovery(t *testing.T, h *harness) {
	old := []string{h.run("a").Execution.ID, h.accept("a").ID}
	waiting := h.run("a")
	require.NoError(t, h.Finish(h.ctx(), waiting, retry(1, time.Now().Add(time.Hour))))
	due := h.run("b")
	require.NoError(t, h.Finish(h.ctx(), due, retry(1, time.Now().Add(-time.Second))))
	h.acceptOver("c", 3000)
	h.finish(h.run("a"), store.StatusFailed)
	fresh := []string{h.run("a").Execution.ID, h.accept("a").ID}
	for range 2 { // A second crash finds the same.
		h.crash()
		require.Equal(t, store.StatusWaiting, h.record(waiting.Execution.ID).Status)
		var found []string
		claims := h.claim(5)
		for _, claim := range claims {
			if claim.Execution.Instance == "b" {
				require.Equal(t, due.Execution.ID, claim.Execution.ID)
				require.Equal(t, 2, claim.Attempt)
				continue
			}
			require.Equal(t, 1, claim.Attempt)
			found = append(found, claim.Execution.ID)
			if claim.Execution.ID == old[0] || claim.Execution.ID == fresh[0] {
				require.True(t, claim.Recovered)
			}
		}
		require.Equal(t, append(append([]string{}, old...), fresh...), found)
		h.nothingReady()
		h.release(claims)
	}
}
