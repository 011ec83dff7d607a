package runtime_test

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/store"
)

// forgetful is a store whose connection breaks after a commit: the answer is lost.
type forgetful struct {
	store.Store
	accept, claim atomic.Bool // one answer each
}

var errLost = fmt.Errorf("the connection broke: %w", store.ErrUnavailable)

// Accept implements store.Accepter.
func (s *forgetful) Accept(ctx context.Context, acceptance *store.Acceptance) (*store.Accepted, error) {
	accepted, err := s.Store.Accept(ctx, acceptance)
	if err == nil && s.accept.CompareAndSwap(true, false) {
		return nil, errLost
	}
	return accepted, err
}

// AcceptAll implements store.Accepter.
func (s *forgetful) AcceptAll(ctx context.Context, acceptances []*store.Acceptance) ([]*store.Accepted, error) {
	accepted, err := s.Store.AcceptAll(ctx, acceptances)
	if err == nil && s.accept.CompareAndSwap(true, false) {
		return nil, errLost
	}
	return accepted, err
}

// Claim implements store.Claimer.
func (s *forgetful) Claim(ctx context.Context, worker store.Worker, limit int) ([]*store.Claim, error) {
	claims, err := s.Store.Claim(ctx, worker, limit)
	if err == nil && s.claim.CompareAndSwap(true, false) {
		return nil, errLost
	}
	return claims, err
}

// TestLostAnswers loses the answer to an acceptance that was committed, and to a claim: what
// was claimed runs, while other executions keep the lease alive.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		status int
		lose   func(*forgetful)
		flow   func(*sluice.Flow)
	}{
		"accept":      {http.StatusServiceUnavailable, func(s *forgetful) { s.accept.Store(true) }, func(*sluice.Flow) {}},
		"in a lane":   {http.StatusServiceUnavailable, func(s *forgetful) { s.accept.Store(true) }, queued(sluice.ThrottledQueueConfig{ConcurrencyLimit: 2})},
		"claim":       {http.StatusOK, func(s *forgetful) { s.claim.Store(true) }, queued(sluice.ThrottledQueueConfig{ConcurrencyLimit: 2})},
		"synchronous": {http.StatusServiceUnavailable, func(s *forgetful) { s.accept.Store(true) }, func(f *sluice.Flow) { f.IsSynchronous = true }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inMemory(t, func(t *testing.T, database store.Store) {
				lossy := &forgetful{Store: database}
				flow := func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
					time.Sleep(time.Minute) // Longer than the caller of a synchronous one waits.
					return nil, nil
				}
				rt := startOn(t, lossy, integrationOf(flow, test.flow))
				send(t, rt, `"first"`)
				test.lose(lossy)
				if name == "claim" {
					send(t, rt, `"second"`)
				}
				require.Equal(t, test.status, send(t, rt, `"last"`).Code)
				time.Sleep(10 * time.Minute)
				require.False(t, lossy.accept.Load() || lossy.claim.Load(), "no answer was lost")
				records, err := database.Executions(t.Context(), store.Filter{}, "", 10)
				require.NoError(t, err)
				require.Greater(t, len(records), 1)
				for _, record := range records {
					require.Equal(t, store.StatusSucceeded, record.Status, string(record.Payload.Body))
				}
				require.NoError(t, rt.Stop(t.Context()))
			})
		})
	}
}
