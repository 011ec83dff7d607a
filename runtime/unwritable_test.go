package runtime_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/store"
)

// moody is a store that refuses some calls with an error of which nobody knows whether it
// will pass.
type moody struct {
	store.Store
	// refuses tells which outcomes are refused; reads fail as often as misread says.
	refuses func(*store.Outcome) bool
	misread atomic.Int32
}

var errMood = errors.New("something is wrong with row 7")

// Finish implements store.Finisher.
func (s *moody) Finish(ctx context.Context, claim *store.Claim, outcome *store.Outcome) error {
	if s.refuses != nil && s.refuses(outcome) {
		return errMood
	}
	return s.Store.Finish(ctx, claim, outcome)
}

// Steps implements store.Journal.
func (s *moody) Steps(ctx context.Context, id string) ([]*store.Step, error) {
	if s.misread.Add(-1) >= 0 {
		return nil, errMood
	}
	return s.Store.Steps(ctx, id)
}

// Instance implements store.Instances.
func (s *moody) Instance(ctx context.Context, id string) (*store.Instance, error) {
	if s.misread.Add(-1) >= 0 {
		return nil, errMood
	}
	return s.Store.Instance(ctx, id)
}

// TestRefusedOutcomes has the store refuse what an execution comes to: always its result, some
// tries, or everything for a while. No claim stays open.
func TestRefusedOutcomes(t *testing.T) {
	t.Parallel()
	began := time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC) // Of every bubble.
	var tries atomic.Int32
	for name, test := range map[string]struct {
		refuses func(*store.Outcome) bool
		status  store.Status
		err     string
		runs    int32
	}{
		"results": {
			func(o *store.Outcome) bool { return o.Result != nil }, store.StatusFailed,
			"its outcome cannot be recorded: " + errMood.Error(), 1,
		},
		"two tries":      {func(*store.Outcome) bool { return tries.Add(1) <= 2 }, store.StatusSucceeded, "", 1},
		"all of a while": {func(*store.Outcome) bool { return time.Since(began) < 10*time.Second }, store.StatusSucceeded, "", 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inMemory(t, func(t *testing.T, database store.Store) {
				var runs atomic.Int32
				flow := func(context.Context, *sluice.Run) (*sluice.Result, error) {
					runs.Add(1)
					return &sluice.Result{Data: "done"}, nil
				}
				rt := startOn(t, &moody{Store: database, refuses: test.refuses}, integrationOf(flow, retried(3, 1)))
				id := idOf(send(t, rt, `{}`))
				time.Sleep(10 * time.Minute)
				x := execution(t, rt, id)
				require.Equal(t, test.status, x.Status)
				require.Len(t, x.Attempts, 1)
				require.Equal(t, test.err, x.Attempts[0].Error)
				require.Equal(t, test.runs, runs.Load())
				require.NoError(t, rt.Stop(t.Context()))
			})
		})
	}
}

// TestUnreadableExecutionsRunLater has the store fail where an execution is read that is
// claimed again.
func TestUnreadableExecutionsRunLater(t *testing.T) {
	t.Parallel()
	for n := range int32(4) {
		inMemory(t, func(t *testing.T, database store.Store) {
			fails := func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
				if run.Attempt == 1 {
					return nil, errors.New("no")
				}
				return nil, nil
			}
			bad := &moody{Store: database}
			rt := startOn(t, bad, integrationOf(fails, retried(1, 1)))
			id := idOf(send(t, rt, `{}`))
			time.Sleep(30 * time.Second)
			bad.misread.Store(n)
			time.Sleep(5 * time.Minute)
			x := execution(t, rt, id)
			require.Equal(t, store.StatusSucceeded, x.Status)
			require.Len(t, x.Attempts, 2)
			require.NoError(t, rt.Stop(t.Context()))
		})
	}
}
