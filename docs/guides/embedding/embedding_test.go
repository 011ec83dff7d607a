package embedding

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
)

func TestMain(m *testing.M) {
	gin.SetMode(gin.ReleaseMode)
	m.Run()
}

// echo answers with what it is asked for: the request's facts, or a file.
var echo = &sluice.Integration{Name: "Echo", Flows: []sluice.Flow{{
	Name: "Echo", StableKey: "echo", IsSynchronous: true,
	OnExecution: func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
		p := run.Payload
		if p.PathFragment == "file" {
			return &sluice.Result{Data: []byte("file")}, nil
		}
		return &sluice.Result{Data: p.PathFragment + " " + string(p.RawBody.Data) + " " + p.InvokeURL, ContentType: "text/plain"}, nil
	},
}}}

// log is a buffer to log to.
type log struct {
	sync.Mutex
	bytes.Buffer
}

func (l *log) Write(data []byte) (int, error) {
	l.Lock()
	defer l.Unlock()
	return l.Buffer.Write(data)
}

// service runs a service and returns where it is and the id of the flow's endpoint; it ends
// with the test.
func service(t *testing.T, logged *log, host func(*slog.Logger, http.Handler) http.Handler) (base, endpoint string) {
	t.Helper()
	logger := slog.New(slog.NewTextHandler(logged, nil))
	ctx, stop := context.WithCancel(t.Context())
	rt, err := start(ctx, logger, filepath.Join(t.TempDir(), "sluice.db"), echo)
	require.NoError(t, err)
	instance, err := rt.Deploy(ctx, runtime.Deployment{})
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(instance.WebhookURLs["Echo"], "https://example.com/hooks/trigger/"))
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan error)
	go func() { served <- serve(ctx, listener, host(logger, rt.Handler()), rt) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-served)
	})
	return "http://" + listener.Addr().String(), path.Base(instance.WebhookURLs["Echo"])
}

// answer is what a request came to, after redirects.
type answer struct {
	status int
	path   string
	header http.Header
	body   string
}

// call sends a request.
func call(t *testing.T, method, url, body string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer func() { require.NoError(t, response.Body.Close()) }()
	read, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return answer{response.StatusCode, response.Request.URL.Path, response.Header, string(read)}
}

func TestHosts(t *testing.T) {
	t.Parallel()
	hosts := map[string]func(*slog.Logger, http.Handler) http.Handler{
		"net/http": onNetHTTP, "chi": onChi, "gin": onGin,
		"in front": func(logger *slog.Logger, hooks http.Handler) http.Handler {
			return before(onNetHTTP(logger, http.NotFoundHandler()), logged(logger, hooks))
		},
	}
	for name, host := range hosts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var logged log
			base, endpoint := service(t, &logged, host)
			url := base + "/hooks/trigger/" + endpoint
			for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "GET"} {
				got := call(t, method, url+"/a%2Fb/c", "body")
				require.Equal(t, http.StatusOK, got.status, got.body)
				require.Equal(t, "a%2Fb/c body https://example.com/hooks/trigger/"+endpoint+"/a%2Fb/c", got.body)
				require.NotEmpty(t, got.header.Get("prismatic-executionid"))
			}
			result := call(t, http.MethodPost, url+"/file", "{}")
			require.Equal(t, "file", result.body, "the redirect to the result leads below the prefix")
			require.Equal(t, "/hooks/trigger/result", path.Dir(result.path))
			require.Equal(t, http.StatusNotFound, call(t, http.MethodPost, base+"/hooks/trigger/unknown", "{}").status)
			require.Equal(t, http.StatusOK, call(t, http.MethodGet, base+"/healthz", "").status)
			logged.Lock()
			defer logged.Unlock()
			require.Contains(t, logged.String(), "trigger/"+endpoint, "the host's middleware saw no request")
		})
	}
}

// TestSlashes: what a mux would redirect reaches the flow in front of it, with its body.
func TestSlashes(t *testing.T) {
	t.Parallel()
	var logged log
	base, endpoint := service(t, &logged, func(_ *slog.Logger, hooks http.Handler) http.Handler {
		return before(http.NewServeMux(), hooks)
	})
	body := call(t, http.MethodPost, base+"/hooks/trigger/"+endpoint+"//a/../b", "body").body
	require.True(t, strings.HasPrefix(body, "/a/../b body "), body)
}
