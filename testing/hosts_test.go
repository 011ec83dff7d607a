package sluicetest_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// TestHosts: a flow reaches the handler of the host that it calls, as on a real server, and no
// other one.
func TestHosts(t *testing.T) {
	t.Parallel()
	var seen []string
	options := runtime.Options{
		Integrations: []*sluice.Integration{{Name: "Caller", Flows: []sluice.Flow{{
			Name: "Call", StableKey: "call", IsSynchronous: true,
			OnExecution: func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
				request, err := http.NewRequestWithContext(ctx, http.MethodGet, run.Payload.QueryParameters.Get("url"), http.NoBody)
				if err != nil {
					return nil, err
				}
				request.Body = nil // As http.NewRequest leaves it without a body.
				response, err := run.HTTPClient().Do(request)
				if err != nil {
					return nil, err
				}
				defer response.Body.Close()
				body, err := io.ReadAll(response.Body)
				return &sluice.Result{Data: string(body), ContentType: "text/plain", StatusCode: response.StatusCode}, err
			},
		}}}},
		Transport: sluicetest.Hosts{"shop.test": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			seen = append(seen, r.Host+r.RequestURI+string(body))
			http.Error(w, "sold out", http.StatusGone)
			if err != nil {
				seen = append(seen, err.Error())
			}
		})},
	}
	sluicetest.RunOptions(t, sluicetest.Options{Runtime: options}, func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		call := func(url string) *http.Response {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.URL("Call")+"?url="+url, strings.NewReader("{}"))
			require.NoError(t, err)
			response, err := h.Client().Do(request)
			require.NoError(t, err)
			return response
		}
		known := call("http://shop.test/orders/7")
		defer known.Body.Close()
		require.Equal(t, http.StatusGone, known.StatusCode)
		require.Equal(t, []string{"shop.test/orders/7"}, seen)
		unknown := call("http://elsewhere.test/")
		defer unknown.Body.Close()
		text, err := io.ReadAll(unknown.Body)
		require.NoError(t, err)
		require.Contains(t, string(text), `no handler for the host \"elsewhere.test\": Hosts has [\"shop.test\"]`)
	})
}

// TestHostsHeedTheContext: a request whose time is over is an error, as on a network.
func TestHostsHeedTheContext(t *testing.T) {
	t.Parallel()
	late := errors.New("too late")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(late)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://shop.test/", http.NoBody)
	require.NoError(t, err)
	client := &http.Client{Transport: sluicetest.Hosts{"shop.test": http.NotFoundHandler()}}
	_, err = client.Do(request) //nolint:bodyclose // There is no response.
	require.ErrorIs(t, err, late)
}
