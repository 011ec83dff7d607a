package runtime_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
)

// TestStopWaitsForChanges stops a runtime while it changes an instance, started or not: the
// change comes to its end, and no other one begins.
func TestStopWaitsForChanges(t *testing.T) {
	t.Parallel()
	for name, starts := range map[string]bool{"started": true, "not started": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inMemory(t, func(t *testing.T, database store.Store) {
				var done atomic.Bool
				integration := integrationOf(nothing, func(f *sluice.Flow) {
					f.OnInstanceDeploy = func(ctx context.Context, _ *sluice.Run) (*sluice.LifecycleResult, error) {
						pass(ctx, 5*time.Second)
						done.Store(ctx.Err() == nil)
						return nil, ctx.Err()
					}
				})
				rt, err := runtime.New(t.Context(), runtime.Options{Integrations: []*sluice.Integration{integration}, Store: database})
				require.NoError(t, err)
				if starts {
					require.NoError(t, rt.Start(t.Context()))
				}
				deployed := make(chan error, 1)
				go func() {
					_, err := rt.Deploy(t.Context(), runtime.Deployment{})
					deployed <- err
				}()
				time.Sleep(time.Second)
				require.NoError(t, rt.Stop(t.Context()))
				require.True(t, done.Load())
				require.NoError(t, <-deployed)
				_, err = rt.Deploy(t.Context(), runtime.Deployment{})
				require.ErrorContains(t, err, "not running")
				for _, change := range []func(context.Context, string) error{rt.Pause, rt.Resume, rt.Delete} {
					require.ErrorContains(t, change(t.Context(), "any"), "not running")
				}
			})
		})
	}
}

// contested is a store where others write instances first.
type contested struct {
	store.Store
	conflicts atomic.Int32
}

// PutInstance implements store.Instances.
func (s *contested) PutInstance(ctx context.Context, instance *store.Instance) error {
	if s.conflicts.Add(-1) >= 0 {
		return store.ErrConflict
	}
	return s.Store.PutInstance(ctx, instance)
}

// TestChangesStartOver changes an instance that others write at the same time.
func TestChangesStartOver(t *testing.T) {
	t.Parallel()
	inMemory(t, func(t *testing.T, database store.Store) {
		others := &contested{Store: database}
		rt := startOn(t, others, integrationOf(nothing))
		instance, err := rt.Deploy(t.Context(), runtime.Deployment{})
		require.NoError(t, err)
		for _, change := range []func(context.Context, string) error{rt.Pause, rt.Resume, rt.Delete} {
			others.conflicts.Store(2)
			require.NoError(t, change(t.Context(), instance.ID))
		}
		require.NoError(t, rt.Stop(t.Context()))
	})
}
