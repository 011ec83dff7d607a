package bare_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/bench/bare"
	"github.com/sluice-go/sluice/bench/order"
)

func answer(t *testing.T, body string) *httptest.ResponseRecorder {
	t.Helper()
	recorder := httptest.NewRecorder()
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
	bare.Handler().ServeHTTP(recorder, request)
	return recorder
}

func TestBareAnswersWithTheSameJSON(t *testing.T) {
	t.Parallel()
	document := string(order.Document())

	response := answer(t, document)

	require.Equal(t, http.StatusOK, response.Code)
	require.Equal(t, "application/json", response.Header().Get("Content-Type"))
	require.JSONEq(t, document, response.Body.String())
}

func TestBareRefusesWhatIsNotJSON(t *testing.T) {
	t.Parallel()
	require.Equal(t, http.StatusBadRequest, answer(t, `{"id":`).Code)
}
