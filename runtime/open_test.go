package runtime_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
)

// open starts a runtime on a database file and deploys its integration.
func open(t *testing.T, path string, integration *sluice.Integration) *runtime.Runtime {
	t.Helper()
	rt, err := runtime.New(t.Context(), runtime.Options{
		Integrations: []*sluice.Integration{integration}, Database: path,
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	require.NoError(t, err)
	require.NoError(t, rt.Start(t.Context()))
	_, err = rt.Deploy(t.Context(), runtime.Deployment{})
	require.NoError(t, err)
	return rt
}

// deliver posts to the flow named Flow and returns the execution's id.
func deliver(t *testing.T, rt *runtime.Runtime, status int) string {
	t.Helper()
	instance, err := rt.Deploy(t.Context(), runtime.Deployment{})
	require.NoError(t, err)
	endpoint, err := url.Parse(instance.WebhookURLs["Flow"])
	require.NoError(t, err)
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, endpoint.Path, strings.NewReader("{}"))
	recorder := httptest.NewRecorder()
	rt.Handler().ServeHTTP(recorder, request)
	require.Equal(t, status, recorder.Code, recorder.Body.String())
	return recorder.Header().Get("prismatic-executionid")
}

func execution(t *testing.T, rt *runtime.Runtime, id string) *runtime.Execution {
	t.Helper()
	x, err := rt.Execution(t.Context(), id)
	require.NoError(t, err)
	return x
}
