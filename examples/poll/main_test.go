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

// TestShop lets a day pass.
func TestShop(t *testing.T) {
	t.Parallel()
	s := newShop()
	sluicetest.Run(t, integration(s), func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{Config: map[string]any{"Report time": "0 12 * * *"}})
		h.Drain()
		customers := 0
		for _, x := range h.Executions() {
			require.Equal(t, store.StatusSucceeded, x.Status)
			if x.InvokeType == sluice.InvokeBatch {
				customers++
			}
		}
		require.Equal(t, 5, customers, "230 customers on 3 pages, in batches of 50")

		h.Advance(time.Minute)
		s.buy("coffee")
		h.Advance(2 * time.Minute)
		h.Drain()
		require.Equal(t, []string{`[{"id":1,"item":"tea"}]`, `[{"id":2,"item":"coffee"}]`, "no changes"}, polls(h))

		h.Advance(12 * time.Hour)
		h.Drain()
		reports := 0
		for _, x := range h.Executions() {
			if x.Flow == "report" {
				reports++
				require.JSONEq(t, `"2 orders until 2000-01-01"`, string(x.Result.Data))
			}
		}
		require.Equal(t, 1, reports)
	})
}

// polls is what came of each poll.
func polls(h *sluicetest.Harness) (results []string) {
	for _, x := range h.Executions() {
		switch {
		case x.InvokeType != sluice.InvokePoll:
		case x.Status == store.StatusSkipped:
			results = append(results, "no changes")
		default:
			results = append(results, string(x.Result.Data))
		}
	}
	return results
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
