package spectral_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	sluicetest "github.com/sluice-go/sluice/testing"
)

var count = sluice.Flow{
	Name: "Count", StableKey: "count", IsSynchronous: true,
	OnExecution: func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		state := run.InstanceState()
		seen, _, err := sluice.GetState[int](ctx, state, "seen")
		if err != nil {
			return nil, err
		}
		return &sluice.Result{Data: seen}, state.Set(ctx, "seen", seen+1)
	},
}

func TestState(t *testing.T) {
	t.Parallel()
	run(t, count, func(t *testing.T, h *sluicetest.Harness) {
		h.Post("Count", `{}`).RequireJSON(0)
		h.Post("Count", `{}`).RequireJSON(1)
	})
}

const updatePriceRef = sluice.FlowRef[order, order]("update-price")

var importPrices = sluice.Define(
	sluice.Flow{Name: "Import prices", StableKey: "import-prices"},
	func(ctx context.Context, _ *sluice.Run, prices []order) (int, error) {
		_, err := sluice.ForEach(ctx, "update", prices, func(ctx context.Context, in order, _ int) (order, error) {
			return updatePriceRef.Invoke(ctx, in)
		})
		return len(prices), err
	})

func TestInvokeFlow(t *testing.T) {
	t.Parallel()
	integration := &sluice.Integration{Name: "Shop", Flows: []sluice.Flow{updatePrice.Flow, importPrices.Flow}}
	sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		response := h.Webhook("Import prices").JSON([]order{{"tea", 450}, {"milk", 120}})
		h.Drain()
		response.Execution().RequireSucceeded().RequireResult(2)
		require.Len(t, h.Executions(), 3)
	})
}

var nightly = sluice.Flow{
	Name: "Nightly", StableKey: "nightly",
	Schedule: &sluice.Schedule{Value: "30 2 * * *", TimeZone: "Europe/Berlin"},
	OnExecution: func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		run.Logger.InfoContext(ctx, "due", "at", run.Payload.DueAt)
		return nil, nil
	},
}

var news = sluice.Flow{
	Name: "News", StableKey: "news",
	TriggerType: sluice.TriggerTypePolling,
	Schedule:    &sluice.Schedule{Value: "*/5 * * * *"},
	OnTrigger: func(ctx context.Context, run *sluice.Run, payload *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
		last, _, err := sluice.PollState[int](ctx, run)
		if err != nil {
			return nil, err
		}
		if last == 3 {
			return &sluice.TriggerResult{PolledNoChanges: true}, nil
		}
		payload.Body = sluice.NewBody(last + 1)
		return &sluice.TriggerResult{Payload: payload}, sluice.SetPollState(ctx, run, last+1)
	},
	OnExecution: func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
		return &sluice.Result{Data: run.Payload.Body.Data()}, nil
	},
}

func TestSchedules(t *testing.T) {
	t.Parallel()
	run(t, nightly, func(t *testing.T, h *sluicetest.Harness) {
		h.Advance(48 * time.Hour)
		require.Len(t, h.Executions(), 2)
		h.Executions()[0].RequireSucceeded().RequireLog("due")
	})
	run(t, news, func(t *testing.T, h *sluicetest.Harness) {
		h.Advance(20 * time.Minute)
		polls := h.Executions()
		polls[2].RequireSucceeded().RequireResult(3)
		polls[3].RequireStatus("skipped")
	})
}
