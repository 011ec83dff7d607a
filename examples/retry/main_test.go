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
	"github.com/sluice-go/sluice/store"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// update posts a price of a product.
func update(h *sluicetest.Harness, product string, price int) *sluicetest.Response {
	return h.Webhook("Update product").JSON(Product{ProductID: product, Price: price}).RequireStatus(http.StatusOK)
}

// TestRetries: a shop that is down for a while is asked again, what is wrong is not.
func TestRetries(t *testing.T) {
	t.Parallel()
	s := &shop{}
	sluicetest.Run(t, catalogue(s), func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		s.downUntil = time.Now().Add(6 * time.Minute)
		good, wrong := update(h, "P-1", 450), update(h, "P-2", -1)
		h.Drain()
		good.Execution().RequireSucceeded().RequireAttempts(4) // After 0, 1, 3 and 7 minutes.
		wrong.Execution().RequireFailed("a price is negative").RequireAttempts(1)
		require.Equal(t, map[string]int{"P-1": 450}, s.prices)
	})
}

// TestNewerPrice: a newer price of the product ends the retries of the older one.
func TestNewerPrice(t *testing.T) {
	t.Parallel()
	s := &shop{}
	sluicetest.Run(t, catalogue(s), func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		s.downUntil = time.Now().Add(6 * time.Minute)
		older := update(h, "P-1", 400)
		h.Advance(2 * time.Minute)
		newer, other := update(h, "P-1", 450), update(h, "P-2", 500)
		older.Execution().RequireStatus(store.StatusCanceled)
		h.Drain()
		newer.Execution().RequireSucceeded()
		other.Execution().RequireSucceeded()
		require.Equal(t, map[string]int{"P-1": 450, "P-2": 500}, s.prices)
	})
}

// TestReplay: what has failed for good can be replayed when the shop is up again.
func TestReplay(t *testing.T) {
	t.Parallel()
	s := &shop{}
	sluicetest.Run(t, catalogue(s), func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		s.downUntil = time.Now().Add(time.Hour)
		lost := update(h, "P-1", 450)
		h.Drain()
		lost.Execution().RequireFailed("the shop is down").RequireAttempts(5)
		h.Advance(time.Hour)
		require.NoError(t, replayFailed(t.Context(), h.Runtime, t.Output()))
		h.Drain()
		require.Equal(t, map[string]int{"P-1": 450}, s.prices)
	})
}

// TestProgram sends what the program prints.
func TestProgram(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	out, in := io.Pipe()
	served := make(chan error, 1)
	go func() {
		served <- serve(ctx, "127.0.0.1:0", filepath.Join(t.TempDir(), "test.db"), time.Now(), in)
		in.Close()
	}()
	var urls []string
	for lines := bufio.NewScanner(out); len(urls) < 3 && lines.Scan(); {
		if url := regexp.MustCompile(`http://[^\s<]+`).FindString(lines.Text()); url != "" {
			urls = append(urls, url)
		}
	}
	require.Len(t, urls, 3)
	send := func(method, url, body string) string {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
		require.NoError(t, err)
		request.Header.Set("Content-Type", "application/json")
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		defer response.Body.Close()
		require.Equal(t, http.StatusOK, response.StatusCode)
		text, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return string(text)
	}
	var accepted struct{ ExecutionID string }
	require.NoError(t, json.Unmarshal([]byte(send(http.MethodPost, urls[0], `{"productId":"P-1","price":-450}`)), &accepted))
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for !strings.Contains(send(http.MethodGet, urls[1]+accepted.ExecutionID, ""), `"status":"failed"`) {
		<-poll.C
	}
	require.Contains(t, send(http.MethodPost, urls[2], ""), accepted.ExecutionID+" is replayed by ")
	stop()
	require.NoError(t, <-served)
}
