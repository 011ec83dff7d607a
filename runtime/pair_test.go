package runtime_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/runtime"
)

// send posts to the flow named Flow of the default instance. Headers are pairs of name
// and value.
func send(t *testing.T, rt *runtime.Runtime, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	instance, err := rt.Deploy(t.Context(), runtime.Deployment{})
	require.NoError(t, err)
	endpoint, err := url.Parse(instance.WebhookURLs["Flow"])
	require.NoError(t, err)
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, endpoint.Path, strings.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	recorder := httptest.NewRecorder()
	rt.Handler().ServeHTTP(recorder, request)
	return recorder
}

// idOf is the id of the execution that an answer belongs to.
func idOf(answer *httptest.ResponseRecorder) string {
	return answer.Header().Get("prismatic-executionid")
}
