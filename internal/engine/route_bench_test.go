package engine_test

import (
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/internal/engine"
	"github.com/sluice-go/sluice/store"
	"github.com/sluice-go/sluice/store/sqlite"
)

// BenchmarkRoute resolves and routes requests of random customers to a shared endpoint. It
// is to cost the same however many instances there are.
func BenchmarkRoute(b *testing.B) {
	for _, instances := range []int{1, 100_000} {
		b.Run(strconv.Itoa(instances), func(b *testing.B) { benchmarkRoute(b, instances) })
	}
}

func benchmarkRoute(b *testing.B, instances int) {
	b.Helper()
	db, err := sqlite.Open(b.Context(), ":memory:")
	require.NoError(b, err)
	defer func() { require.NoError(b, db.Close()) }()
	for i := range instances {
		name := strconv.Itoa(i)
		require.NoError(b, db.PutInstance(b.Context(), &store.Instance{
			ID: name, Name: name, Integration: "Shared", Customer: store.Customer{ID: name, ExternalID: name}, Config: []byte("{}"),
		}))
	}
	endpoint, err := db.SharedEndpoint(b.Context(), "Shared", "endpoint")
	require.NoError(b, err)
	e, err := engine.New(b.Context(), engine.Options{
		Integrations: []*sluice.Integration{{
			Name: "Shared", EndpointType: sluice.EndpointSharedInstance,
			TriggerPreprocessFlowConfig: &sluice.PreprocessFlowConfig{
				FlowNameField: "body.data.event", ExternalCustomerIDField: "body.data.customer",
			},
			Flows: []sluice.Flow{{Name: "Flow", StableKey: "flow"}},
		}},
		Store: db, Logger: slog.New(slog.DiscardHandler), Transport: http.DefaultTransport,
		Concurrency: 1, ExecutionTimeout: time.Minute, InstanceCacheBytes: 256 << 20,
	})
	require.NoError(b, err)
	bodies := make([]sluice.Body, instances)
	for i := range bodies {
		bodies[i] = sluice.StoredBody("application/json", []byte(`{"event":"Flow","customer":"`+strconv.Itoa(i)+`"}`))
	}
	route := func(i int) {
		target, err := e.Resolve(b.Context(), endpoint)
		if err == nil {
			_, _, err = e.Route(b.Context(), target, "POST", &sluice.TriggerPayload{Body: bodies[i]})
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	for i := range instances {
		route(i) // From now on it is in the cache.
	}
	b.ReportAllocs()
	for b.Loop() {
		route(rand.IntN(instances))
	}
}
