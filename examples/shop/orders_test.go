package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// fakeLedger stands in for the other system. It is down for some requests.
type fakeLedger struct {
	down   int
	booked []string
}

func (l *fakeLedger) RoundTrip(request *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	body, err := io.ReadAll(request.Body)
	if l.down > 0 {
		l.down--
		answer.WriteHeader(http.StatusServiceUnavailable)
	} else {
		l.booked = append(l.booked, request.URL.Host+" "+string(body))
	}
	return answer.Result(), err
}

func TestNewOrder(t *testing.T) {
	t.Parallel()
	ledger := &fakeLedger{down: 3}
	options := runtime.Options{Integrations: []*sluice.Integration{orders}, Transport: ledger}
	sluicetest.RunOptions(t, options, func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{Config: map[string]any{"Ledger URL": "https://ledger.example"}})
		require.Equal(t, 200, h.Post("New order", `{"id":"A-17","total":900}`).StatusCode)
		require.Equal(t, 400, h.Post("New order", `{"id":17}`).StatusCode)
		h.Drain() // 70 minutes of retries pass at once.

		order := h.Executions()[0]
		require.Equal(t, store.StatusSucceeded, order.Status)
		require.Len(t, order.Attempts, 4)
		require.Equal(t, "the ledger answers 503 Service Unavailable", order.Attempts[0].Error)
		require.Equal(t, []string{`ledger.example {"number":"INV-A-17","total":900}`}, ledger.booked)
	})
}
