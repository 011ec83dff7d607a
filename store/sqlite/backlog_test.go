package sqlite

import (
	"path/filepath"
	"strconv"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/store"
)

// TestBacklogStaysInDatabase claims from many lanes, and from one, that have much more queued
// than memory is to hold.
func TestBacklogStaysInDatabase(t *testing.T) {
	t.Parallel()
	few := limits{batch: 64, ready: 500, laneReady: 100, refillBelow: 20, fill: 50, crowded: 4, resume: 64, park: 1024}
	for _, lanes := range []int{1, 200} {
		t.Run(strconv.Itoa(lanes), func(t *testing.T) {
			t.Parallel()
			s := openTest(t, filepath.Join(t.TempDir(), "s.db"), few)
			fillStore(t, s, 0, 10_000, lanes)
			require.NoError(t, s.Close())
			s = openTest(t, s.path, few)
			for range 8 {
				claims, err := s.Claim(t.Context(), worker("w"), lanes)
				require.NoError(t, err)
				for _, claim := range claims {
					require.NoError(t, s.Finish(t.Context(), claim, &store.Outcome{Attempt: claim.Attempt, Status: store.StatusFailed}))
				}
				require.LessOrEqual(t, len(s.queue.seats), few.ready+few.fill+lanes*few.crowded)
			}
			require.NoError(t, s.Close())
		})
	}
}

// TestLanesAreForgotten runs executions of very many lanes.
func TestLanesAreForgotten(t *testing.T) {
	t.Parallel()
	s := openTest(t, inMemory, defaultLimits)
	defer func() { require.NoError(t, s.Close()) }()
	for i := range 3_000 {
		e := testExecution(10)
		e.Instance, e.Lane = strconv.Itoa(i%100), store.Lane{Key: uuid.NewString(), Limit: 1 + i%3}
		a := &store.Acceptance{Execution: e}
		if i%2 == 0 {
			a.Worker = worker("w")
		}
		accepted, err := s.Accept(t.Context(), a)
		require.NoError(t, err)
		if i%4 == 1 { // Two are under way at a time.
			continue
		}
		claim := accepted.Claim
		if claim == nil {
			claims, err := s.Claim(t.Context(), worker("w"), 1)
			require.NoError(t, err)
			claim = claims[0]
		}
		require.NoError(t, s.Finish(t.Context(), claim, &store.Outcome{Attempt: 1, Status: store.StatusFailed}))
	}
	for left := 750; left > 0; {
		claims, err := s.Claim(t.Context(), worker("w"), 100)
		require.NoError(t, err)
		for _, claim := range claims {
			require.NoError(t, s.Finish(t.Context(), claim, &store.Outcome{Attempt: 1, Status: store.StatusFailed}))
		}
		left -= len(claims)
	}
	require.Empty(t, s.queue.lanes)
	require.Empty(t, s.queue.tenants)
	require.Empty(t, s.queue.seats)
	require.Empty(t, s.queue.claims)
	require.Empty(t, s.queue.leases.lessees)
}
