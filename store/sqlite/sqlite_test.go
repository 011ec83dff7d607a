package sqlite

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/sluice-go/sluice/store"
	"github.com/sluice-go/sluice/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMemory(t *testing.T) {
	t.Parallel()
	storetest.Run(t, storetest.Driver{Open: func(tb testing.TB) store.Store {
		tb.Helper()
		return openTest(tb, inMemory, defaultLimits)
	}})
}

func TestFile(t *testing.T) {
	t.Parallel()
	runOnFiles(t, defaultLimits)
}

// TestFileWithLittleMemory leaves almost everything to the database: lanes spill, are
// filled again and are parked all the time.
func TestFileWithLittleMemory(t *testing.T) {
	t.Parallel()
	runOnFiles(t, limits{
		batch: 4, ready: 5, laneReady: 3, refillBelow: 2, fill: 3, crowded: 2, heldBytes: 40, resume: 2, park: 3,
	})
}

func runOnFiles(t *testing.T, limits limits) {
	t.Helper()
	storetest.Run(t, storetest.Driver{
		Open: func(tb testing.TB) store.Store {
			tb.Helper()
			return openTest(tb, filepath.Join(tb.TempDir(), "100% a store?.db"), limits)
		},
		Crash: func(tb testing.TB, s store.Store) store.Store {
			tb.Helper()
			killed, ok := s.(*Store)
			require.True(tb, ok)
			return crash(tb, killed)
		},
	})
}

func openTest(tb testing.TB, path string, limits limits) *Store {
	tb.Helper()
	s, err := open(tb.Context(), path, limits)
	require.NoError(tb, err)
	return s
}

// crash opens a copy of the file and its log as they are on disk: what a kill leaves.
func crash(tb testing.TB, s *Store) *Store {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "crashed.db")
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(s.path + suffix)
		require.NoError(tb, err)
		require.NoError(tb, os.WriteFile(path+suffix, data, 0o600))
	}
	require.NoError(tb, s.Close())
	return openTest(tb, path, s.limits)
}
