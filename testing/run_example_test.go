package sluicetest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// booking is a flow that tries again while the shop is closed: after 10 minutes, 20, 40, ….
func booking(opens time.Time) *sluice.Integration {
	return &sluice.Integration{Name: "Bookings", Flows: []sluice.Flow{{
		Name: "Book", StableKey: "book",
		RetryConfig: &sluice.RetryConfig{MaxAttempts: 5, DelayMinutes: 10, UsesExponentialBackoff: true},
		OnExecution: func(context.Context, *sluice.Run) (*sluice.Result, error) {
			if time.Now().Before(opens) {
				return nil, errors.New("the shop is closed")
			}
			return &sluice.Result{Data: "booked"}, nil
		},
	}}}
}

// testBooking waits for hours, in no time: the clock is virtual.
func testBooking(t *testing.T) {
	midnight := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // When every such test begins.
	sluicetest.Run(t, booking(midnight.Add(2*time.Hour)), func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		answer := h.Post("Book", `{"room": 7}`).RequireStatus(200)
		answer.Execution().RequireStatus(store.StatusWaiting)
		h.Drain()
		answer.Execution().RequireSucceeded().RequireAttempts(5).RequireResult("booked")
		require.Equal(t, 150*time.Minute, time.Since(midnight))
	})
}

func ExampleRun() {
	_ = testBooking // Its name begins with Test in a test file of yours.
	// Output:
}
