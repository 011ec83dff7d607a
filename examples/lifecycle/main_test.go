package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// inProcess reaches the shop, and nothing else.
type inProcess struct{ handler http.Handler }

func (p inProcess) RoundTrip(request *http.Request) (*http.Response, error) {
	recorder := httptest.NewRecorder()
	p.handler.ServeHTTP(recorder, request)
	return recorder.Result(), nil
}

// TestLife drives the integration in memory, on a virtual clock.
func TestLife(t *testing.T) {
	t.Parallel()
	fake := newProvider(nil)
	options := runtime.Options{
		Integrations: []*sluice.Integration{shop}, Components: []sluice.Component{shopComponent}, Transport: inProcess{fake},
	}
	sluicetest.RunOptions(t, sluicetest.Options{Runtime: options}, func(t *testing.T, h *sluicetest.Harness) {
		deployment := runtime.Deployment{Config: map[string]any{"Shop URL": "http://shop.test"}}
		instance := h.Deploy(deployment)
		h.Drain()
		require.Equal(t, []string{instance.WebhookURLs["New order"]}, fake.registered())
		backfilled, err := h.Runtime.Executions(t.Context(), store.Filter{Flow: "backfill"}, "", 10)
		require.NoError(t, err)
		require.Len(t, backfilled, 1)
		require.Equal(t, "1650", string(backfilled[0].Result.Data))

		deployment.Force = true
		h.Deploy(deployment)
		h.Drain()
		require.Len(t, fake.registered(), 1, "registered once")
		require.NoError(t, h.Runtime.Pause(t.Context(), instance.ID))
		require.Empty(t, fake.registered())
		require.NoError(t, h.Runtime.Resume(t.Context(), instance.ID))
		require.Len(t, fake.registered(), 1)
		require.NoError(t, h.Runtime.Delete(t.Context(), instance.ID))
		require.Empty(t, fake.registered())
	})
}

// TestProgram runs the program.
func TestProgram(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, run(context.WithoutCancel(t.Context()), filepath.Join(t.TempDir(), "test.db"), &out))
	require.Equal(t, []string{
		"deployed: 1 webhooks at the shop, which answered [200]",
		"paused: 0 webhooks at the shop, which answered []",
		"resumed: 1 webhooks at the shop, which answered [200]",
		"deleted: 0 webhooks at the shop, which answered []",
	}, strings.Split(strings.TrimSpace(out.String()), "\n"))
}
