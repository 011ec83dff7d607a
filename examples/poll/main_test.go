package main

import (
	"bufio"
	"context"
	"io"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// run deploys the integration of a fake shop, in memory and on a virtual clock.
func run(t *testing.T, test func(t *testing.T, h *sluicetest.Harness, s *shop)) {
	t.Helper()
	s := newShop()
	sluicetest.Run(t, integration(s), func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{Config: map[string]any{reportTime.Key: "0 12 * * *"}})
		test(t, h, s)
	})
}

// TestNewOrders: a poll that finds nothing runs nothing.
func TestNewOrders(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, h *sluicetest.Harness, s *shop) {
		h.Advance(time.Minute)
		s.buy("coffee")
		h.Advance(2 * time.Minute)
		h.Drain()
		polls := h.Find(store.Filter{Flow: "new-orders"})
		require.Len(t, polls, 3)
		polls[0].RequireSucceeded().RequireResult([]order{{1, "tea"}})
		polls[1].RequireSucceeded().RequireResult([]order{{2, "coffee"}})
		polls[2].RequireStatus(store.StatusSkipped)
	})
}

// TestAllCustomers: the first deployment copies the customers that are there, in batches.
func TestAllCustomers(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, h *sluicetest.Harness, _ *shop) {
		h.Drain()
		batches := h.Find(store.Filter{InvokeType: string(sluice.InvokeBatch)})
		require.Len(t, batches, 5, "230 customers on 3 pages, in batches of 50")
		for _, batch := range batches {
			batch.RequireSucceeded()
		}
	})
}

// TestReport lets half a day pass.
func TestReport(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, h *sluicetest.Harness, s *shop) {
		s.buy("coffee")
		h.Advance(12*time.Hour + time.Minute)
		h.Drain()
		reports := h.Find(store.Filter{Flow: "report"})
		require.Len(t, reports, 1)
		reports[0].RequireSucceeded().RequireResult("2 orders until 2000-01-01")
	})
}

func TestProgram(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	out, in := io.Pipe()
	served := make(chan error, 1)
	go func() { served <- serve(ctx, filepath.Join(t.TempDir(), "poll.db"), in) }()
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Contains(t, line, "every minute")
	stop()
	require.NoError(t, <-served)
}
