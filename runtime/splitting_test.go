package runtime_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// TestThreat38_ResponseSplitting: a flow that makes a header of what its caller sends cannot
// be made to answer twice, to forge a header or to reframe the message.
func TestThreat38_ResponseSplitting(t *testing.T) {
	t.Parallel()
	flow := func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
		var header struct{ Name, Value string }
		err := run.Payload.Body.Decode(&header)
		return &sluice.Result{Headers: map[string]string{header.Name: header.Value}}, err
	}
	run(t, integrationOf(flow, synchronous), func(t *testing.T, h *sluicetest.Harness) {
		endpoint, err := url.Parse(h.URL("Flow"))
		require.NoError(t, err)
		send := func(name, value string) *answer {
			body, err := json.Marshal(map[string]string{"name": name, "value": value})
			require.NoError(t, err)
			return exchange(t, h.Dial, fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: sluice.test\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
				endpoint.Path, len(body), body))
		}
		good := send("X-Name", "a, b\tc é")
		require.Equal(t, http.StatusOK, good.StatusCode)
		require.Equal(t, "a, b\tc é", good.Header.Get("X-Name"))
		for _, bad := range [][2]string{
			{"X-Name", "a\r\nX-Evil: 1"},
			{"X-Name", "a\nX-Evil: 1"},
			{"X-Name", "a\rX-Evil: 1"},
			{"X-Name", "a\r\n\r\nHTTP/1.1 200 OK\r\nX-Evil: 1"},
			{"X-Name", "a\x00b"},
			{"X-Name", "a\x7f"},
			{"Location", "/\r\nX-Evil: 1"},
			{"Content-Type", "text/html\r\nX-Evil: 1"},
			{"X-Evil: 1\r\nX", "v"},
			{"X Name", "v"},
			{"X-Name:", "v"},
			{"", "v"},
			{"é", "v"},
			{"Content-Length", "0"},
			{"content-length", "5"},
			{"Transfer-Encoding", "chunked"},
			{"Connection", "close"},
			{"Upgrade", "h2c"},
			{"Proxy-Connection", "close"},
			{"prismatic-executionid", "forged"},
		} {
			got := send(bad[0], bad[1])
			require.Equal(t, http.StatusBadRequest, got.StatusCode, "%q: %q", bad[0], bad[1])
			require.Empty(t, got.Header.Get("X-Evil"))
			require.NotEqual(t, "forged", got.Header.Get("prismatic-executionid"))
			require.True(t, strings.HasPrefix(string(got.body), `{"error":`), "%s", got.body)
		}
	})
}
