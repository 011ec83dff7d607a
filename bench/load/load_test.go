package load_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/bench/load"
)

// serve starts a server and returns its address.
func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func render(t *testing.T, address string) []byte {
	t.Helper()
	header := http.Header{"X-Key": {"secret"}}
	request, err := load.Render(http.MethodPost, address, "/hook?a=b", header, []byte(`{"id":1}`))
	require.NoError(t, err)
	return request
}

func TestEveryRequestArrivesWhole(t *testing.T) {
	t.Parallel()
	var arrived atomic.Int64
	address := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		whole := err == nil && string(body) == `{"id":1}` && r.Method == http.MethodPost &&
			r.RequestURI == "/hook?a=b" && r.Header.Get("X-Key") == "secret"
		if whole {
			arrived.Add(1)
		}
	})

	result, err := load.Run(t.Context(), load.Plan{
		Address: address, Request: render(t, address), Connections: 4, Duration: time.Minute, Requests: 103,
	})

	require.NoError(t, err)
	require.Equal(t, 103, result.Requests)
	require.EqualValues(t, 103, arrived.Load())
	require.Zero(t, result.Errors)
	require.Positive(t, result.P50)
	require.GreaterOrEqual(t, result.P99, result.P50)
	require.Positive(t, result.Rate())
}

func TestRunEndsWithItsTime(t *testing.T) {
	t.Parallel()
	address := serve(t, func(http.ResponseWriter, *http.Request) {})

	result, err := load.Run(t.Context(), load.Plan{
		Address: address, Request: render(t, address), Connections: 2, Duration: 20 * time.Millisecond,
	})

	require.NoError(t, err)
	require.Positive(t, result.Requests)
	require.GreaterOrEqual(t, result.Elapsed, 20*time.Millisecond)
}

func TestAnswersOtherThan2xxAreErrors(t *testing.T) {
	t.Parallel()
	var served atomic.Int64
	address := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if served.Add(1)%2 == 0 {
			w.WriteHeader(http.StatusTooManyRequests)
		}
	})

	result, err := load.Run(t.Context(), load.Plan{
		Address: address, Request: render(t, address), Connections: 3, Duration: time.Minute, Requests: 10,
	})

	require.NoError(t, err)
	require.Equal(t, 10, result.Requests)
	require.Equal(t, 5, result.Errors)
}

func TestAClosedConnectionEndsTheRun(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]http.HandlerFunc{
		"the server answered 401 and closed": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Connection", "close")
			w.WriteHeader(http.StatusUnauthorized)
		},
		"read an answer": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		address := serve(t, handler)
		_, err := load.Run(t.Context(), load.Plan{
			Address: address, Request: render(t, address), Connections: 1, Duration: time.Minute,
		})
		require.ErrorContains(t, err, name)
	}
}

func TestCancellationEndsTheRun(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	address := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // Only then does the server notice that the client is gone.
		cancel()
		<-r.Context().Done() // Never answered: the client goes away first.
	})

	_, err := load.Run(ctx, load.Plan{
		Address: address, Request: render(t, address), Connections: 2, Duration: time.Minute,
	})

	require.ErrorIs(t, err, context.Canceled)
}

func TestPlansThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, plan := range map[string]load.Plan{
		"address":               {Address: "localhost", Connections: 1, Duration: time.Second},
		"not a loopback":        {Address: "192.0.2.1:80", Connections: 1, Duration: time.Second},
		"at least one":          {Address: "127.0.0.1:1", Duration: time.Second},
		"some time":             {Address: "127.0.0.1:1", Connections: 1},
		"0s, -1 requests: need": {Address: "127.0.0.1:1", Connections: 1, Requests: -1},
	} {
		_, err := load.Run(t.Context(), plan)
		require.ErrorContains(t, err, name)
	}
}

func TestPercentilesAreTheNearestRank(t *testing.T) {
	t.Parallel()
	latencies := make([]time.Duration, 200)
	for i := range latencies {
		latencies[i] = time.Duration(200 - i)
	}

	result := load.Summarize(latencies, 3, time.Second)

	require.Equal(t, load.Result{Requests: 200, Errors: 3, Elapsed: time.Second, P50: 100, P99: 198}, result)
	require.Equal(t, load.Result{Requests: 1, P50: 7, P99: 7}, load.Summarize([]time.Duration{7}, 0, 0))
	require.Zero(t, load.Summarize(nil, 0, 0))
}
