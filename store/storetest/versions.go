package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/store"
)

var (
	orders1 = store.IntegrationVersion{Integration: "orders", Version: "1"}
	orders2 = store.IntegrationVersion{Integration: "orders", Version: "2"}
	billing = store.IntegrationVersion{Integration: "billing", Version: "1"}
)

// testVersions has workers claim what they serve: that of instances which are deployed in a
// version that they have.
func testVersions(t *testing.T, s *suite) {
	s.test(t, "each claims its own", testOwnVersions)
	s.test(t, "instances in turn, in whichever versions", func(t *testing.T, h *harness) {
		busy, quiet, calm := h.deployed(orders1), h.deployed(orders2), h.deployed(billing)
		for range 5 {
			h.accept(busy.ID)
		}
		h.accept(quiet.ID)
		h.accept(calm.ID)
		instances := map[string]int{}
		for _, claim := range h.serving("w1", orders1, orders2, billing).claim(3) {
			instances[claim.Execution.Instance]++
		}
		require.Equal(t, map[string]int{busy.ID: 1, quiet.ID: 1, calm.ID: 1}, instances)
	})
	s.test(t, "what one waits for does not wake another", func(t *testing.T, h *harness) {
		a, b := h.deployed(orders1), h.deployed(billing)
		first, second := h.serving("w1", orders1), h.another().serving("w2", billing)
		claimedFirst, claimedSecond := first.claiming(1), second.claiming(1)
		for range 3 {
			e := h.accept(b.ID)
			require.Equal(t, []string{e.ID}, ids(<-claimedSecond))
			claimedSecond = second.claiming(1)
			e = h.accept(a.ID)
			require.Equal(t, []string{e.ID}, ids(<-claimedFirst))
			claimedFirst = first.claiming(1)
		}
		h.accept(a.ID)
		h.accept(b.ID)
		require.Equal(t, a.ID, (<-claimedFirst)[0].Execution.Instance)
		require.Equal(t, b.ID, (<-claimedSecond)[0].Execution.Instance)
	})
	s.test(t, "an accepting worker claims its own", func(t *testing.T, h *harness) {
		i := h.deployed(orders1)
		for _, limit := range []int{0, 1} {
			e := inLane(t, i.ID, "k", limit)
			require.Nil(t, h.acceptAs(&store.Acceptance{Execution: e, Worker: h.serving("w1", billing, orders2).Worker}).Claim)
			h.finish(h.serving("w2", orders1).claimsOnly(e.ID)[0], store.StatusSucceeded)
			e = inLane(t, i.ID, "k", limit)
			require.NotNil(t, h.acceptAs(&store.Acceptance{Execution: e, Worker: h.serving("w1", billing, orders1).Worker}).Claim)
		}
	})
	s.test(t, "an upgrade", testUpgrade)
	s.crashTest(t, "an upgrade and a crash", func(t *testing.T, h *harness) {
		i, other := h.deployed(orders1), h.deployed(billing)
		list := append(h.queue(i.ID, "k", 1, 2), h.accept(i.ID).ID)
		of := h.accept(other.ID)
		i.Version = orders2.Version
		require.NoError(t, h.PutInstance(h.ctx(), i))
		h.crash()
		h.serving("w1", orders1).idle()
		h.serving("w2", orders2).claimsOnly(list[0], list[2])
		h.serving("w3", billing).claimsOnly(of.ID)
	})
	s.test(t, "a retry after an upgrade", func(t *testing.T, h *harness) {
		i := h.deployed(orders1)
		for _, limit := range []int{0, 1} {
			_, claim := h.runIn(i.ID, "k", limit)
			require.NoError(t, h.Finish(h.ctx(), claim, retry(1, time.Now().Add(shortly))))
		}
		i.Version = orders2.Version
		require.NoError(t, h.PutInstance(h.ctx(), i))
		old := h.serving("w1", orders1).claiming(2)
		require.Len(t, h.serving("w2", orders2).claim(2), 2)
		require.Empty(t, old)
	})
	s.test(t, "of no instance", func(t *testing.T, h *harness) {
		i := h.deployed(orders1)
		e, free := h.accept(i.ID), h.accept("gone")
		h.serving("w1", billing).claimsOnly(free.ID)
		require.NoError(t, h.DeleteInstance(h.ctx(), i))
		h.serving("w1", billing).claimsOnly(e.ID)
	})
	s.crashTest(t, "suspects", func(t *testing.T, h *harness) {
		i, other := h.deployed(orders1), h.deployed(billing)
		first, second := h.run(i.ID), h.run(other.ID)
		h.crash()
		h.claim(2)
		h.crash()
		mine := h.serving("w1", billing)
		h.finish(mine.claimsOnly(second.Execution.ID)[0], store.StatusSucceeded)
		h.finish(h.serving("w2", orders1).claimsOnly(first.Execution.ID)[0], store.StatusSucceeded)
	})
	s.test(t, "schedules", testVersionsOfSchedules)
}

// deployed puts an instance.
func (h *harness) deployed(version store.IntegrationVersion) *store.Instance {
	h.t.Helper()
	i := instance(h.t, newID(h.t), "main")
	i.Integration, i.Version, i.Paused = version.Integration, version.Version, false
	require.NoError(h.t, h.PutInstance(h.ctx(), i))
	return i
}

// serving is a worker that serves some versions, at a store.
type serving struct {
	*harness
	store.Worker
}

func (h *harness) serving(id string, versions ...store.IntegrationVersion) serving {
	return serving{h, store.Worker{ID: id, Lease: time.Hour, Serves: versions}}
}

// claim claims exactly n executions.
func (w serving) claim(n int) (claims []*store.Claim) {
	w.t.Helper()
	for len(claims) < n {
		more, err := w.Claim(w.ctx(), w.Worker, n-len(claims))
		require.NoError(w.t, err)
		claims = append(claims, more...)
	}
	return claims
}

func (w serving) claimsOnly(want ...string) []*store.Claim {
	w.t.Helper()
	claims := w.claim(len(want))
	require.ElementsMatch(w.t, want, ids(claims))
	w.idle()
	return claims
}

// claiming claims in the background.
func (w serving) claiming(limit int) <-chan []*store.Claim {
	claimed := make(chan []*store.Claim, 1)
	go func() {
		if claims, err := w.Claim(w.ctx(), w.Worker, limit); err == nil {
			claimed <- claims
		}
	}()
	return claimed
}

// idle asserts that there is nothing for the worker.
func (w serving) idle() {
	w.t.Helper()
	ctx, cancel := context.WithTimeoutCause(w.ctx(), 30*time.Millisecond, errPatience)
	defer cancel()
	claims, err := w.Claim(ctx, w.Worker, 1)
	require.ErrorIs(w.t, err, errPatience)
	require.Empty(w.t, claims)
}

// testOwnVersions accepts more of one integration than drivers hold in memory, and before all
// others: it holds up none of them.
func testOwnVersions(t *testing.T, h *harness) {
	busy, a, b := h.deployed(billing), h.deployed(orders1), h.deployed(orders2)
	for _, list := range [][]string{h.queue(busy.ID, "k", 1, 3), h.queue(busy.ID, "", 0, 300)} {
		require.Equal(t, store.StatusQueued, h.record(list[0]).Status)
	}
	first, second := h.accept(a.ID), h.accept(b.ID)
	both := h.another().serving("w1", orders1, orders2)
	require.ElementsMatch(t, []string{first.ID, second.ID}, ids(both.claim(2)))
	both.idle()
	h.serving("w2", store.IntegrationVersion{Integration: "unknown", Version: "1"}).idle()
	require.Len(t, h.serving("w3", billing).claim(301), 301)
}

// testUpgrade brings an instance to another version while executions wait and run.
func testUpgrade(t *testing.T, h *harness) {
	i := h.deployed(orders1)
	older, newer := h.serving("w1", orders1), h.another().serving("w2", orders2)
	list := append(h.queue(i.ID, "k", 1, 2), h.queue(i.ID, "", 0, 2)...)
	runs := older.claimsOnly(list[0], list[2], list[3])
	newer.idle()
	i.Version = orders2.Version
	require.NoError(t, h.PutInstance(h.ctx(), i))
	for _, claim := range runs[:2] {
		h.finish(claim, store.StatusSucceeded) // What runs is not lost.
	}
	h.release(runs[2:])
	older.idle()
	left := []string{runs[2].Execution.ID, list[1]}
	if runs[2].Execution.ID == list[0] {
		left = left[:1]
	}
	require.ElementsMatch(t, left, ids(newer.claim(len(left))))

	waits := older.claiming(1)
	e := h.accept(i.ID)
	require.Equal(t, []string{e.ID}, ids(newer.claim(1)))
	e = h.accept(i.ID)
	require.Empty(t, waits)
	i.Version = orders1.Version
	require.NoError(t, h.PutInstance(h.ctx(), i))
	require.Equal(t, []string{e.ID}, ids(<-waits))
}

func testVersionsOfSchedules(t *testing.T, h *harness) {
	a, b := h.deployed(billing), h.deployed(orders1)
	unserved, due, free := schedule(a.ID, "a", past(2)), schedule(b.ID, "a", past(1)), schedule("gone", "a", past(0))
	h.put(a.ID, unserved)
	h.put(b.ID, due)
	h.put("gone", free)
	claim := func(version store.IntegrationVersion, limit int) []*store.Schedule {
		schedules, err := h.ClaimSchedules(h.ctx(), h.serving("w", version).Worker, limit)
		require.NoError(t, err)
		return schedules
	}
	require.Equal(t, []*store.Schedule{due, free}, claim(orders1, 5))
	soon := schedule(b.ID, "b", soon())
	h.put(b.ID, due, soon)
	require.Equal(t, []*store.Schedule{soon}, claim(orders1, 5))
	claimed := make(chan []*store.Schedule, 1)
	go func() { claimed <- claim(orders2, 5) }()
	h.nothingDueFor(h.serving("w1", orders1, orders2).Worker)
	a.Integration, a.Version = orders2.Integration, orders2.Version
	require.NoError(t, h.PutInstance(h.ctx(), a))
	require.Equal(t, []*store.Schedule{unserved}, <-claimed)
}
