package postgres

import (
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/store"
	"github.com/sluice-go/sluice/store/postgres/pgtest"
	"github.com/sluice-go/sluice/store/storetest"
)

func TestStore(t *testing.T) {
	t.Parallel()
	var databases reused
	storetest.Run(t, storetest.Driver{
		Open: func(tb testing.TB) store.Store {
			tb.Helper()
			return databases.open(tb)
		},
		Crash: func(tb testing.TB, s store.Store) store.Store {
			tb.Helper()
			killed, ok := s.(*Store)
			require.True(tb, ok)
			return crash(tb, killed)
		},
		Another: func(tb testing.TB, s store.Store) store.Store {
			tb.Helper()
			first, ok := s.(*Store)
			require.True(tb, ok)
			return openTest(tb, first.pool.Config().ConnString())
		},
	})
}

// reused are databases that tests used before: to empty one takes less time than to make
// one.
type reused struct {
	mu    sync.Mutex
	free  []string
	using map[testing.TB]string
}

// take returns the database of the test, or one that nobody uses.
func (r *reused) take(tb testing.TB) (database string, used bool) {
	tb.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if database := r.using[tb]; database != "" { // Of a store that the test has closed.
		return database, true
	}
	if used = len(r.free) > 0; used {
		database, r.free = r.free[0], r.free[1:]
	} else {
		var err error
		database, err = pgtest.Shared(tb).NewDatabase(tb.Context())
		require.NoError(tb, err)
	}
	if r.using == nil {
		r.using = map[testing.TB]string{}
	}
	r.using[tb] = database
	tb.Cleanup(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.using, tb)
		r.free = append(r.free, database)
	})
	return database, used
}

func (r *reused) open(tb testing.TB) *Store {
	tb.Helper()
	database, used := r.take(tb)
	if used {
		conn, err := pgx.Connect(tb.Context(), database)
		require.NoError(tb, err)
		_, err = conn.Exec(tb.Context(), "DROP SCHEMA sluice CASCADE")
		require.NoError(tb, err)
		require.NoError(tb, conn.Close(tb.Context()))
	}
	return openTest(tb, database)
}

func openTest(tb testing.TB, database string) *Store {
	tb.Helper()
	s, err := Open(tb.Context(), database)
	require.NoError(tb, err)
	return s
}

// crash ends a store without giving anything back, and the leases of its workers.
func crash(tb testing.TB, killed *Store) *Store {
	tb.Helper()
	killed.ending.Do(func() {
		killed.stop()
		killed.close()
	})
	s := openTest(tb, killed.pool.Config().ConnString())
	_, err := s.pool.Exec(tb.Context(), "UPDATE workers SET expires = 0 WHERE id = ANY($1)", killed.leases.workers())
	require.NoError(tb, err)
	require.NoError(tb, s.expire(tb.Context()))
	for _, id := range killed.leases.workers() { // The next process has workers of its own, whatever the suite calls them.
		_, err := s.pool.Exec(tb.Context(), "DELETE FROM workers WHERE id = $1", id)
		require.NoError(tb, err)
	}
	return s
}
