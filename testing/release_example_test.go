package sluicetest_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// paymentsOf is one release of an integration.
func paymentsOf(version string, charge func(ctx context.Context) (string, error)) *sluice.Integration {
	return &sluice.Integration{Name: "Payments", Version: version, Flows: []sluice.Flow{{
		Name: "Pay", StableKey: "pay", RetryConfig: &sluice.RetryConfig{MaxAttempts: 1, DelayMinutes: 10},
		OnExecution: func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
			if _, err := sluice.Step(ctx, "reserve", func(context.Context) (string, error) { return "R-1", nil }); err != nil {
				return nil, err
			}
			receipt, err := sluice.Step(ctx, "charge", charge)
			return &sluice.Result{Data: receipt}, err
		},
	}}}
}

// testRelease mends a fault while a payment waits for its next attempt.
func testRelease(t *testing.T) {
	faulty := paymentsOf("1", func(context.Context) (string, error) { return "", errors.New("amount is in cents") })
	mended := paymentsOf("2", func(context.Context) (string, error) { return "receipt 1", nil })
	sluicetest.Run(t, faulty, func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		answer := h.Post("Pay", `{}`).RequireStatus(200)
		require.Len(t, h.Pending(), 1)
		h.Redeploy(mended)
		h.Drain()
		answer.Execution().RequireSucceeded().RequireSteps("reserve", "charge").RequireResult("receipt 1")
	})
}

func ExampleHarness_Redeploy() {
	_ = testRelease // Its name begins with Test in a test file of yours.
	// Output:
}
