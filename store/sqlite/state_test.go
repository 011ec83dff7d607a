package sqlite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/store"
)

// TestTornState cuts the log of a killed process at many places: outcomes and the state
// that was changed with them are there together or not at all.
func TestTornState(t *testing.T) {
	t.Parallel()
	const n = 5
	path := filepath.Join(t.TempDir(), "s.db")
	s := openTest(t, path, defaultLimits)
	scope := store.Scope{Kind: store.ScopeInstance, ID: "i"}
	for range n {
		accepted, err := s.Accept(t.Context(), &store.Acceptance{Execution: testExecution(10), Worker: worker("w")})
		require.NoError(t, err)
		require.NoError(t, s.Finish(t.Context(), accepted.Claim, &store.Outcome{
			Attempt: 1, Status: store.StatusSucceeded, Result: make([]byte, 5000), State: []store.StateChange{
				{Scope: scope, Key: "n", Op: store.StateIncrement, Value: []byte("1")},
			},
		}))
	}
	database, err := os.ReadFile(path)
	require.NoError(t, err)
	log, err := os.ReadFile(path + "-wal")
	require.NoError(t, err)
	require.NoError(t, s.Close())
	seen := map[int]bool{}
	for cut := 0; cut < 30*4096; cut += 2011 {
		torn := filepath.Join(t.TempDir(), fmt.Sprintf("torn-%d.db", cut))
		require.NoError(t, os.WriteFile(torn, database, 0o600))
		require.NoError(t, os.WriteFile(torn+"-wal", log[:len(log)-cut], 0o600))
		s := openTest(t, torn, defaultLimits)
		over, err := s.Executions(t.Context(), store.Filter{Status: store.StatusSucceeded}, "", n)
		require.NoError(t, err)
		count, err := s.State(t.Context(), scope, "n")
		if errors.Is(err, store.ErrNotFound) {
			count = []byte("0")
		} else {
			require.NoError(t, err)
		}
		require.Equal(t, strconv.Itoa(len(over)), string(count))
		seen[len(over)] = true
		require.NoError(t, s.Close())
	}
	require.True(t, seen[n], "the whole log has all")
	require.Greater(t, len(seen), 2, "cuts must lose some")
}
