package runtime_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
)

// maxQueued is how many may wait in these tests: half of them of the one instance.
const maxQueued = 40

// startNarrow starts a runtime that runs one execution at a time.
func startNarrow(t *testing.T, database store.Store, flow sluice.ExecutionFunc) *runtime.Runtime {
	t.Helper()
	rt, err := runtime.New(t.Context(), runtime.Options{
		Integrations: []*sluice.Integration{integrationOf(flow)}, Store: database, RateLimit: -1,
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)), Concurrency: 1, MaxQueued: maxQueued,
	})
	require.NoError(t, err)
	require.NoError(t, rt.Start(t.Context()))
	return rt
}

// stuck is a flow that runs until its context ends.
func stuck(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
	<-ctx.Done()
	return nil, context.Cause(ctx)
}

// stopNow has what runs end at once.
func stopNow(t *testing.T, runtimes ...*runtime.Runtime) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var errs []error
	for _, rt := range runtimes {
		errs = append(errs, rt.Stop(ctx))
	}
	require.NoError(t, errors.Join(errs...))
}

// fillUp sends until a request is refused, and returns how many were accepted.
func fillUp(t *testing.T, rt *runtime.Runtime) (accepted int) {
	t.Helper()
	for send(t, rt, `{}`).Code == http.StatusOK {
		accepted++
		require.Less(t, accepted, 10*maxQueued, "nothing is refused")
	}
	return accepted
}

// TestWhatOthersRunDoesNotWait has one runtime accept what the other one runs.
func TestWhatOthersRunDoesNotWait(t *testing.T) {
	t.Parallel()
	inMemory(t, func(t *testing.T, database store.Store) {
		accepts, runs := startNarrow(t, database, stuck), startNarrow(t, database, nothing)
		for n := range 10 * maxQueued {
			require.Equal(t, http.StatusOK, send(t, accepts, `{}`).Code, n)
			time.Sleep(time.Millisecond)
		}
		stopNow(t, accepts, runs)
	})
}

// TestSeveralRuntimesShareABacklog fills it up through one and through the other.
func TestSeveralRuntimesShareABacklog(t *testing.T) {
	t.Parallel()
	inMemory(t, func(t *testing.T, database store.Store) {
		one, two := startNarrow(t, database, stuck), startNarrow(t, database, stuck)
		// Each of them runs one and has another one claimed. The second runs its own.
		require.InDelta(t, maxQueued/2+4, fillUp(t, one)+fillUp(t, two), 2)
		stopNow(t, one, two)
	})
}

// TestWhatWasLeftWaits fills up what an earlier process left.
func TestWhatWasLeftWaits(t *testing.T) {
	t.Parallel()
	inMemory(t, func(t *testing.T, database store.Store) {
		one := startNarrow(t, database, stuck)
		require.InDelta(t, maxQueued/2+2, fillUp(t, one), 1)
		stopNow(t, one)
		two := startNarrow(t, database, stuck)
		time.Sleep(time.Second)
		require.LessOrEqual(t, fillUp(t, two), 2, "the second runs as many as the first")
		stopNow(t, two)
	})
}

// TestCanceledExecutionsWaitNoLonger cancels executions that slept, which did not wait to be
// run, and then such as did.
func TestCanceledExecutionsWaitNoLonger(t *testing.T) {
	t.Parallel()
	inMemory(t, func(t *testing.T, database store.Store) {
		var awake atomic.Bool
		rt := startNarrow(t, database, func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
			if !awake.Load() {
				return nil, sluice.Sleep(ctx, "night", time.Hour)
			}
			return stuck(ctx, run)
		})
		var asleep, waiting []string
		for range 5 {
			asleep = append(asleep, idOf(send(t, rt, `{}`)))
		}
		time.Sleep(time.Second)
		awake.Store(true)
		for answer := send(t, rt, `{}`); answer.Code == http.StatusOK; answer = send(t, rt, `{}`) {
			waiting = append(waiting, idOf(answer))
		}
		for _, id := range asleep {
			require.Equal(t, store.StatusWaiting, execution(t, rt, id).Status)
			require.NoError(t, rt.CancelExecution(t.Context(), id, "enough"))
		}
		require.Zero(t, fillUp(t, rt))
		for _, id := range waiting[len(waiting)-7:] {
			require.Equal(t, store.StatusQueued, execution(t, rt, id).Status)
			require.NoError(t, rt.CancelExecution(t.Context(), id, "enough"))
		}
		time.Sleep(time.Second)
		require.Equal(t, 7, fillUp(t, rt))
		stopNow(t, rt)
	})
}
