package sqlite

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/store"
)

// TestUniqueKeysDoNotPileUp ends executions with unique keys in all ways: nothing of them
// is left but the records.
func TestUniqueKeysDoNotPileUp(t *testing.T) {
	t.Parallel()
	s := openTest(t, inMemory, defaultLimits)
	defer func() { require.NoError(t, s.Close()) }()
	keyed := func(key string) *store.Execution {
		e := testExecution(10)
		e.UniqueKey = key
		return e
	}
	claimed := func(key string) *store.Claim {
		accepted, err := s.Accept(t.Context(), &store.Acceptance{Execution: keyed(key), Worker: worker("w")})
		require.NoError(t, err)
		return accepted.Claim
	}
	finish := func(claim *store.Claim, status store.Status) {
		o := &store.Outcome{Attempt: claim.Attempt, Status: status}
		if status == store.StatusWaiting {
			o.NextAttempt = time.Now().Add(time.Hour)
		}
		require.NoError(t, s.Finish(t.Context(), claim, o))
	}
	rows := func() (n int) {
		s.conn.Lock()
		defer s.conn.Unlock()
		require.NoError(t, s.conn.QueryRowContext(t.Context(), "SELECT (SELECT count(*) FROM unique_keys) + (SELECT count(*) FROM pending)").Scan(&n))
		return n
	}
	older, newer := claimed("a"), claimed("a")
	finish(newer, store.StatusWaiting)
	newest := claimed("a")
	finish(older, store.StatusWaiting) // Superseded, and so is the newer one by now.
	require.Equal(t, 1, rows())
	finish(newest, store.StatusSucceeded)
	require.Zero(t, rows())

	finish(claimed("b"), store.StatusWaiting)
	_, err := s.Accept(t.Context(), &store.Acceptance{
		Execution: keyed("b"), Outcome: &store.Outcome{Attempt: 1, Status: store.StatusFailed},
	})
	require.NoError(t, err)
	require.Zero(t, rows())

	canceled := keyed("c")
	_, err = s.Accept(t.Context(), &store.Acceptance{Execution: canceled})
	require.NoError(t, err)
	_, err = s.Cancel(t.Context(), canceled.ID, "not needed")
	require.NoError(t, err)
	running := claimed("d")
	_, err = s.Cancel(t.Context(), running.Execution.ID, "not needed")
	require.NoError(t, err)
	require.Equal(t, 2, rows())
	finish(running, store.StatusCanceled)
	require.Zero(t, rows())
}
