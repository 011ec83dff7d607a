package sluicetest_test

import (
	"context"
	"testing"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// counting numbers invoices.
var counting = &sluice.Integration{Name: "Counting", Flows: []sluice.Flow{{
	Name: "Invoice", StableKey: "invoice",
	OnExecution: func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		pages, err := sluice.Step(ctx, "print", func(context.Context) (int, error) { return 2, nil })
		if err != nil {
			return nil, err
		}
		run.Logger.InfoContext(ctx, "the invoice is printed", "pages", pages)
		return nil, run.CrossFlowState().Increment(ctx, "invoices", 1)
	},
}}}

// testCounting looks at what is on record. What is not as required is told with the timeline of
// the execution.
func testCounting(t *testing.T) {
	sluicetest.Run(t, counting, func(_ *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		for range 3 {
			h.Post("Invoice", `{}`).RequireStatus(200)
		}
		h.Drain()
		for _, x := range h.Executions() {
			x.RequireSucceeded().RequireStep("print", 2).RequireLog("printed")
		}
		h.Executions()[0].CrossFlowState().Require("invoices", 3)
	})
}

func ExampleExecution() {
	_ = testCounting // Its name begins with Test in a test file of yours.
	// Output:
}
