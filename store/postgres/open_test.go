package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/store"
	"github.com/sluice-go/sluice/store/postgres/pgtest"
)

// TestOpenAtOnce has several processes migrate one empty database.
func TestOpenAtOnce(t *testing.T) {
	t.Parallel()
	database := pgtest.Database(t)
	stores, errs := make([]*Store, 6), make([]error, 6)
	var all sync.WaitGroup
	for i := range stores {
		all.Go(func() { stores[i], errs[i] = Open(t.Context(), database) })
	}
	all.Wait()
	for i, s := range stores {
		require.NoError(t, errs[i])
		_, err := s.Accept(t.Context(), &store.Acceptance{Execution: testExecution(t)})
		require.NoError(t, err)
	}
	for _, s := range stores {
		require.NoError(t, s.Close())
	}
}

func TestOpenNewer(t *testing.T) {
	t.Parallel()
	database := pgtest.Database(t)
	s := openTest(t, database)
	_, err := s.pool.Exec(t.Context(), "UPDATE schema_version SET version = version + 1")
	require.NoError(t, err)
	require.NoError(t, s.Close())
	_, err = Open(t.Context(), database)
	require.ErrorContains(t, err, "run the newer program")
}

func TestOpenNothing(t *testing.T) {
	t.Parallel()
	_, err := Open(t.Context(), "postgres://nobody@127.0.0.1:1/none?connect_timeout=5")
	require.ErrorIs(t, err, store.ErrUnavailable)
	_, err = Open(t.Context(), "no address at all")
	require.Error(t, err)
}

func TestDurability(t *testing.T) {
	t.Parallel()
	s := openTest(t, pgtest.Database(t)+"&synchronous_commit=off&default_transaction_isolation=serializable")
	defer func() { require.NoError(t, s.Close()) }()
	var commit, isolation string
	require.NoError(t, s.pool.QueryRow(t.Context(), "SELECT current_setting('synchronous_commit'), current_setting('transaction_isolation')").
		Scan(&commit, &isolation))
	require.Equal(t, "on", commit)
	require.Equal(t, "read committed", isolation)
}

func testExecution(tb testing.TB) *store.Execution {
	tb.Helper()
	id, err := uuid.NewV7()
	require.NoError(tb, err)
	return &store.Execution{ID: id.String(), Instance: "i", Flow: "f", AcceptedAt: time.Now().UTC()}
}

// TestText keeps texts that PostgreSQL refuses.
func TestText(t *testing.T) {
	t.Parallel()
	s := openTest(t, pgtest.Database(t))
	defer func() { require.NoError(t, s.Close()) }()
	e := testExecution(t)
	e.UniqueKey, e.User, e.Lane = "a\x00b", "\xff", store.Lane{Key: "\x01", Limit: 1}
	worker := store.Worker{ID: "w", Lease: time.Hour}
	accepted, err := s.Accept(t.Context(), &store.Acceptance{Execution: e, Worker: worker})
	require.NoError(t, err)
	step := &store.Step{Key: "\x00", Name: "\xfe", Error: "\x00"}
	require.NoError(t, s.RecordStep(t.Context(), accepted.Claim, step))
	_, err = s.Cancel(t.Context(), e.ID, "because \xff")
	require.NoError(t, err)
	require.NoError(t, s.Finish(t.Context(), accepted.Claim, &store.Outcome{
		Attempt: 1, Status: store.StatusWaiting, Error: "it said \x00", NextAttempt: time.Now(),
	}))
	record, err := s.Execution(t.Context(), e.ID)
	require.NoError(t, err)
	require.Equal(t, *e, record.Execution)
	require.Equal(t, []*store.Step{step}, record.Steps)
	require.Equal(t, "because \xff: it said \x00", record.Attempts[0].Error)
}

// TestRestart stops the server again and again while executions are accepted and finished:
// what was acknowledged is there, and every outcome once.
func TestRestart(t *testing.T) {
	t.Parallel()
	pgtest.Shared(t) // Skips where PostgreSQL is missing.
	server, err := pgtest.Start(t.Context())
	require.NoError(t, err)
	defer func() { require.NoError(t, server.Close()) }()
	database, err := server.NewDatabase(t.Context())
	require.NoError(t, err)
	s := openTest(t, database)
	ctx, stop := context.WithCancel(t.Context())
	var accepted, finished sync.Map
	var count atomic.Int64
	var all sync.WaitGroup
	for n := range 8 {
		worker := store.Worker{ID: fmt.Sprint("w", n), Lease: time.Hour}
		all.Go(func() {
			for ctx.Err() == nil {
				answer, err := s.Accept(t.Context(), &store.Acceptance{Execution: testExecution(t), Worker: worker})
				if !acknowledged(t, err) {
					continue
				}
				id := answer.Claim.Execution.ID
				accepted.Store(id, true)
				err = s.Finish(t.Context(), answer.Claim, &store.Outcome{Attempt: 1, Status: store.StatusSucceeded, State: []store.StateChange{{
					Scope: store.Scope{Kind: store.ScopeInstance, ID: worker.ID}, Key: "n", Op: store.StateIncrement, Value: []byte("1"),
				}}})
				if acknowledged(t, err) {
					finished.Store(id, worker.ID)
					count.Add(1)
				}
			}
		})
	}
	for range 3 {
		before := count.Load()
		require.Eventually(t, func() bool { return count.Load() > before+50 }, time.Minute, 5*time.Millisecond)
		if err := server.Restart(t.Context()); errors.Is(err, pgtest.ErrForeign) {
			t.Log("the server is somebody else's: it is not restarted")
		} else {
			require.NoError(t, err)
		}
	}
	before := count.Load()
	require.Eventually(t, func() bool { return count.Load() > before+50 }, time.Minute, 5*time.Millisecond)
	stop()
	all.Wait()
	accepted.Range(func(id, _ any) bool {
		record, err := s.Execution(t.Context(), id.(string)) //nolint:errcheck // It is one.
		require.NoError(t, err)
		_, over := finished.Load(id)
		if over {
			require.Equal(t, store.StatusSucceeded, record.Status)
		}
		require.LessOrEqual(t, len(record.Attempts), 1)
		return true
	})
	var outcomes, sum int64
	require.NoError(t, s.pool.QueryRow(t.Context(), `SELECT (SELECT count(*) FROM outcomes),
		(SELECT sum(convert_from(value, 'UTF8')::bigint) FROM state_values)`).Scan(&outcomes, &sum))
	require.Equal(t, outcomes, sum, "each outcome changed the state once")
	t.Logf("%d executions finished", count.Load())
	require.NoError(t, s.Close())
}

// acknowledged tells whether a write succeeded. It may only fail because the server is away.
func acknowledged(t *testing.T, err error) bool {
	t.Helper()
	if err == nil {
		return true
	}
	if !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("neither written nor unavailable: %v", err)
	}
	return false
}
