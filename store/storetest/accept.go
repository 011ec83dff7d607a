package storetest

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/store"
)

// errPatience ends the waiting of calls that are expected to wait.
var errPatience = errors.New("storetest: waited long enough")

func testAccept(t *testing.T, s *suite) {
	t.Helper()
	s.test(t, "ready", func(t *testing.T, h *harness) {
		e := h.accept("a")
		record := h.record(e.ID)
		require.Equal(t, *e, record.Execution)
		require.Equal(t, store.StatusQueued, record.Status)
		require.Empty(t, record.Attempts)
		require.Empty(t, record.Steps)
	})
	s.test(t, "claimed at once", func(t *testing.T, h *harness) {
		e := execution(t, "a")
		claim := h.acceptAs(&store.Acceptance{Execution: e, Worker: worker("w7")}).Claim
		require.Equal(t, e, claim.Execution)
		require.Equal(t, "w7", claim.Worker)
		require.Equal(t, 1, claim.Attempt)
		require.Positive(t, claim.Token)
		require.False(t, claim.Recovered)
		require.Equal(t, store.StatusRunning, h.record(e.ID).Status)
		h.nothingReady()
	})
	s.test(t, "over at once", func(t *testing.T, h *harness) {
		e, o := execution(t, "a"), outcome(1, store.StatusFailed)
		accepted := h.acceptAs(&store.Acceptance{Execution: e, Outcome: o})
		require.Nil(t, accepted.Claim)
		record := h.record(e.ID)
		require.Equal(t, store.StatusFailed, record.Status)
		require.Equal(t, []*store.Outcome{o}, record.Attempts)
		h.nothingReady()
	})
	s.test(t, "with steps", func(t *testing.T, h *harness) {
		e := execution(t, "a")
		before := step("before", 0)
		claim := h.acceptAs(&store.Acceptance{Execution: e, Steps: []*store.Step{before}, Worker: worker("w1")}).Claim
		require.NoError(t, h.RecordStep(h.ctx(), claim, step("after", 1)))
		require.Equal(t, []*store.Step{before, step("after", 1)}, h.record(e.ID).Steps)
		steps, err := h.Steps(h.ctx(), e.ID)
		require.NoError(t, err)
		require.Equal(t, []*store.Step{before, step("after", 1)}, steps)
	})
	s.test(t, "an id twice", func(t *testing.T, h *harness) {
		e := h.accept("a")
		again := *e
		_, err := h.Accept(h.ctx(), &store.Acceptance{Execution: &again})
		require.ErrorIs(t, err, store.ErrConflict)
		require.Len(t, h.claim(1), 1)
		h.nothingReady()
	})
	s.test(t, "a bad one among others", testBadNeighbour)
	s.test(t, "nobody waits for the answer", testAbandoned)
	s.test(t, "a refused acceptance", func(t *testing.T, h *harness) {
		for name, a := range map[string]*store.Acceptance{
			"id":              {Execution: &store.Execution{ID: "42"}},
			"waiting outcome": {Execution: execution(t, "a"), Outcome: retry(1, start)},
			"attempt":         {Execution: execution(t, "a"), Outcome: outcome(0, store.StatusFailed)},
			"both":            {Execution: execution(t, "a"), Outcome: outcome(1, store.StatusFailed), Worker: worker("w1")},
		} {
			_, err := h.Accept(h.ctx(), a)
			require.Error(t, err, name)
		}
		h.nothingReady()
	})
	testAcceptAll(t, s)
	testDedupe(t, s)
}

func testAcceptAll(t *testing.T, s *suite) {
	t.Helper()
	all := func(t *testing.T) []*store.Acceptance {
		t.Helper()
		return []*store.Acceptance{
			{Execution: execution(t, "a")},
			{Execution: execution(t, "b"), Worker: worker("w1"), Steps: []*store.Step{step("before", 0)}},
			{Execution: execution(t, "a"), Outcome: outcome(1, store.StatusFailed)},
		}
	}
	s.test(t, "several", func(t *testing.T, h *harness) {
		list := all(t)
		accepted, err := h.AcceptAll(h.ctx(), list)
		require.NoError(t, err)
		require.Len(t, accepted, len(list))
		require.Nil(t, accepted[0].Claim)
		require.Equal(t, list[1].Execution, accepted[1].Claim.Execution)
		require.Equal(t, store.StatusQueued, h.record(list[0].Execution.ID).Status)
		require.Equal(t, store.StatusRunning, h.record(list[1].Execution.ID).Status)
		require.Equal(t, store.StatusFailed, h.record(list[2].Execution.ID).Status)
		require.Len(t, h.record(list[1].Execution.ID).Steps, 1)
		require.Equal(t, []string{list[0].Execution.ID}, ids(h.claim(1)))
		h.nothingReady()
	})
	s.test(t, "none of several", func(t *testing.T, h *harness) {
		taken := h.accept("c")
		for name, spoil := range map[string]func(*store.Acceptance){
			"an id twice": func(a *store.Acceptance) { a.Execution.ID = taken.ID },
			"no id":       func(a *store.Acceptance) { a.Execution.ID = "42" },
			"unfinished":  func(a *store.Acceptance) { a.Outcome = retry(1, start) },
		} {
			list := append(all(t), &store.Acceptance{Execution: execution(t, "d")})
			spoil(list[3])
			_, err := h.AcceptAll(h.ctx(), list)
			require.Error(t, err, name)
			for _, a := range list[:3] {
				_, err := h.Execution(h.ctx(), a.Execution.ID)
				require.ErrorIs(t, err, store.ErrNotFound, name)
			}
		}
		require.Equal(t, []string{taken.ID}, ids(h.claim(1)))
		h.nothingReady()
	})
	s.test(t, "no acceptance", func(t *testing.T, h *harness) {
		accepted, err := h.AcceptAll(h.ctx(), nil)
		require.NoError(t, err)
		require.Empty(t, accepted)
	})
	s.test(t, "a duplicate among several", func(t *testing.T, h *harness) {
		list := all(t)[:2]
		list[1].Execution.Instance = "a"
		for _, a := range list {
			a.DedupeKey, a.DedupeUntil = "k", start.Add(time.Minute)
		}
		accepted, err := h.AcceptAll(h.ctx(), list)
		require.NoError(t, err)
		require.Empty(t, accepted[0].DuplicateOf)
		require.Equal(t, list[0].Execution.ID, accepted[1].DuplicateOf)
		require.Nil(t, accepted[1].Claim)
		h.claim(1)
		h.nothingReady()
	})
}

// testBadNeighbour accepts an id that exists together with others that do not.
func testBadNeighbour(t *testing.T, h *harness) {
	const n = 64
	taken := h.accept("a")
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		e := execution(t, "b"+strconv.Itoa(i))
		if i%8 == 0 {
			e.ID = taken.ID
		}
		all.Go(func() { _, errs[i] = h.Accept(h.ctx(), &store.Acceptance{Execution: e}) })
	}
	all.Wait()
	for i, err := range errs {
		if i%8 == 0 {
			require.ErrorIs(t, err, store.ErrConflict)
		} else {
			require.NoError(t, err)
		}
	}
	h.claim(1 + n*7/8)
	h.nothingReady()
}

// testAbandoned gives up waiting for acceptances at random moments. What was committed all
// the same is not left claimed for somebody who does not know.
func testAbandoned(t *testing.T, h *harness) {
	const n = 50
	accepted := make([]*store.Accepted, n)
	var all sync.WaitGroup
	for i := range n {
		e := execution(t, "a")
		all.Go(func() {
			ctx, cancel := context.WithTimeoutCause(h.ctx(), time.Duration(i)*20*time.Microsecond, errPatience)
			defer cancel()
			answer, err := h.Accept(ctx, &store.Acceptance{Execution: e, Worker: worker("w1")})
			if err == nil {
				accepted[i] = answer
			} else if !errors.Is(err, errPatience) {
				t.Errorf("accept: %v", err)
			}
		})
	}
	all.Wait()
	h.accept("a") // Everything that was under way before is committed by now.
	claims := map[string]bool{}
	for _, answer := range accepted {
		if answer != nil {
			claims[answer.Claim.Execution.ID] = true
		}
	}
	records, err := h.Executions(h.ctx(), store.Filter{}, "", n+1)
	require.NoError(t, err)
	for _, claim := range h.claim(len(records) - len(claims)) {
		require.NotContains(t, claims, claim.Execution.ID)
	}
	h.nothingReady()
}

func testDedupe(t *testing.T, s *suite) {
	request := func(instance, key string, at time.Duration) *store.Acceptance {
		e := execution(t, instance)
		e.AcceptedAt = start.Add(at)
		return &store.Acceptance{Execution: e, DedupeKey: key, DedupeUntil: e.AcceptedAt.Add(10 * time.Minute)}
	}
	s.test(t, "duplicate", func(t *testing.T, h *harness) {
		first, second := request("a", "k", 0), request("a", "k", 10*time.Minute-1)
		second.Worker = worker("w1")
		require.Empty(t, h.acceptAs(first).DuplicateOf)
		answer := h.acceptAs(second)
		require.Equal(t, first.Execution.ID, answer.DuplicateOf)
		require.Nil(t, answer.Claim)
		_, err := h.Execution(h.ctx(), second.Execution.ID)
		require.ErrorIs(t, err, store.ErrNotFound)
		h.claim(1)
		h.nothingReady()
	})
	s.test(t, "no duplicate", func(t *testing.T, h *harness) {
		require.Empty(t, h.acceptAs(request("a", "k", 0)).DuplicateOf)
		otherFlow := request("a", "k", 0)
		otherFlow.Execution.Flow = "export"
		require.Empty(t, h.acceptAs(otherFlow).DuplicateOf, "of another flow")
		require.Empty(t, h.acceptAs(request("b", "k", 0)).DuplicateOf, "of another instance")
		require.Empty(t, h.acceptAs(request("a", "K", 0)).DuplicateOf, "another key")
		require.Empty(t, h.acceptAs(request("a", "", 0)).DuplicateOf, "no key")
		require.Empty(t, h.acceptAs(request("a", "", 0)).DuplicateOf, "no key")
	})
	s.test(t, "after the window", func(t *testing.T, h *harness) {
		require.Empty(t, h.acceptAs(request("a", "k", 0)).DuplicateOf)
		second := request("a", "k", 10*time.Minute)
		require.Empty(t, h.acceptAs(second).DuplicateOf)
		require.Equal(t, second.Execution.ID, h.acceptAs(request("a", "k", 11*time.Minute)).DuplicateOf)
	})
	s.test(t, "kept on failure", func(t *testing.T, h *harness) {
		first := request("a", "k", 0)
		first.Worker = worker("w1")
		h.finish(h.acceptAs(first).Claim, store.StatusFailed)
		require.Equal(t, first.Execution.ID, h.acceptAs(request("a", "k", time.Minute)).DuplicateOf)
	})
	s.test(t, "at once", func(t *testing.T, h *harness) {
		answers := make([]*store.Accepted, 32)
		var all sync.WaitGroup
		for i := range answers {
			r := request("a", "k", 0)
			all.Go(func() { answers[i] = h.acceptAs(r) })
		}
		all.Wait()
		won := ids(h.claim(1))[0]
		winners := 0
		for _, answer := range answers {
			if answer.DuplicateOf == "" {
				winners++
			} else {
				require.Equal(t, won, answer.DuplicateOf)
			}
		}
		require.Equal(t, 1, winners)
		h.nothingReady()
	})
	s.crashTest(t, "after a crash", func(t *testing.T, h *harness) {
		first := request("a", "k", 0)
		h.acceptAs(first)
		h.crash()
		require.Equal(t, first.Execution.ID, h.acceptAs(request("a", "k", time.Minute)).DuplicateOf)
	})
}
