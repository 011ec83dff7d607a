package sqlite

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/store"
)

// setPages limits the size of the store's file, as a disk does.
func setPages(t *testing.T, s *Store, pages string) {
	t.Helper()
	s.conn.Lock()
	defer s.conn.Unlock()
	var limit int
	require.NoError(t, s.conn.QueryRowContext(t.Context(), "PRAGMA max_page_count = "+pages).Scan(&limit))
}

func TestDiskFull(t *testing.T) {
	t.Parallel()
	s := openTest(t, filepath.Join(t.TempDir(), "s.db"), defaultLimits)
	acceptClaimed := func() (*store.Claim, error) {
		accepted, err := s.Accept(t.Context(), &store.Acceptance{Execution: testExecution(10_000), Worker: worker("w")})
		if err != nil {
			return nil, err
		}
		return accepted.Claim, nil
	}
	claim, err := acceptClaimed()
	require.NoError(t, err)

	setPages(t, s, "1") // That is: no more than it has.
	for range 3 {
		_, err := acceptClaimed()
		require.ErrorIs(t, err, store.ErrUnavailable)
		require.ErrorContains(t, err, "full")
	}
	big := &store.Outcome{Attempt: 1, Status: store.StatusSucceeded, Result: make([]byte, 100_000)}
	require.ErrorIs(t, s.Finish(t.Context(), claim, big), store.ErrUnavailable)
	step := &store.Step{Key: "k", Attempt: 1, Result: make([]byte, 100_000)}
	require.ErrorIs(t, s.RecordStep(t.Context(), claim, step), store.ErrUnavailable)
	records, err := s.Executions(t.Context(), store.Filter{}, "", 10)
	require.NoError(t, err)
	require.Len(t, records, 1, "nothing was accepted")
	require.Equal(t, store.StatusRunning, records[0].Status, "the claim is still there")

	setPages(t, s, "1000000")
	require.NoError(t, s.RecordStep(t.Context(), claim, step))
	require.NoError(t, s.Finish(t.Context(), claim, big))
	_, err = acceptClaimed()
	require.NoError(t, err)
	after := crash(t, s)
	records, err = after.Executions(t.Context(), store.Filter{}, "", 10)
	require.NoError(t, err)
	require.Len(t, records, 2)
	require.NoError(t, after.Close())
}

// TestDiskFullForOne lets one write of a batch not fit: its neighbours are written.
func TestDiskFullForOne(t *testing.T) {
	t.Parallel()
	s := openTest(t, filepath.Join(t.TempDir(), "s.db"), defaultLimits)
	defer func() { require.NoError(t, s.Close()) }()
	acceptTest(t, s, 10)
	setPages(t, s, "100")
	batch := make([]*ticket, 30)
	for i := range batch {
		size := 10
		if i == len(batch)/2 {
			size = 1 << 20
		}
		e := testExecution(size)
		id, err := encodeID(e.ID)
		require.NoError(t, err)
		w := &accept{Acceptance: &store.Acceptance{Execution: e}, id: id}
		batch[i] = &ticket{write: w, answer: make(chan error, 1)}
	}
	s.conn.Lock()
	s.commit(batch)
	s.conn.Unlock()
	for i, ticket := range batch {
		err := <-ticket.answer
		if i == len(batch)/2 {
			require.ErrorIs(t, err, store.ErrUnavailable)
		} else {
			require.NoError(t, err, "write %d", i)
		}
	}
}
