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
	storetest.Run(t, storetest.Driver{Open: func(t testing.TB) store.Store {
		t.Helper()
		return openTest(t, inMemory, defaultLimits)
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
		batch: 4, ready: 5, laneReady: 3, refillBelow: 2, fill: 3, heldBytes: 40, resume: 2, park: 3,
	})
}

func runOnFiles(t *testing.T, limits limits) {
	t.Helper()
	storetest.Run(t, storetest.Driver{
		Open: func(t testing.TB) store.Store {
			t.Helper()
			return openTest(t, filepath.Join(t.TempDir(), "100% a store?.db"), limits)
		},
		Crash: func(t testing.TB, s store.Store) store.Store {
			t.Helper()
			killed, ok := s.(*Store)
			require.True(t, ok)
			return crash(t, killed)
		},
	})
}

func openTest(t testing.TB, path string, limits limits) *Store {
	t.Helper()
	s, err := open(t.Context(), path, limits)
	require.NoError(t, err)
	return s
}

// crash opens a copy of the file and its log as they are on disk: what a kill leaves.
func crash(t testing.TB, s *Store) *Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "crashed.db")
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(s.path + suffix)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path+suffix, data, 0o600))
	}
	require.NoError(t, s.Close())
	return openTest(t, path, s.limits)
}
