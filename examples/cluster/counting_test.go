package main

import (
	"testing"

	"github.com/sluice-go/sluice/runtime"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// TestCounting drives the flow in memory, on a virtual clock.
func TestCounting(t *testing.T) {
	t.Parallel()
	sluicetest.Run(t, counting(t.Output()), func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		response := h.Post("Count", `{}`).RequireStatus(200)
		h.Drain()
		response.Execution().RequireSucceeded().RequireResult(steps)
	})
}
