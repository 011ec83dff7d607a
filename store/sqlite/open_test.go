package sqlite

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/store"
)

func testExecution(size int) *store.Execution {
	return &store.Execution{
		ID: uuid.Must(uuid.NewV7()).String(), Instance: "i", Flow: "f", AcceptedAt: time.Now(),
		Payload: store.Payload{Body: []byte(strings.Repeat("x", size))},
	}
}

func acceptTest(tb testing.TB, s *Store, size int) string {
	tb.Helper()
	e := testExecution(size)
	_, err := s.Accept(tb.Context(), &store.Acceptance{Execution: e})
	require.NoError(tb, err)
	return e.ID
}

func TestDurability(t *testing.T) {
	t.Parallel()
	s := openTest(t, filepath.Join(t.TempDir(), "s.db"), defaultLimits)
	defer func() { require.NoError(t, s.Close()) }()
	journalMode, synchronous, err := s.Durability(t.Context())
	require.NoError(t, err)
	require.Equal(t, "wal", journalMode)
	require.Equal(t, "full", synchronous)
	var vacuum int
	require.NoError(t, s.conn.QueryRowContext(t.Context(), "PRAGMA auto_vacuum").Scan(&vacuum))
	require.Equal(t, 2, vacuum, "incremental")
}

func TestOneOwner(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, link := filepath.Join(dir, "s.db"), filepath.Join(dir, "link.db")
	s := openTest(t, path, defaultLimits)
	require.NoError(t, os.Symlink(path, link))
	for _, name := range []string{path, link} {
		_, err := Open(t.Context(), name)
		require.ErrorContains(t, err, path+" is in use")
		require.ErrorContains(t, err, "stop that one first")
	}
	require.NoError(t, s.Close())
	require.NoFileExists(t, path+"-wal", "closing moves the log into the file")
	again := openTest(t, link, defaultLimits)
	require.NoError(t, again.Close())
}

// writeFile runs statements on a database file that no store has open.
func writeFile(t *testing.T, path string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	defer func() { require.NoError(t, db.Close()) }()
	for _, statement := range statements {
		_, err := db.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
}

func TestRefusedFiles(t *testing.T) {
	t.Parallel()
	closed := func(t *testing.T, path string) {
		t.Helper()
		s := openTest(t, path, defaultLimits)
		for range 50 {
			acceptTest(t, s, 1000)
		}
		require.NoError(t, s.Close())
	}
	patch := func(t *testing.T, path string, offset int64, data string) {
		t.Helper()
		file, err := os.OpenFile(path, os.O_RDWR, 0)
		require.NoError(t, err)
		_, err = file.WriteAt([]byte(data), offset)
		require.NoError(t, err)
		require.NoError(t, file.Close())
	}
	for name, test := range map[string]struct {
		spoil func(t *testing.T, path string)
		says  string
	}{
		"newer schema": {func(t *testing.T, path string) {
			closed(t, path)
			writeFile(t, path, "PRAGMA user_version = 99")
		}, "has schema version 99"},
		"another program's": {func(t *testing.T, path string) {
			writeFile(t, path, "CREATE TABLE customers (id)")
		}, "is the database of another program"},
		"no database": {func(t *testing.T, path string) {
			require.NoError(t, os.WriteFile(path, []byte(strings.Repeat("not a database\n", 100)), 0o600))
		}, "is not an SQLite database"},
		"corrupt schema": {func(t *testing.T, path string) {
			closed(t, path)
			patch(t, path, 100, strings.Repeat("\xff", 3000))
		}, "is corrupt"},
		// A database with a write version that SQLite does not know may only be read.
		"read-only": {func(t *testing.T, path string) {
			closed(t, path)
			patch(t, path, 18, "\x09")
		}, "is read-only"},
		"directory": {func(t *testing.T, path string) {
			require.NoError(t, os.Mkdir(path, 0o700))
		}, "cannot be opened"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "s.db")
			test.spoil(t, path)
			_, err := Open(t.Context(), path)
			require.ErrorContains(t, err, path)
			require.ErrorContains(t, err, test.says)
		})
	}
	t.Run("no directory", func(t *testing.T) {
		t.Parallel()
		_, err := Open(t.Context(), filepath.Join(t.TempDir(), "none", "s.db"))
		require.ErrorContains(t, err, "must exist")
	})
}

func TestCorruptPage(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s.db")
	s := openTest(t, path, defaultLimits)
	id := ""
	for range 200 {
		id = acceptTest(t, s, 1000)
	}
	require.NoError(t, s.Close())
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	info, err := file.Stat()
	require.NoError(t, err)
	// The tables' roots are in the first 20 pages.
	for page := int64(25); page < info.Size()/4096; page++ {
		_, err = file.WriteAt([]byte(strings.Repeat("\xff", 4096)), page*4096)
		require.NoError(t, err)
	}
	require.NoError(t, file.Close())
	s, err = Open(t.Context(), path)
	if err == nil {
		_, err = s.Execution(t.Context(), id)
		require.ErrorIs(t, err, store.ErrUnavailable)
		require.NoError(t, s.Close())
	}
	require.ErrorContains(t, err, "malformed")
}

// TestTornLog cuts the log of a killed process at many places: what opens is a beginning of
// what was accepted.
func TestTornLog(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s.db")
	s := openTest(t, path, defaultLimits)
	var accepted []string
	for range 5 {
		accepted = append(accepted, acceptTest(t, s, 3000))
	}
	database, err := os.ReadFile(path)
	require.NoError(t, err)
	log, err := os.ReadFile(path + "-wal")
	require.NoError(t, err)
	require.NoError(t, s.Close())
	lengths := map[int]bool{}
	for cut := 0; cut < 13*4096; cut += 1021 {
		torn := filepath.Join(t.TempDir(), fmt.Sprintf("torn-%d.db", cut))
		require.NoError(t, os.WriteFile(torn, database, 0o600))
		require.NoError(t, os.WriteFile(torn+"-wal", log[:len(log)-cut], 0o600))
		s := openTest(t, torn, defaultLimits)
		records, err := s.Executions(t.Context(), store.Filter{}, "", 10)
		require.NoError(t, err)
		for i, record := range records {
			require.Equal(t, accepted[len(records)-1-i], record.ID)
		}
		lengths[len(records)] = true
		require.NoError(t, s.Close())
	}
	require.True(t, lengths[5], "the whole log has all")
	require.Greater(t, len(lengths), 2, "cuts must lose some")
}
