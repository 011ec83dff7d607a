package runtime_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// runWith is run with options.
func runWith(t *testing.T, options runtime.Options, integration *sluice.Integration, test func(t *testing.T, h *sluicetest.Harness)) {
	t.Helper()
	options.Integrations = []*sluice.Integration{integration}
	sluicetest.RunOptions(t, sluicetest.Options{Runtime: options}, func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		test(t, h)
	})
}

// TestThreat44RateLimit sends 51 requests in a second, and then as many as may pass.
func TestThreat44RateLimit(t *testing.T) {
	t.Parallel()
	integration := integrationOf(nothing)
	integration.Flows = append(integration.Flows, sluice.Flow{Name: "Other", StableKey: "other", OnExecution: nothing})
	runWith(t, runtime.Options{RateLimit: 50}, integration, func(t *testing.T, h *sluicetest.Harness) {
		send := func(n int) (refused []*sluicetest.Response) {
			for range n {
				response := h.Post("Flow", `{}`)
				if response.StatusCode != http.StatusOK {
					refused = append(refused, response)
				}
				h.Advance(10 * time.Millisecond)
			}
			return refused
		}
		refused := send(51)
		require.Len(t, refused, 1)
		require.Equal(t, http.StatusTooManyRequests, refused[0].StatusCode)
		require.Equal(t, "1", refused[0].Header.Get("Retry-After"))
		require.Equal(t, "application/json", refused[0].Header.Get("Content-Type"))
		id := h.URL("Flow")[strings.LastIndexByte(h.URL("Flow"), '/')+1:]
		require.Equal(t, `{"error":"Endpoint with id: `+id+` has exceeded maximum allowed throughput of 50 requests/second. Please throttle your requests."}`, refused[0].Text)
		require.Equal(t, http.StatusOK, h.Post("Other", `{}`).StatusCode, "another endpoint")
		h.Advance(490 * time.Millisecond)
		require.Empty(t, send(1), "the first one is over a second ago")
		require.Len(t, h.Executions(), 52, "a refused request was recorded")
	})
	runWith(t, runtime.Options{RateLimit: 3}, integrationOf(nothing), func(t *testing.T, h *sluicetest.Harness) {
		for range 3 {
			require.Equal(t, http.StatusOK, h.Post("Flow", `{}`).StatusCode)
		}
		require.Contains(t, h.Post("Flow", `{}`).Text, "throughput of 3 requests/second")
	})
}

// TestThreat36Backpressure blocks the worker and sends more than may wait.
func TestThreat36Backpressure(t *testing.T) {
	t.Parallel()
	tests := map[string]runtime.Options{
		"count": {Concurrency: 1, MaxQueued: 12},
		"bytes": {Concurrency: 1, MaxQueuedBytes: 12 * 12_000},
	}
	body := `"` + strings.Repeat("x", 10_000) + `"`
	for name, options := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			unblock := make(chan struct{})
			flow := func(context.Context, *sluice.Run) (*sluice.Result, error) {
				<-unblock
				return nil, nil
			}
			runWith(t, options, integrationOf(flow), func(t *testing.T, h *sluicetest.Harness) {
				unblock = make(chan struct{}) // In the bubble.
				accepted := map[string]bool{}
				fill := func() (refused *sluicetest.Response) {
					for {
						response := h.Post("Flow", body)
						if response.StatusCode != http.StatusOK {
							return response
						}
						accepted[executionID(t, response)] = true
					}
				}
				refused := fill()
				require.Equal(t, http.StatusServiceUnavailable, refused.StatusCode)
				require.Equal(t, "5", refused.Header.Get("Retry-After"))
				require.Equal(t, `{"error":"Too many executions are waiting. Nothing was accepted."}`, refused.Text)
				alone := len(accepted)
				require.InDelta(t, 8, alone, 1, "one runs, one is next, half of what may wait waits")

				h.Deploy(runtime.Deployment{Customer: runtime.Customer{ExternalID: "quiet"}})
				fill()
				require.Greater(t, len(accepted), alone, "a quiet instance finds room")

				close(unblock)
				h.Drain()
				require.Len(t, h.Executions(), len(accepted), "a refused request was recorded")
				for _, x := range h.Executions() {
					require.True(t, accepted[x.ID])
					require.Equal(t, store.StatusSucceeded, x.Status)
				}
				require.Equal(t, http.StatusOK, h.Post("Flow", body).StatusCode)
			})
		})
	}
}

// TestPayloadsOfRunningExecutionsAreBounded runs executions whose payloads do not fit all at
// once.
func TestPayloadsOfRunningExecutionsAreBounded(t *testing.T) {
	t.Parallel()
	var now, most int
	running := make(chan struct{}, 1) // a lock
	flow := func(context.Context, *sluice.Run) (*sluice.Result, error) {
		running <- struct{}{}
		now++
		most = max(most, now)
		<-running
		time.Sleep(time.Second)
		running <- struct{}{}
		now--
		<-running
		return nil, nil
	}
	options := runtime.Options{MaxBodyBytes: 10_000, MaxInFlightBytes: 35_000}
	runWith(t, options, integrationOf(flow), func(t *testing.T, h *sluicetest.Harness) {
		running = make(chan struct{}, 1)
		for range 10 {
			require.Equal(t, http.StatusOK, h.Post("Flow", `"`+strings.Repeat("x", 9_000)+`"`).StatusCode)
		}
		h.Drain()
		require.Equal(t, 3, most)
		for _, x := range h.Executions() {
			require.Equal(t, store.StatusSucceeded, x.Status)
		}
	})
}

// slowBody gives a byte whenever a second has passed.
type slowBody struct{ left int }

func (b *slowBody) Read(p []byte) (int, error) {
	time.Sleep(time.Second)
	if b.left == 0 {
		return 0, io.EOF
	}
	b.left--
	p[0] = ' '
	return 1, nil
}

// TestThreat30SlowBody sends bodies byte by byte.
func TestThreat30SlowBody(t *testing.T) {
	t.Parallel()
	runWith(t, runtime.Options{ReadTimeout: 20 * time.Second}, integrationOf(nothing), func(t *testing.T, h *sluicetest.Harness) {
		send := func(seconds int, length int64) *sluicetest.Response {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.URL("Flow"), &slowBody{left: seconds})
			require.NoError(t, err)
			request.ContentLength = length
			return h.Deliver(request)
		}
		for _, length := range []int64{100, -1} {
			before := time.Now()
			response := send(100, length)
			require.Equal(t, http.StatusRequestTimeout, response.StatusCode)
			require.Equal(t, `{"error":"The request's body did not arrive in time."}`, response.Text)
			require.True(t, response.Close)
			require.LessOrEqual(t, time.Since(before), 21*time.Second)
		}
		require.Equal(t, http.StatusOK, send(15, 15).StatusCode, "slow, but in time")
		require.Len(t, h.Executions(), 1)
	})
	slowTrigger := func(f *sluice.Flow) {
		f.OnTrigger = func(ctx context.Context, _ *sluice.Run, _ *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
			time.Sleep(15 * time.Second)
			return nil, ctx.Err()
		}
	}
	options := runtime.Options{ReadTimeout: 10 * time.Second}
	runWith(t, options, integrationOf(nothing, slowTrigger), func(t *testing.T, h *sluicetest.Harness) {
		require.Equal(t, http.StatusOK, h.Post("Flow", `{}`).StatusCode, "the time for reading ended the trigger")
	})
}

// TestThreat31RefusedBody sends slow bodies to what refuses them unread.
func TestThreat31RefusedBody(t *testing.T) {
	t.Parallel()
	runWith(t, runtime.Options{RateLimit: 1}, integrationOf(nothing), func(t *testing.T, h *sluicetest.Harness) {
		for url, status := range map[string]int{h.URL("Flow"): 429, h.URL("Flow") + "x": 404} {
			h.Advance(time.Second)
			require.Equal(t, http.StatusOK, h.Post("Flow", `{}`).StatusCode)
			before := time.Now()
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, &slowBody{left: 100})
			require.NoError(t, err)
			request.ContentLength = 100
			require.Equal(t, status, h.Deliver(request).StatusCode)
			require.LessOrEqual(t, time.Since(before), 2*time.Second)
		}
	})
}

// TestThreat7BodyLimit sends bodies around the limit.
func TestThreat7BodyLimit(t *testing.T) {
	t.Parallel()
	runWith(t, runtime.Options{MaxBodyBytes: 100_000}, integrationOf(nothing), func(t *testing.T, h *sluicetest.Harness) {
		send := func(length int, known bool) int {
			var body io.Reader = strings.NewReader(strings.Repeat("x", length))
			if !known {
				body = io.MultiReader(body)
			}
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.URL("Flow"), body)
			require.NoError(t, err)
			return h.Deliver(request).StatusCode
		}
		for _, known := range []bool{true, false} {
			require.Equal(t, 200, send(100_000, known))
			require.Equal(t, 413, send(100_001, known))
			require.Equal(t, 413, send(400_000, known))
		}
	})
}

func TestOptionsOfLimits(t *testing.T) {
	t.Parallel()
	integrations := []*sluice.Integration{integrationOf(nothing)}
	tests := map[string]struct {
		options runtime.Options
		want    string
	}{
		"in flight":    {runtime.Options{MaxInFlightBytes: 5_000_000}, "runtime: Options.MaxInFlightBytes is 5000000: it must not be less than MaxBodyBytes"},
		"queued":       {runtime.Options{MaxQueued: -1}, "runtime: Options.MaxQueued is -1: it must not be negative"},
		"queued bytes": {runtime.Options{MaxQueuedBytes: -1}, "runtime: Options.MaxQueuedBytes is -1: it must not be negative"},
		"read":         {runtime.Options{ReadTimeout: -1}, "runtime: Options.ReadTimeout is -1ns: it must not be negative"},
	}
	for name, test := range tests {
		test.options.Integrations, test.options.Database = integrations, ":memory:"
		_, err := runtime.New(t.Context(), test.options)
		require.EqualError(t, err, test.want, name)
	}
	_, err := os.Stat("sluice.db")
	require.ErrorIs(t, err, os.ErrNotExist)
}

// TestLargeBodiesAreStoredOnce: neither the raw body beside the parsed one, nor copies of it
// with the attempts.
func TestLargeBodiesAreStoredOnce(t *testing.T) {
	t.Parallel()
	const count, size = 4, 1 << 20
	path := filepath.Join(t.TempDir(), "large.db")
	synctest.Test(t, func(t *testing.T) {
		fails := func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
			if run.Attempt == 1 {
				return nil, errors.New("no")
			}
			return nil, nil
		}
		rt := open(t, path, integrationOf(fails, retried(1, 1)))
		for range count {
			require.Equal(t, http.StatusOK, send(t, rt, `"`+strings.Repeat("x", size)+`"`).Code)
		}
		time.Sleep(time.Hour)
		require.NoError(t, rt.Stop(t.Context()))
	})
	file, err := os.Stat(path)
	require.NoError(t, err)
	require.InDelta(t, count*size, file.Size(), size/2)
}
