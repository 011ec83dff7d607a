package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/store"
)

// lease is short enough to wait for its end, and long enough to be extended in time.
const lease = 2 * time.Second

func testLeases(t *testing.T, s *suite) {
	s.test(t, "run out", testLeaseRunsOut)
	s.test(t, "extended", testLeaseExtended)
	s.test(t, "claims of a worker", testClaimsOf)
	s.test(t, "of a worker without claims", func(t *testing.T, h *harness) {
		for range 2 {
			canceled, err := h.Extend(h.ctx(), worker("w1"))
			require.NoError(t, err)
			require.Empty(t, canceled)
		}
	})
	s.test(t, "a refused wait", func(t *testing.T, h *harness) {
		ctx, cancel := context.WithCancelCause(h.ctx())
		cancel(errPatience)
		_, err := h.Extend(ctx, worker("w1"))
		require.ErrorIs(t, err, errPatience)
	})
}

// testClaimsOf asks for claims as one who never heard of them.
func testClaimsOf(t *testing.T, h *harness) {
	h.requireClaims()
	accepted := h.run("a")
	h.accept("b")
	claimed := h.claim(1)[0]
	others := h.acceptAs(&store.Acceptance{Execution: execution(t, "c"), Worker: worker("w2")}).Claim
	h.accept("d")
	h.requireClaims(accepted, claimed)
	h.finish(accepted, store.StatusSucceeded)
	require.NoError(t, h.Finish(h.ctx(), claimed, retry(1, time.Now().Add(time.Hour))))
	h.requireClaims()
	h.release([]*store.Claim{others})
	again := h.claim(2)
	h.requireClaims(again...)
	h.release(again)
}

// requireClaims asserts which claims the harness's worker has.
func (h *harness) requireClaims(want ...*store.Claim) {
	h.t.Helper()
	claims, err := h.Claims(h.ctx(), worker("w1"))
	require.NoError(h.t, err)
	require.ElementsMatch(h.t, undated(want), undated(claims))
}

// undated are claims without the time that every extension moves.
func undated(claims []*store.Claim) []store.Claim {
	all := make([]store.Claim, len(claims))
	for i, claim := range claims {
		all[i] = *claim
		all[i].Until = time.Time{}
	}
	return all
}

// another returns a second handle of the same database.
func (h *harness) another() *harness {
	h.t.Helper()
	if h.driver.Another == nil {
		return h
	}
	other := &harness{Store: h.driver.Another(h.t, h.Store), driver: h.driver, t: h.t}
	h.t.Cleanup(func() { require.NoError(h.t, other.Close()) })
	return other
}

// testLeaseRunsOut leaves a worker that is not heard of again: others run what it had, and
// it can write nothing more.
func testLeaseRunsOut(t *testing.T, h *harness) {
	mute, other := store.Worker{ID: "mute", Lease: lease}, h.another()
	claim := func(key string, limit int) *store.Claim {
		return h.acceptAs(&store.Acceptance{Execution: inLane(t, "a", key, limit), Worker: mute}).Claim
	}
	begin := time.Now()
	lost := []*store.Claim{claim("", 0), claim("k", 1)}
	require.NoError(t, h.RecordStep(h.ctx(), lost[0], step("a", 1)))
	next := inLane(t, "a", "k", 1)
	other.acceptAs(&store.Acceptance{Execution: next})
	other.nothingReady()

	found := map[string]*store.Claim{}
	for _, claim := range other.claim(2) {
		found[claim.Execution.ID] = claim
		require.True(t, claim.Recovered)
		require.Equal(t, 1, claim.Attempt)
		require.Equal(t, 1, claim.Crashes)
	}
	require.GreaterOrEqual(t, time.Since(begin), lease)
	require.Less(t, time.Since(begin), 2*lease, "the lease and some patience")
	for _, claim := range lost {
		id := claim.Execution.ID
		require.True(t, claim.Until.After(begin.Add(lease/2)) && claim.Until.Before(time.Now()), "nobody else gets it before")
		require.Contains(t, found, id, "a claimed one goes ahead of others in its lane")
		require.Greater(t, found[id].Token, claim.Token)
		require.ErrorIs(t, h.Finish(h.ctx(), claim, outcome(1, store.StatusSucceeded)), store.ErrLeaseLost)
		require.ErrorIs(t, h.RecordStep(h.ctx(), claim, step("b", 1)), store.ErrLeaseLost)
		require.ErrorIs(t, h.Release(h.ctx(), claim, store.Pause{}), store.ErrLeaseLost)
	}
	require.Len(t, h.record(lost[0].Execution.ID).Steps, 1)
	other.nothingReady()

	hurry, cancel := context.WithTimeoutCause(h.ctx(), 10*time.Second, errPatience)
	defer cancel()
	_, err := h.Claim(hurry, mute, 1)
	require.ErrorIs(t, err, store.ErrLeaseLost, "also where there is nothing to claim")
	again := execution(t, "b")
	require.Nil(t, h.acceptAs(&store.Acceptance{Execution: again, Worker: mute}).Claim, "it does not know that its lease was lost")
	_, err = h.Claim(h.ctx(), mute, 1)
	require.ErrorIs(t, err, store.ErrLeaseLost)
	_, err = h.Extend(h.ctx(), mute)
	require.ErrorIs(t, err, store.ErrLeaseLost)
	_, err = h.Extend(h.ctx(), mute)
	require.NoError(t, err, "it was told")
	claims, err := h.Claim(h.ctx(), mute, 1)
	require.NoError(t, err)
	require.Equal(t, again.ID, claims[0].Execution.ID)
	require.WithinRange(t, claims[0].Until, time.Now(), time.Now().Add(lease))
	require.Zero(t, claims[0].Crashes)
	h.finish(claims[0], store.StatusSucceeded)
	for _, claim := range found {
		other.finish(claim, store.StatusSucceeded)
	}
	require.Equal(t, []string{next.ID}, ids(other.claim(1)))
}

// testLeaseExtended keeps claims as long as their worker is heard of.
func testLeaseExtended(t *testing.T, h *harness) {
	alive, other := store.Worker{ID: "alive", Lease: lease}, h.another()
	claims := []*store.Claim{
		h.acceptAs(&store.Acceptance{Execution: execution(t, "a"), Worker: alive}).Claim,
		h.acceptAs(&store.Acceptance{Execution: inLane(t, "a", "k", 1), Worker: alive}).Claim,
	}
	ctx, cancel := context.WithTimeoutCause(h.ctx(), lease*3/2, errPatience)
	defer cancel()
	heartbeat := make(chan struct{})
	go func() {
		defer close(heartbeat)
		for ctx.Err() == nil {
			if _, err := h.Extend(context.WithoutCancel(ctx), alive); err != nil {
				t.Error(err)
			}
			time.Sleep(lease / 8)
		}
	}()
	_, err := other.Claim(ctx, worker("w1"), 1)
	require.ErrorIs(t, err, errPatience)
	<-heartbeat
	for _, claim := range claims {
		h.finish(claim, store.StatusSucceeded)
	}
	other.nothingReady()
}
