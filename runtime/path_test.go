package runtime_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
)

// serve has the handler answer a request without a connection.
func serve(t *testing.T, rt *runtime.Runtime, method, url, body string) *httptest.ResponseRecorder {
	t.Helper()
	recorder := httptest.NewRecorder()
	request := httptest.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	rt.Handler().ServeHTTP(recorder, request)
	return recorder
}

// TestThreat16_PathTraversal and the encoded slashes of threat 17: below the endpoint a
// path is data, whatever stands in it, and the server redirects nothing.
func TestThreat16_PathTraversal(t *testing.T) {
	t.Parallel()
	testPaths(t, map[string]string{
		"../../etc/passwd":         "../../etc/passwd",
		"a/../b":                   "a/../b",
		"./a/.":                    "./a/.",
		"%2e%2e/%2E%2E/etc/passwd": "%2e%2e/%2E%2E/etc/passwd",
		"%c0%ae%c0%ae/x":           "%c0%ae%c0%ae/x",
		"..%5c..%5cwindows":        "..%5c..%5cwindows",
		"a%00b":                    "a%00b",
	})
}

func TestThreat17_EncodedSlash(t *testing.T) {
	t.Parallel()
	testPaths(t, map[string]string{
		"":            "",
		"a%2Fb/c":     "a%2Fb/c",
		"a%2fb":       "a%2fb",
		"/x":          "/x",
		"//host/x":    "//host/x",
		"a//b":        "a//b",
		"a/":          "a/",
		"a%20b%25":    "a%20b%25",
		"a;b=c":       "a;b=c",
		"%E4%BD%A0":   "%E4%BD%A0",
		"a?b=c/d%2Fe": "a",
	})
}

// testPaths posts to an endpoint, as root handler and below a prefix, with paths as they
// are: fragments by what the flow is to see.
func testPaths(t *testing.T, paths map[string]string) {
	t.Helper()
	echoPath := func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
		return &sluice.Result{Data: map[string]any{"path": run.Payload.PathFragment, "size": len(run.Payload.RawBody.Data)}}, nil
	}
	for mount, handler := range map[string]func(http.Handler) http.Handler{
		"":       func(h http.Handler) http.Handler { return h },
		"/hooks": func(h http.Handler) http.Handler { return http.StripPrefix("/hooks", h) },
	} {
		rt, err := runtime.New(t.Context(), runtime.Options{
			Integrations: []*sluice.Integration{integrationOf(echoPath, synchronous)}, Database: ":memory:",
		})
		require.NoError(t, err)
		require.NoError(t, rt.Start(t.Context()))
		instance, err := rt.Deploy(t.Context(), runtime.Deployment{})
		require.NoError(t, err)
		_, endpoint, _ := strings.Cut(instance.WebhookURLs["Flow"], "/trigger/")
		server := httptest.NewServer(handler(rt.Handler()))
		address := server.Listener.Addr().String()
		for path, want := range paths {
			status, body := postRaw(t, address, mount+"/trigger/"+endpoint+"/"+path)
			require.Equal(t, 200, status, path)
			require.JSONEq(t, fmt.Sprintf(`{"path":%q,"size":4}`, want), body, path)
		}
		for _, path := range []string{
			"//trigger/" + endpoint, "/trigger//" + endpoint, "/x/../trigger/" + endpoint, "/trigger%2F" + endpoint,
			"/trigger/../" + endpoint, "/trigger/x/../" + endpoint, "/trigger/" + endpoint + "%2Fx", "/", "",
		} {
			status, _ := postRaw(t, address, mount+path)
			if mount+path == "" {
				require.Equal(t, 400, status, "no request line")
				continue
			}
			require.Equal(t, 404, status, "%q is no endpoint", path)
		}
		server.Close()
		require.NoError(t, rt.Stop(t.Context()))
	}
}

// postRaw sends a body to a path exactly as it is written.
func postRaw(t *testing.T, address, path string) (status int, body string) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: sluice.test\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody", path)
	require.NoError(t, err)
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(data)
}
