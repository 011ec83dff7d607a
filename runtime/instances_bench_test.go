package runtime_test

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
)

// BenchmarkInstances measures a synchronous request that is not recorded, through the
// handler, to a random one of so many instances: what a request costs must not depend on
// how many are deployed.
func BenchmarkInstances(b *testing.B) {
	for _, count := range []int{1, 100_000} {
		b.Run(strconv.Itoa(count), func(b *testing.B) {
			handler, paths := deployMany(b, count)
			for _, path := range paths { // So that all are in the cache, if they fit.
				require.Equal(b, http.StatusOK, request(b, handler, path))
			}
			b.ReportAllocs()
			for b.Loop() {
				request(b, handler, paths[rand.IntN(len(paths))])
			}
		})
	}
}

func request(b *testing.B, handler http.Handler, path string) int {
	b.Helper()
	r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, path, strings.NewReader(`{"n":1}`))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w.Code
}

func deployMany(b *testing.B, count int) (http.Handler, []string) {
	b.Helper()
	flow := func(context.Context, *sluice.Run) (*sluice.Result, error) { return nil, nil }
	rt, err := runtime.New(b.Context(), runtime.Options{
		Integrations: []*sluice.Integration{integrationOf(flow, synchronous)}, Database: ":memory:",
		Recording: runtime.RecordNone, RateLimit: -1, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(b, err)
	require.NoError(b, rt.Start(b.Context()))
	b.Cleanup(func() { require.NoError(b, rt.Stop(context.WithoutCancel(b.Context()))) })
	paths := make([]string, count)
	var deploys errgroup.Group
	deploys.SetLimit(64)
	for i := range paths {
		deploys.Go(func() error {
			instance, err := rt.Deploy(b.Context(), runtime.Deployment{Customer: runtime.Customer{ExternalID: strconv.Itoa(i)}})
			if err != nil {
				return err
			}
			endpoint, err := url.Parse(instance.WebhookURLs["Flow"])
			paths[i] = endpoint.Path
			return err
		})
	}
	require.NoError(b, deploys.Wait())
	return rt.Handler(), paths
}
