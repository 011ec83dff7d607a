package postgres

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/store"
	"github.com/sluice-go/sluice/store/postgres/pgtest"
)

// TestCommitters holds one commit up: a full batch does not wait for it.
func TestCommitters(t *testing.T) {
	t.Parallel()
	s := openTest(t, pgtest.Database(t))
	defer func() { require.NoError(t, s.Close()) }()
	_, err := s.pool.Exec(t.Context(), `CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
		'BEGIN IF NEW.flow = ''slow'' THEN PERFORM pg_advisory_xact_lock(1); END IF; RETURN NULL; END'`)
	require.NoError(t, err)
	_, err = s.pool.Exec(t.Context(), `CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON executions DEFERRABLE INITIALLY DEFERRED
		FOR EACH ROW EXECUTE FUNCTION wait()`)
	require.NoError(t, err)
	holds, err := s.readers.Begin(t.Context())
	require.NoError(t, err)
	_, err = holds.Exec(t.Context(), "SELECT pg_advisory_xact_lock(1)")
	require.NoError(t, err)

	slow := testExecution(t)
	slow.Flow = "slow"
	accepted := make(chan error)
	go func() {
		_, err := s.Accept(t.Context(), &store.Acceptance{Execution: slow})
		accepted <- err
	}()
	for waits := false; !waits; { // Until the commit waits for the lock.
		require.NoError(t, s.readers.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = "+
			"(SELECT oid FROM pg_database WHERE datname = current_database()))").Scan(&waits))
	}
	var full sync.WaitGroup
	for range maxBatch {
		full.Go(func() {
			_, err := s.Accept(t.Context(), &store.Acceptance{Execution: testExecution(t)})
			assert.NoError(t, err)
		})
	}
	full.Wait()
	_, err = s.Execution(t.Context(), slow.ID)
	require.ErrorIs(t, err, store.ErrNotFound)
	require.NoError(t, holds.Rollback(t.Context()))
	require.NoError(t, <-accepted)
	_, err = s.Execution(t.Context(), slow.ID)
	require.NoError(t, err)
}

// TestInbox hands out a small batch only while nothing is committed, and a full one at any time.
func TestInbox(t *testing.T) {
	t.Parallel()
	i := &inbox{signal: make(chan struct{}, 1)}
	take := func(put int) int {
		for range put {
			require.NoError(t, i.put(&ticket{}))
		}
		batch, closed := i.take()
		require.False(t, closed)
		return len(batch)
	}
	require.Equal(t, 1, take(1))
	require.Zero(t, take(maxBatch-1))
	require.Equal(t, maxBatch, take(2), "it does not wait")
	require.Zero(t, take(0))
	i.done()
	require.Zero(t, take(0), "one is committed still")
	i.done()
	require.Equal(t, 1, take(0))
}
