package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	sluicetest "github.com/sluice-go/sluice/testing"
)

func TestNewOrder(t *testing.T) {
	t.Parallel()
	sluicetest.Run(t, orders, func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		response := h.Post("New order", `{"id":"A-17"}`)
		require.Equal(t, 200, response.StatusCode)
		h.Drain() // Until nothing is queued, running or waiting for a retry.
		order := h.Executions()[0]
		require.Equal(t, store.StatusSucceeded, order.Status)
		require.JSONEq(t, `{"invoice":"INV-A-17"}`, string(order.Result.Data))
	})
}
