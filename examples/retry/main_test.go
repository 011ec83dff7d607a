package main

import (
	"bufio"
	"context"
	"encoding/json"
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

// accepted is the id that a webhook is answered with.
func accepted(t *testing.T, body io.Reader) string {
	t.Helper()
	var answer struct{ ExecutionID string }
	require.NoError(t, json.NewDecoder(body).Decode(&answer))
	return answer.ExecutionID
}

// TestCatalogue lets an hour of retries pass on a virtual clock.
func TestCatalogue(t *testing.T) {
	t.Parallel()
	s := &shop{}
	sluicetest.Run(t, catalogue(s), func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		send := func(product string, price int) string {
			return accepted(t, strings.NewReader(h.Post("Update product", fmt.Sprintf(`{"productId":%q,"price":%d}`, product, price)).Text))
		}
		s.downUntil = time.Now().Add(6 * time.Minute)
		older := send("P-1", 400)
		h.Advance(2 * time.Minute)
		newer := send("P-1", 450)
		other := send("P-2", 500)
		require.Equal(t, store.StatusCanceled, h.Execution(older).Status, "superseded")
		h.Drain()
		require.Equal(t, map[string]int{"P-1": 450, "P-2": 500}, s.prices)
		require.Len(t, h.Execution(newer).Attempts, 4, "after 0, 1, 3 and 7 minutes")
		require.Equal(t, store.StatusSucceeded, h.Execution(other).Status)

		s.downUntil = time.Now().Add(time.Hour)
		lost := send("P-3", 600)
		wrong := send("P-4", -1)
		h.Drain()
		require.Len(t, h.Execution(lost).Attempts, 5)
		require.Len(t, h.Execution(wrong).Attempts, 1)
		h.Advance(time.Hour)
		require.NoError(t, replayFailed(t.Context(), h.Runtime, t.Output()))
		h.Drain()
		require.Equal(t, 600, s.prices["P-3"])
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
	id := accepted(t, strings.NewReader(send(http.MethodPost, urls[0], `{"productId":"P-1","price":-450}`)))
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for !strings.Contains(send(http.MethodGet, urls[1]+id, ""), `"status":"failed"`) {
		<-poll.C
	}
	require.Contains(t, send(http.MethodPost, urls[2], ""), id+" is replayed by ")
	stop()
	require.NoError(t, <-served)
}
