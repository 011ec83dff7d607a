package sqlite

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/store"
)

// TestVirtualClock waits a day for another attempt in a bubble: the store blocks on nothing
// that a bubble does not know, and arms no timer while nothing is due.
func TestVirtualClock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := openTest(t, inMemory, defaultLimits)
		e := testExecution(10)
		accepted, err := s.Accept(t.Context(), &store.Acceptance{Execution: e, Worker: worker("w")})
		require.NoError(t, err)
		begin := time.Now()
		require.NoError(t, s.Finish(t.Context(), accepted.Claim, &store.Outcome{
			Attempt: 1, Status: store.StatusWaiting, NextAttempt: begin.Add(24 * time.Hour),
		}))
		claims, err := s.Claim(t.Context(), worker("w"), 1)
		require.NoError(t, err)
		require.Equal(t, e.ID, claims[0].Execution.ID)
		require.Equal(t, 2, claims[0].Attempt)
		require.Equal(t, 24*time.Hour, time.Since(begin))
		require.NoError(t, s.Close())
	})
}

// endingContext has ended as soon as it is told so, but shows it late.
type endingContext struct {
	context.Context //nolint:containedctx // It is one.
	ended           atomic.Bool
}

func (c *endingContext) Err() error {
	if c.ended.Load() {
		return context.Canceled
	}
	return nil
}

// TestClaimThatEndsAsItIsWoken leaves what woke it to the next that waits.
func TestClaimThatEndsAsItIsWoken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := openTest(t, inMemory, defaultLimits)
		first := &endingContext{Context: context.WithoutCancel(t.Context())}
		failed := make(chan error, 1)
		go func() {
			_, err := s.Claim(first, worker("first"), 1)
			failed <- err
		}()
		synctest.Wait()
		claimed := make(chan []*store.Claim, 1)
		second, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		go func() {
			claims, _ := s.Claim(second, worker("second"), 1)
			claimed <- claims
		}()
		synctest.Wait()
		first.ended.Store(true)
		acceptTest(t, s, 10)
		require.ErrorIs(t, <-failed, context.Canceled)
		require.Len(t, <-claimed, 1)
		require.NoError(t, s.Close())
	})
}

// TestWaitingOverRestart finds waiting executions again after a clean stop.
func TestWaitingOverRestart(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/s.db"
	s := openTest(t, path, defaultLimits)
	accepted, err := s.Accept(t.Context(), &store.Acceptance{Execution: testExecution(10), Worker: worker("w")})
	require.NoError(t, err)
	next := time.Now().Add(50 * time.Millisecond)
	require.NoError(t, s.Finish(t.Context(), accepted.Claim, &store.Outcome{
		Attempt: 1, Status: store.StatusWaiting, NextAttempt: next,
	}))
	ready := acceptTest(t, s, 10)
	require.NoError(t, s.Close())

	s = openTest(t, path, defaultLimits)
	var claimed []string
	for range 2 {
		claims, err := s.Claim(t.Context(), worker("w"), 1)
		require.NoError(t, err)
		claimed = append(claimed, claims[0].Execution.ID)
	}
	require.ElementsMatch(t, []string{ready, accepted.Claim.Execution.ID}, claimed)
	require.False(t, time.Now().Before(next))
	require.NoError(t, s.Close())
}
