package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/runtime"
	sluicetest "github.com/sluice-go/sluice/testing"
)

const order = `{"id":"A-17","items":[{"sku":"tea","quantity":2,"price":450}]}`

// TestOrders drives the integration in memory, on a virtual clock.
func TestOrders(t *testing.T) {
	t.Parallel()
	sluicetest.Run(t, orders, func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		accepted := h.Post("New order", order).RequireStatus(http.StatusOK)
		h.Drain()
		accepted.Execution().RequireSucceeded().RequireResult(Receipt{Order: "A-17", Total: 900, Invoice: "INV-A-17"})

		h.Post("Quote", order).RequireStatus(http.StatusOK).RequireJSON(Quote{Total: 900})
		h.Post("Quote", `{"id":"A-18"}`).RequireStatus(http.StatusUnprocessableEntity)
		h.Post("Quote", `{"id":18}`).RequireStatus(http.StatusBadRequest)
	})
}

// TestProgram sends the requests that the program prints.
func TestProgram(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	out, in := io.Pipe()
	served := make(chan error, 1)
	go func() {
		served <- serve(ctx, "127.0.0.1:0", filepath.Join(t.TempDir(), "test.db"), in)
		in.Close()
	}()
	requests := printed(t, out)
	go func() { _, _ = io.Copy(io.Discard, out) }()

	var accepted struct{ ExecutionID string }
	send(t, requests[0], &accepted)
	lookUp := strings.Replace(requests[1], "<executionId>", accepted.ExecutionID, 1)
	var execution struct {
		Status string
		Steps  []struct{ Name string }
	}
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	for execution.Status != "succeeded" {
		<-poll.C
		send(t, lookUp, &execution)
		require.NotEqual(t, "failed", execution.Status)
	}
	require.Len(t, execution.Steps, 2)
	var quote Quote
	send(t, requests[2], &quote)
	require.Equal(t, 900, quote.Total)

	stop()
	require.NoError(t, <-served)
}

// printed reads the program's output up to the third curl line.
func printed(t *testing.T, out io.Reader) (requests []string) {
	t.Helper()
	lines := bufio.NewScanner(out)
	for len(requests) < 3 && lines.Scan() {
		if strings.HasPrefix(lines.Text(), "curl ") {
			requests = append(requests, lines.Text())
		}
	}
	require.Len(t, requests, 3)
	return requests
}

var curl = regexp.MustCompile(`^curl -s (?:-H '([^:]+): ([^']+)' -d '([^']+)' )?(\S+)$`)

// send does what the curl line says and decodes the answer.
func send(t *testing.T, line string, into any) {
	t.Helper()
	parts := curl.FindStringSubmatch(line)
	require.NotNil(t, parts, line)
	method := http.MethodGet
	if parts[3] != "" {
		method = http.MethodPost
	}
	request, err := http.NewRequestWithContext(t.Context(), method, parts[4], strings.NewReader(parts[3]))
	require.NoError(t, err)
	if parts[1] != "" {
		request.Header.Set(parts[1], parts[2])
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, http.StatusOK, response.StatusCode, line)
	require.NoError(t, json.NewDecoder(response.Body).Decode(into))
}
