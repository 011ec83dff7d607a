package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// TestWarehouse sends movements in memory, on a virtual clock.
func TestWarehouse(t *testing.T) {
	t.Parallel()
	s := newStock(t.Output())
	sluicetest.Run(t, warehouse(s), func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		var want []string
		began := time.Now()
		for n := range 10 {
			id := fmt.Sprintf("M-%d", n)
			want = append(want, id)
			h.Webhook("Book movement").JSON(Movement{ID: id, Item: "tea", Change: 1}).RequireStatus(http.StatusOK)
		}
		again := h.Webhook("Book movement").JSON(Movement{ID: "M-3", Item: "tea", Change: 1})
		again.RequireJSON(map[string]any{"executionId": h.Executions()[3].ID, "duplicate": true})
		h.Executions()[1].RequireStatus(store.StatusQueued) // The first one runs.
		h.Drain()
		require.Equal(t, want, s.booked)
		require.Equal(t, 10*bookingTime, h.Executions()[9].Attempts[0].EndedAt.Sub(began.UTC()))
	})
}

// TestProgram sends what the program prints.
func TestProgram(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	out, in := io.Pipe()
	served := make(chan error, 1)
	go func() {
		served <- serve(ctx, "127.0.0.1:0", filepath.Join(t.TempDir(), "test.db"), in)
		in.Close()
	}()
	lines := bufio.NewScanner(out)
	read := func(pattern string) string {
		t.Helper()
		for lines.Scan() {
			if found := regexp.MustCompile(pattern).FindString(lines.Text()); found != "" {
				return found
			}
		}
		require.Fail(t, "the program does not print "+pattern)
		return ""
	}
	url := read(`http://\S+/trigger/[^;\s]+`)
	for n := range 3 {
		body := strings.NewReader(fmt.Sprintf(`{"id":"M-%d","item":"tea","change":%d}`, n, n))
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, body)
		require.NoError(t, err)
		request.Header.Set("Content-Type", "application/json")
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		response.Body.Close()
		require.Equal(t, http.StatusOK, response.StatusCode)
	}
	for n := range 3 {
		require.Equal(t, fmt.Sprintf("booked M-%d", n), read(`^booked [^:]+`))
	}
	stop()
	read("^Stopping")
	require.NoError(t, <-served)
}
