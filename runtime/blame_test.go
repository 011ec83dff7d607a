package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	"github.com/sluice-go/sluice/store/sqlite"
	sluicetest "github.com/sluice-go/sluice/testing"
)

const cannotServe = `{"error":"The endpoint cannot be served at the moment."}`

// TestSeed001_AFlowsErrorIsTheAnswer: what a flow's error wraps does not change the answer,
// unless it rejects.
func TestSeed001_AFlowsErrorIsTheAnswer(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		err    error
		status int
		want   string
	}{
		"malformed JSON": {fmt.Errorf("the CRM answered: %w", sluice.ErrMalformedJSON), 400, "the CRM answered: " + sluice.ErrMalformedJSON.Error()},
		"signature":      {fmt.Errorf("callback: %w", &sluice.SignatureError{Detail: "none"}), 400, "callback: webhook signature: none"},
		"deadline":       {fmt.Errorf("database: %w", context.DeadlineExceeded), 400, "database: context deadline exceeded"},
		"store":          {fmt.Errorf("mine: %w", store.ErrUnavailable), 400, "mine: " + store.ErrUnavailable.Error()},
		"rejected":       {fmt.Errorf("late: %w", sluice.Reject(409, "too late")), 409, "too late"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			flow := func(context.Context, *sluice.Run) (*sluice.Result, error) { return nil, test.err }
			run(t, integrationOf(flow, synchronous), func(t *testing.T, h *sluicetest.Harness) {
				response := h.Post("Flow", `{}`)
				require.Equal(t, test.status, response.StatusCode)
				require.Equal(t, `{"error":"`+test.want+`"}`, response.Text)
				require.Equal(t, store.StatusFailed, h.Execution(response.Header.Get("prismatic-executionid")).Status)
			})
		})
	}
}

func TestSeed001_ATriggersErrorIsTheAnswer(t *testing.T) {
	t.Parallel()
	trigger := func(f *sluice.Flow) {
		f.OnTrigger = func(context.Context, *sluice.Run, *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
			return nil, fmt.Errorf("the shop says: %w", sluice.ErrMalformedJSON)
		}
	}
	run(t, integrationOf(nothing, trigger), func(t *testing.T, h *sluicetest.Harness) {
		response := h.Post("Flow", `{}`)
		require.Equal(t, http.StatusBadRequest, response.StatusCode)
		require.Equal(t, `{"error":"the shop says: `+sluice.ErrMalformedJSON.Error()+`"}`, response.Text)
		require.Equal(t, store.StatusFailed, h.Execution(response.Header.Get("prismatic-executionid")).Status)
	})
}

// TestOurFaultsAreNotPutIntoWords takes the master key away, and the code.
func TestOurFaultsAreNotPutIntoWords(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	integration := sharedReceiver()
	s := openSite(t, path, integration, masterKey(1))
	instance, err := s.Deploy(t.Context(), runtime.Deployment{Customer: runtime.Customer{ExternalID: "a"}})
	require.NoError(t, err)
	require.NoError(t, s.Stop(t.Context()))
	s = openSite(t, path, integration)
	answer := s.post(t, instance.WebhookURLs["invoice.paid"], `{"eventType":"invoice.paid","orgId":"a"}`)
	require.Equal(t, http.StatusServiceUnavailable, answer.Code)
	require.Equal(t, cannotServe, answer.Body.String())
	require.Empty(t, answer.Header().Get("prismatic-executionid"))
	require.Contains(t, s.logs.String(), "MasterKeys")
}

// keylessStore cannot say whether there are API keys.
type keylessStore struct{ store.Store }

func (keylessStore) HasAPIKeys(context.Context, string) (bool, error) {
	return false, errors.New("disk on fire")
}

// TestAnUnknownCustomerIsNotToldWithoutAnAnswerOfTheStore: where it is not known whether
// customers have keys, the answer must not tell which customers there are.
func TestAnUnknownCustomerIsNotToldWithoutAnAnswerOfTheStore(t *testing.T) {
	t.Parallel()
	memory, err := sqlite.Open(t.Context(), ":memory:")
	require.NoError(t, err)
	rt, err := runtime.New(t.Context(), runtime.Options{
		Integrations: []*sluice.Integration{sharedReceiver()}, Store: keylessStore{memory}, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	require.NoError(t, rt.Start(t.Context()))
	instance, err := rt.Deploy(t.Context(), runtime.Deployment{Customer: runtime.Customer{ExternalID: "a"}})
	require.NoError(t, err)
	answer := serve(t, rt, http.MethodPost, instance.WebhookURLs["invoice.paid"], `{"eventType":"invoice.paid","orgId":"b"}`)
	require.Equal(t, http.StatusServiceUnavailable, answer.Code)
	require.Equal(t, cannotServe, answer.Body.String())
	require.NoError(t, rt.Stop(t.Context()))
	require.NoError(t, memory.Close())
}
