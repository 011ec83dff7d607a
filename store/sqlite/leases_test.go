package sqlite

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/store"
)

func short(id string) store.Worker { return store.Worker{ID: id, Lease: 10 * time.Second} }

func inBubble(t *testing.T, test func(t *testing.T, s *Store)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := openTest(t, inMemory, defaultLimits)
		test(t, s)
		require.NoError(t, s.Close())
	})
}

func acceptFor(t *testing.T, s *Store, worker store.Worker) *store.Claim {
	t.Helper()
	accepted, err := s.Accept(t.Context(), &store.Acceptance{Execution: testExecution(10), Worker: worker})
	require.NoError(t, err)
	return accepted.Claim
}

// TestLoneWorker keeps the claims of the only worker for as long as it likes, and arms no
// timer for it.
func TestLoneWorker(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, s *Store) {
		claim := acceptFor(t, s, short("a"))
		require.Zero(t, s.queue.leaseEnd())
		time.Sleep(24 * time.Hour)
		_, err := s.Extend(t.Context(), short("a"))
		require.NoError(t, err)
		require.NoError(t, s.Finish(t.Context(), claim, &store.Outcome{Attempt: 1, Status: store.StatusSucceeded}))
		require.Empty(t, s.queue.leases.lessees, "a worker without claims is forgotten")
	})
}

// TestLostWorkerThatWaits is told at once, and another that waits gets what it had.
func TestLostWorkerThatWaits(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, s *Store) {
		abandoned := acceptFor(t, s, short("a"))
		told := make(chan error, 1)
		go func() {
			_, err := s.Claim(t.Context(), short("a"), 1)
			told <- err
		}()
		synctest.Wait()
		claims, err := s.Claim(t.Context(), short("b"), 1)
		require.NoError(t, err)
		require.Equal(t, abandoned.Execution.ID, claims[0].Execution.ID)
		require.ErrorIs(t, <-told, store.ErrLeaseLost)
		require.NoError(t, s.Finish(t.Context(), claims[0], &store.Outcome{Attempt: 1, Status: store.StatusSucceeded}))
	})
}

// TestSecondWorker takes over what another left, at the moment when its lease runs out.
func TestSecondWorker(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, s *Store) {
		begin := time.Now()
		abandoned := acceptFor(t, s, short("a"))
		time.Sleep(3 * time.Second)
		claims, err := s.Claim(t.Context(), short("b"), 1)
		require.NoError(t, err)
		require.Equal(t, abandoned.Execution.ID, claims[0].Execution.ID)
		require.Equal(t, 10*time.Second, time.Since(begin))

		time.Sleep(time.Hour) // Nobody else knows.
		late, err := s.Claim(t.Context(), short("c"), 1)
		require.NoError(t, err)
		require.Equal(t, abandoned.Execution.ID, late[0].Execution.ID)
		require.Equal(t, 10*time.Second+time.Hour, time.Since(begin))
		require.Equal(t, 2, late[0].Crashes)
		require.NoError(t, s.Finish(t.Context(), late[0], &store.Outcome{Attempt: 1, Status: store.StatusFailed}))
		require.Empty(t, s.queue.leases.lessees)
		for _, id := range []string{"a", "b"} {
			_, err := s.Extend(t.Context(), short(id))
			require.ErrorIs(t, err, store.ErrLeaseLost)
		}
		require.Empty(t, s.queue.leases.lost)
	})
}

// TestLeasesMakeSuspects counts lost leases as deaths: what was lost twice runs alone.
func TestLeasesMakeSuspects(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, s *Store) {
		var first []*store.Claim
		for range 3 {
			first = append(first, acceptFor(t, s, short("a")))
		}
		for crashes := 1; crashes < 3; crashes++ {
			found := 0
			for found < []int{0, 3, 1}[crashes] {
				claims, err := s.Claim(t.Context(), short(string(rune('a'+crashes))), 3)
				require.NoError(t, err)
				for _, claim := range claims {
					require.Equal(t, crashes, claim.Crashes)
				}
				found += len(claims)
			}
			require.Equal(t, []int{0, 3, 1}[crashes], found)
		}
		patience := errors.New("waited long enough")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, patience)
		defer cancel()
		_, err := s.Claim(ctx, short("d"), 3)
		require.ErrorIs(t, err, patience)
		second, err := s.Claim(t.Context(), short("d"), 3)
		require.NoError(t, err)
		require.Len(t, second, 1)
		require.Equal(t, first[0].Execution.ID, second[0].Execution.ID)
		require.Equal(t, 3, second[0].Crashes)
	})
}

// TestLostLeaseOverCrash counts a lost lease and the death of the process together.
func TestLostLeaseOverCrash(t *testing.T) {
	t.Parallel()
	s := openTest(t, t.TempDir()+"/s.db", defaultLimits)
	acceptFor(t, s, store.Worker{ID: "a", Lease: time.Millisecond})
	for crashes := 1; crashes < 4; crashes++ {
		claims, err := s.Claim(t.Context(), worker("b"), 1)
		require.NoError(t, err)
		require.Equal(t, crashes, claims[0].Crashes)
		s = crash(t, s)
	}
	require.NoError(t, s.Close())
}

// TestUnwrittenLoss keeps claims that it could not write down as lost, and tries again.
func TestUnwrittenLoss(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, s *Store) {
		begin := time.Now()
		acceptFor(t, s, short("a"))
		finished := acceptFor(t, s, short("a"))
		setReadOnly(t, s, "TRUE")
		time.AfterFunc(10*time.Second+time.Millisecond, func() {
			setReadOnly(t, s, "FALSE")
			if err := s.Finish(t.Context(), finished, &store.Outcome{Attempt: 1, Status: store.StatusFailed}); err != nil {
				t.Error(err)
			}
		})
		claims, err := s.Claim(t.Context(), worker("b"), 3)
		require.NoError(t, err)
		require.Len(t, claims, 1)
		require.NotEqual(t, finished.Execution.ID, claims[0].Execution.ID)
		require.Equal(t, 11*time.Second, time.Since(begin))
	})
}
