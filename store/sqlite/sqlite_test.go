package sqlite_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/sluice-go/sluice/store"
	"github.com/sluice-go/sluice/store/sqlite"
	"github.com/sluice-go/sluice/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMemory(t *testing.T) {
	t.Parallel()
	storetest.Run(t, storetest.Driver{Open: func(t testing.TB) store.Store {
		t.Helper()
		return open(t, ":memory:")
	}})
}

func TestFile(t *testing.T) {
	t.Parallel()
	storetest.Run(t, storetest.Driver{
		Open: func(t testing.TB) store.Store {
			t.Helper()
			path := filepath.Join(t.TempDir(), "100% a store?.db")
			return &file{Store: open(t, path), path: path}
		},
		Crash: func(t testing.TB, s store.Store) store.Store {
			t.Helper()
			return s.(*file).crash(t)
		},
	})
}

func open(t testing.TB, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path)
	require.NoError(t, err)
	return s
}

// file is a store that knows its file.
type file struct {
	*sqlite.Store
	path string
}

// crash opens a copy of the file and its log as they are on disk: what a kill leaves.
func (f *file) crash(t testing.TB) store.Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "crashed.db")
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(f.path + suffix)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path+suffix, data, 0o600))
	}
	require.NoError(t, f.Close())
	return &file{Store: open(t, path), path: path}
}
