package main

import (
	"testing"

	"github.com/sluice-go/sluice/runtime"
	sluicetest "github.com/sluice-go/sluice/testing"
)

func TestNewOrder(t *testing.T) {
	t.Parallel()
	sluicetest.Run(t, orders, func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		response := h.Post("New order", `{"id":"A-17"}`).RequireStatus(200)
		h.Drain() // Until nothing is queued, running or waiting for a retry.
		response.Execution().RequireSucceeded().RequireResult(Receipt{Invoice: "INV-A-17"})
	})
}
