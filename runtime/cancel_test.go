package runtime_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// requireCanceled tells that an execution's record says canceled, and why.
func requireCanceled(t *testing.T, x *runtime.Execution, reason string) {
	t.Helper()
	require.Equal(t, store.StatusCanceled, x.Status)
	require.Equal(t, reason, x.Error)
	require.Equal(t, store.StatusCanceled, x.Attempts[len(x.Attempts)-1].Status)
	require.Zero(t, x.Due)
}

func TestCancelWhatWaits(t *testing.T) {
	t.Parallel()
	r := &recorder{fails: func(body string, _ int) bool { return body == "0" }}
	options := runtime.Options{MaxQueued: 8}
	integration := integrationOf(r.flow, queued(sluice.SequentialQueueConfig{}), retried(3, 1))
	runWith(t, options, integration, func(t *testing.T, h *sluicetest.Harness) {
		ctx := t.Context()
		retried := executionID(t, h.Post("Flow", "0"))
		canceled := executionID(t, h.Post("Flow", "1"))
		last := executionID(t, h.Post("Flow", "2"))
		require.NoError(t, h.Runtime.CancelExecution(ctx, canceled, "not needed"))
		requireCanceled(t, h.Execution(canceled).Execution, "not needed")
		h.Advance(10 * time.Second)
		x := h.Execution(retried)
		require.Equal(t, store.StatusWaiting, x.Status)
		require.Equal(t, x.Attempts[0].EndedAt.Add(time.Minute), x.Due)
		require.NoError(t, h.Runtime.CancelExecution(ctx, retried, "give up"))
		h.Drain()
		requireCanceled(t, h.Execution(retried).Execution, "give up")
		require.Equal(t, store.StatusSucceeded, h.Execution(last).Status)
		require.Equal(t, []string{"0/1", "2/1"}, r.started)

		require.ErrorIs(t, h.Runtime.CancelExecution(ctx, last, "too late"), store.ErrConflict)
		require.ErrorIs(t, h.Runtime.CancelExecution(ctx, retried, "twice"), store.ErrConflict)
		require.ErrorIs(t, h.Runtime.CancelExecution(ctx, "0190a3b0-0000-7000-8000-000000000000", "gone"), store.ErrNotFound)
		require.ErrorContains(t, h.Runtime.CancelExecution(ctx, last, ""), "a reason is required")

		for range 20 { // What is canceled leaves room for others.
			require.Equal(t, http.StatusOK, h.Post("Flow", "3").StatusCode)
			waits := h.Post("Flow", "4")
			require.Equal(t, http.StatusOK, waits.StatusCode)
			require.NoError(t, h.Runtime.CancelExecution(ctx, executionID(t, waits), "room"))
			h.Drain()
		}
	})
}

// stubborn is a flow that ends as its body says when it is canceled.
func stubborn(end <-chan struct{}, cause *error) sluice.ExecutionFunc {
	return func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		run.Logger.InfoContext(ctx, "begun")
		<-ctx.Done()
		*cause = context.Cause(ctx)
		switch body, _ := run.Payload.Body.Bytes(); string(body) {
		case `"success"`:
			return &sluice.Result{Data: "done"}, nil
		case `"ignore"`:
			<-end
		}
		return nil, errors.New("its own error")
	}
}

func TestCancelWhatRuns(t *testing.T) {
	t.Parallel()
	var end chan struct{}
	var cause error
	flow := func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		return stubborn(end, &cause)(ctx, run)
	}
	run(t, integrationOf(flow, queued(sluice.SequentialQueueConfig{}), retried(3, 1)), func(t *testing.T, h *sluicetest.Harness) {
		end = make(chan struct{})
		heeds := executionID(t, h.Post("Flow", `"heed"`))
		require.Equal(t, store.StatusRunning, h.Execution(heeds).Status)
		require.NoError(t, h.Runtime.CancelExecution(t.Context(), heeds, "stop it"))
		x := h.Execution(heeds)
		requireCanceled(t, x.Execution, "stop it")
		require.Equal(t, "begun", x.Attempts[0].Logs[0].Message)
		require.ErrorIs(t, cause, sluice.ErrCanceled)
		require.ErrorContains(t, cause, "stop it")

		succeeds := executionID(t, h.Post("Flow", `"success"`))
		h.Advance(0)
		require.NoError(t, h.Runtime.CancelExecution(t.Context(), succeeds, "too late"))
		require.Equal(t, store.StatusSucceeded, h.Execution(succeeds).Status, "it had come to its end")

		ignores := executionID(t, h.Post("Flow", `"ignore"`))
		next := executionID(t, h.Post("Flow", `"heed"`))
		h.Advance(0)
		require.NoError(t, h.Runtime.CancelExecution(t.Context(), ignores, "really"))
		require.Equal(t, store.StatusRunning, h.Execution(ignores).Status)
		require.Equal(t, store.StatusQueued, h.Execution(next).Status)
		h.Advance(11 * time.Second)
		requireCanceled(t, h.Execution(ignores).Execution, "really")
		require.Equal(t, store.StatusRunning, h.Execution(next).Status, "its seat is free")
		require.NoError(t, h.Runtime.CancelExecution(t.Context(), next, "all of it"))
		close(end)
		h.Advance(0)
		requireCanceled(t, h.Execution(ignores).Execution, "really")

		waiting := make(chan *sluicetest.Response)
		go func() { waiting <- h.Post("Flow", `"heed"`, "prismatic-synchronous", "true") }()
		synctest.Wait()
		all := h.Executions()
		require.NoError(t, h.Runtime.CancelExecution(t.Context(), all[len(all)-1].ID, "nobody waits"))
		answer := <-waiting
		require.Equal(t, http.StatusBadRequest, answer.StatusCode)
		require.Contains(t, answer.Text, "nobody waits")
	})
}

// TestCancelWhatRunsElsewhere: the other process hears of it within a third of its lease.
func TestCancelWhatRunsElsewhere(t *testing.T) {
	t.Parallel()
	inMemory(t, func(t *testing.T, database store.Store) {
		var cause error
		integration := integrationOf(stubborn(nil, &cause), retried(3, 1))
		one, two := startOn(t, database, integration), startOn(t, database, integration)
		id := idOf(send(t, one, `"heed"`))
		time.Sleep(10*time.Minute + time.Second) // Virtual: the lease is kept all the time, but not at this moment.
		require.NoError(t, two.CancelExecution(t.Context(), id, "from elsewhere"))
		synctest.Wait()
		require.Equal(t, store.StatusRunning, execution(t, one, id).Status)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		requireCanceled(t, execution(t, one, id), "from elsewhere")
		require.ErrorIs(t, cause, sluice.ErrCanceled)
		require.Equal(t, "begun", execution(t, one, id).Attempts[0].Logs[0].Message)
		require.NoError(t, errors.Join(one.Stop(t.Context()), two.Stop(t.Context())))
	})
}

// TestDeletedInstanceCancels what waits to be executed for it.
func TestDeletedInstanceCancels(t *testing.T) {
	t.Parallel()
	r := &recorder{}
	sluicetest.Run(t, integrationOf(r.flow, queued(sluice.SequentialQueueConfig{})), func(t *testing.T, h *sluicetest.Harness) {
		instance := h.Deploy(runtime.Deployment{})
		runs, waits := executionID(t, h.Post("Flow", "1")), executionID(t, h.Post("Flow", "2"))
		require.NoError(t, h.Runtime.Delete(t.Context(), instance.ID))
		h.Drain()
		require.Equal(t, store.StatusSucceeded, h.Execution(runs).Status)
		require.Equal(t, store.StatusCanceled, h.Execution(waits).Status)
		require.Contains(t, h.Execution(waits).Error, "removed")
		require.Equal(t, []string{"1/1"}, r.started)
	})
}
