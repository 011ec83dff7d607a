package sluicetest_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// TestAYear is what the virtual clock is for: hours of retries, a long queue and a year of days
// in one test.
func TestAYear(t *testing.T) {
	t.Parallel()
	const items = 1000
	var booked []int
	days := map[string]int{}
	newYork, err := time.LoadLocation("America/New_York")
	require.NoError(t, err)
	integration := &sluice.Integration{Name: "A year", Flows: []sluice.Flow{
		{
			Name: "Retry", StableKey: "retry", RetryConfig: &sluice.RetryConfig{MaxAttempts: 5, DelayMinutes: 10, UsesExponentialBackoff: true},
			OnExecution: func(context.Context, *sluice.Run) (*sluice.Result, error) {
				return nil, errors.New("the shop is closed")
			},
		},
		{
			Name: "Queue", StableKey: "queue", QueueConfig: sluice.SequentialQueueConfig{},
			OnExecution: func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
				time.Sleep(time.Second) // Virtual: what comes meanwhile has to wait.
				var item int
				err := run.Payload.Body.Decode(&item)
				booked = append(booked, item)
				return nil, err
			},
		},
		{
			Name: "Daily", StableKey: "daily", Schedule: &sluice.Schedule{Value: "30 2 * * *", TimeZone: newYork.String()},
			OnExecution: func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
				days[run.Payload.DueAt.In(newYork).Format(time.DateOnly)]++
				return nil, nil
			},
		},
	}}
	sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		for i := range items {
			h.Webhook("Queue").JSON(i).RequireStatus(200)
		}
		require.Len(t, h.Pending(), items)
		h.Drain()
		require.Len(t, booked, items)
		require.IsIncreasing(t, booked)

		began := time.Now()
		closed := h.Post("Retry", `{}`)
		h.Drain()
		closed.Execution().RequireFailed("the shop is closed").RequireAttempts(6)
		require.Equal(t, (10+20+40+80+160)*time.Minute, time.Since(began))

		h.Advance(time.Until(time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)))
		runs := slices.Collect(maps.Values(days)) // Also 1 of the day that begins the summer and has no 2:30.
		require.Equal(t, slices.Repeat([]int{1}, 366), runs)
		require.Empty(t, h.Pending())
		require.Len(t, h.Executions(), items+1+366)
	})
}

// BenchmarkHarness is a test that sends one webhook and looks at its result.
func BenchmarkHarness(b *testing.B) {
	integration := &sluice.Integration{Name: "Orders", Flows: []sluice.Flow{{
		Name: "New order", StableKey: "new-order", OnExecution: func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
			return &sluice.Result{Data: run.Payload.Body.Data()}, nil
		},
	}}}
	for b.Loop() {
		testing.RunTests(func(_, _ string) (bool, error) { return true, nil }, []testing.InternalTest{{
			Name: "TestOrders",
			F: func(t *testing.T) {
				sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
					h.Deploy(runtime.Deployment{})
					answer := h.Webhook("New order").JSON(7)
					h.Drain()
					answer.Execution().RequireSucceeded().RequireResult(7)
				})
			},
		}})
	}
}
