package runtime_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
)

// TestARecordedCallWaitsWithoutItsSlot has a flow become synchronous between two attempts of
// its caller, which finds the call on record and waits: the only slot is free meanwhile.
func TestARecordedCallWaitsWithoutItsSlot(t *testing.T) {
	t.Parallel()
	inMemory(t, func(t *testing.T, database store.Store) {
		integration := func(synchronous bool) *sluice.Integration {
			return &sluice.Integration{Name: "Test", Flows: []sluice.Flow{
				{
					Name: "Flow", StableKey: "flow", RetryConfig: &sluice.RetryConfig{MaxAttempts: 1, DelayMinutes: 1},
					OnExecution: func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
						response, err := sluice.InvokeFlow(ctx, "Callee", nil, sluice.InvokeConfig{})
						switch {
						case err != nil:
							return nil, err
						case run.Attempt == 1:
							return nil, errors.New("not yet")
						}
						return &sluice.Result{Data: response.StatusCode}, nil
					},
				},
				{
					Name: "Callee", StableKey: "callee", IsSynchronous: synchronous,
					OnExecution: func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
						return nil, sluice.Sleep(ctx, "a while", 3*time.Minute)
					},
				},
			}}
		}
		start := func(synchronous bool) *runtime.Runtime {
			rt, err := runtime.New(t.Context(), runtime.Options{
				Integrations: []*sluice.Integration{integration(synchronous)}, Store: database, Concurrency: 1,
				Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
			})
			require.NoError(t, err)
			require.NoError(t, rt.Start(t.Context()))
			return rt
		}
		rt := start(false)
		id := idOf(send(t, rt, "{}"))
		time.Sleep(30 * time.Second)
		require.NoError(t, rt.Stop(t.Context()))
		rt = start(true)
		time.Sleep(5 * time.Minute)
		x := execution(t, rt, id)
		require.Equal(t, store.StatusSucceeded, x.Status)
		require.JSONEq(t, "200", string(x.Result.Data))
		require.NoError(t, rt.Stop(t.Context()))
	})
}
