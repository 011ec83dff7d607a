package runtime_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// bytesFlow answers with so many bytes, which callers are redirected to.
func bytesFlow(count int) sluice.ExecutionFunc {
	return func(context.Context, *sluice.Run) (*sluice.Result, error) {
		return &sluice.Result{Data: bytes.Repeat([]byte{0xff}, count)}, nil
	}
}

// resultPath is the path of the result that the flow redirects to.
func resultPath(t *testing.T, h *sluicetest.Harness) string {
	t.Helper()
	response := h.Post("Flow", `{}`, "prismatic-synchronous", "true")
	require.Equal(t, http.StatusSeeOther, response.StatusCode, response.Text)
	_, secret, found := strings.Cut(response.Header.Get("Location"), "result/")
	require.True(t, found)
	return "/trigger/result/" + secret
}

func fetchResult(path string) []byte {
	return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: sluice.test\r\n\r\n", path)
}

func TestResultsAreRateLimited(t *testing.T) {
	t.Parallel()
	runWith(t, runtime.Options{RateLimit: 3}, integrationOf(bytesFlow(10)), func(t *testing.T, h *sluicetest.Harness) {
		one, other := resultPath(t, h), resultPath(t, h)
		for range 3 {
			require.Equal(t, http.StatusOK, exchange(t, h.Dial, fetchResult(one)).StatusCode)
		}
		refused := exchange(t, h.Dial, fetchResult(one))
		require.Equal(t, http.StatusTooManyRequests, refused.StatusCode)
		require.Equal(t, "1", refused.Header.Get("Retry-After"))
		require.NotContains(t, string(refused.body), one[len("/trigger/result/"):])
		require.Equal(t, http.StatusOK, exchange(t, h.Dial, fetchResult(other)).StatusCode)
	})
}

// TestResultsUnderWayTakeOfTheBudget fetches a result and does not read it.
func TestResultsUnderWayTakeOfTheBudget(t *testing.T) {
	t.Parallel()
	for _, size := range []int{30_000, 100_000} {
		options := runtime.Options{MaxBodyBytes: 10_000, MaxInFlightBytes: 35_000}
		runWith(t, options, integrationOf(bytesFlow(size)), func(t *testing.T, h *sluicetest.Harness) {
			path := resultPath(t, h)
			conn, err := h.Dial(t.Context())
			require.NoError(t, err)
			_, err = conn.Write(fetchResult(path))
			require.NoError(t, err)
			synctest.Wait()
			body := `"` + strings.Repeat("x", 9_000) + `"`
			require.Equal(t, http.StatusServiceUnavailable, h.Post("Flow", body).StatusCode)
			require.Equal(t, http.StatusServiceUnavailable, exchange(t, h.Dial, fetchResult(path)).StatusCode)
			go func() { _, _ = io.Copy(io.Discard, conn) }()
			synctest.Wait()
			require.Equal(t, http.StatusOK, h.Post("Flow", body).StatusCode)
			require.Equal(t, http.StatusOK, exchange(t, h.Dial, fetchResult(path)).StatusCode)
			require.NoError(t, conn.Close())
		})
	}
}
