package postgres_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	"github.com/sluice-go/sluice/store/postgres"
	"github.com/sluice-go/sluice/store/postgres/pgtest"
)

// lease is short enough to wait for its end.
const lease = 2 * time.Second

// process is a runtime with a store of its own, as another process has it.
type process struct {
	*runtime.Runtime
	db       *postgres.Store
	instance *runtime.Instance
}

func startProcess(t *testing.T, database string, flows ...sluice.Flow) *process {
	t.Helper()
	db, err := postgres.Open(t.Context(), database)
	require.NoError(t, err)
	rt, err := runtime.New(t.Context(), runtime.Options{
		Integrations: []*sluice.Integration{{Name: "Orders", Flows: flows}}, Store: db, Lease: lease,
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	require.NoError(t, err)
	require.NoError(t, rt.Start(t.Context()))
	instance, err := rt.Deploy(t.Context(), runtime.Deployment{})
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 20*time.Second)
		defer cancel()
		require.NoError(t, rt.Stop(ctx))
		require.NoError(t, db.Close())
	})
	return &process{rt, db, instance}
}

// post sends a request to the flow and returns the answer.
func (p *process) post(t *testing.T, flow, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	endpoint, err := url.Parse(p.instance.WebhookURLs[flow])
	require.NoError(t, err)
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, endpoint.Path, strings.NewReader(body))
	request.Header.Set("Content-Type", "text/plain")
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	recorder := httptest.NewRecorder()
	p.Handler().ServeHTTP(recorder, request)
	return recorder
}

// deliver sends a request that is accepted and returns the execution's id.
func (p *process) deliver(t *testing.T, flow, body string) string {
	t.Helper()
	answer := p.post(t, flow, body)
	require.Equal(t, http.StatusOK, answer.Code, answer.Body.String())
	return answer.Header().Get("prismatic-executionid")
}

// await waits until an execution is over.
func (p *process) await(t *testing.T, id string, atMost time.Duration) *runtime.Execution {
	t.Helper()
	var x *runtime.Execution
	require.Eventually(t, func() bool {
		var err error
		x, err = p.Execution(t.Context(), id)
		return err == nil && x.Status.Final()
	}, atMost, 20*time.Millisecond, "execution %s is not over", id)
	return x
}

// TestSequentialOverProcesses delivers to two processes in turn: what runs, wherever, runs
// one after the other in the order of acceptance.
func TestSequentialOverProcesses(t *testing.T) {
	t.Parallel()
	database := pgtest.Database(t)
	var mu sync.Mutex
	var order []string
	var running atomic.Int32
	flow := sluice.Flow{
		Name: "Import", StableKey: "import", QueueConfig: sluice.SequentialQueueConfig{},
		OnExecution: func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
			if n := running.Add(1); n > 1 {
				t.Errorf("%d run at once", n)
			}
			defer running.Add(-1)
			mu.Lock()
			defer mu.Unlock()
			order = append(order, string(run.Payload.RawBody.Data))
			return &sluice.Result{}, nil
		},
	}
	processes := []*process{startProcess(t, database, flow), startProcess(t, database, flow)}
	const n = 60
	var want []string
	var last string
	for i := range n {
		body := fmt.Sprint("order ", i)
		last = processes[i%2].deliver(t, "Import", body)
		want = append(want, body)
	}
	processes[0].await(t, last, time.Minute)
	mu.Lock()
	defer mu.Unlock()
	require.Equal(t, want, order)
}

// TestLimitOverProcesses has never more executions run than the flow's limit.
func TestLimitOverProcesses(t *testing.T) {
	t.Parallel()
	database := pgtest.Database(t)
	const limit, n = 3, 40
	var running, most atomic.Int32
	flow := sluice.Flow{
		Name: "Import", StableKey: "import", QueueConfig: sluice.ThrottledQueueConfig{ConcurrencyLimit: limit},
		OnExecution: func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
			now := running.Add(1)
			defer running.Add(-1)
			for before := most.Load(); now > before && !most.CompareAndSwap(before, now); before = most.Load() {
			}
			pause := time.NewTimer(50 * time.Millisecond)
			defer pause.Stop()
			select {
			case <-pause.C:
			case <-ctx.Done():
			}
			return &sluice.Result{}, nil
		},
	}
	processes := []*process{startProcess(t, database, flow), startProcess(t, database, flow)}
	var ids []string
	for i := range n {
		ids = append(ids, processes[i%2].deliver(t, "Import", "x"))
	}
	for _, id := range ids {
		require.Equal(t, store.StatusSucceeded, processes[0].await(t, id, time.Minute).Status)
	}
	require.EqualValues(t, limit, most.Load())
}

func noop(context.Context, *sluice.Run) (*sluice.Result, error) { return &sluice.Result{}, nil }

// TestInstancesOverProcesses revokes a key and pauses an instance in one process: within a
// second the other one knows.
func TestInstancesOverProcesses(t *testing.T) {
	t.Parallel()
	database := pgtest.Database(t)
	flow := sluice.Flow{Name: "Import", StableKey: "import", OnExecution: noop, EndpointSecurityType: sluice.EndpointSecurityCustomerRequired}
	here, there := startProcess(t, database, flow), startProcess(t, database, flow)
	key, err := here.CreateAPIKey(t.Context(), here.instance.ID, "Import")
	require.NoError(t, err)
	answers := func(status int, atMost time.Duration) {
		t.Helper()
		require.Eventually(t, func() bool { return there.post(t, "Import", "x", "Api-Key", key).Code == status }, atMost, 10*time.Millisecond)
	}
	answers(http.StatusOK, time.Second)
	require.NoError(t, here.RevokeAPIKey(t.Context(), here.instance.ID, "Import", key))
	answers(http.StatusUnauthorized, time.Second)
	require.NoError(t, here.Pause(t.Context(), here.instance.ID))
	answers(http.StatusNotFound, time.Second)
	require.NoError(t, here.Resume(t.Context(), here.instance.ID))
	answers(http.StatusUnauthorized, time.Second)
}
