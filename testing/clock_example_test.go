package sluicetest_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// report is due every morning in Berlin.
var report = &sluice.Integration{Name: "Report", Flows: []sluice.Flow{{
	Name: "Daily", StableKey: "daily", Schedule: &sluice.Schedule{Value: "30 7 * * *", TimeZone: "Europe/Berlin"},
	OnExecution: func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
		return &sluice.Result{Data: run.Payload.DueAt.Format(time.RFC3339)}, nil
	},
}}}

// testReport looks at the next morning, and then at half a year of mornings.
func testReport(t *testing.T) {
	sluicetest.Run(t, report, func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		h.Tick()
		h.Executions()[0].RequireSucceeded().RequireResult("2000-01-01T06:30:00Z")

		h.Advance(182 * 24 * time.Hour)
		mornings := h.Executions()
		require.Len(t, mornings, 183)
		mornings[182].RequireResult("2000-07-01T05:30:00Z") // Summer time.
	})
}

func ExampleHarness_Tick() {
	_ = testReport // Its name begins with Test in a test file of yours.
	// Output:
}
