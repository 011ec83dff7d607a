package sqlite

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

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
		accepted, err := s.Accept(t.Context(), &store.Acceptance{Execution: testExecution(10_000), Worker: "w"})
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
	const n = 30
	errs := make([]error, n)
	var all sync.WaitGroup
	s.conn.Lock() // While the loop stands still, one batch of them gathers.
	for i := range n {
		size := 10
		if i == n/2 {
			size = 1 << 20
		}
		all.Go(func() { _, errs[i] = s.Accept(t.Context(), &store.Acceptance{Execution: testExecution(size)}) })
	}
	require.Eventually(t, func() bool {
		s.inbox.mu.Lock()
		defer s.inbox.mu.Unlock()
		return len(s.inbox.tickets) >= n-1 // The loop may hold one.
	}, 10*time.Second, time.Millisecond)
	s.conn.Unlock()
	all.Wait()
	for i, err := range errs {
		if i == n/2 {
			require.ErrorIs(t, err, store.ErrUnavailable)
		} else {
			require.NoError(t, err, fmt.Sprint(i))
		}
	}
}
