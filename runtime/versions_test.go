package runtime_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
)

// These tests have runtimes on one store that do not serve the same.

// ledger is who ran what, and when.
type ledger struct {
	mu   sync.Mutex
	runs map[string]time.Time // by who and body
}

// flow notes its runs. A body may say how long one takes, or that it fails the first time.
func (l *ledger) flow(who string) sluice.ExecutionFunc {
	return func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		body := string(run.Payload.RawBody.Data)
		l.mu.Lock()
		if l.runs == nil {
			l.runs = map[string]time.Time{}
		}
		l.runs[who+" "+body] = time.Now()
		l.mu.Unlock()
		if strings.Contains(body, "slow") {
			select {
			case <-time.After(time.Minute): // Virtual.
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			}
		}
		if strings.Contains(body, "again") && run.Attempt == 1 {
			return nil, errors.New("not yet")
		}
		return &sluice.Result{Data: who}, nil
	}
}

// after is how long after a moment someone ran something.
func (l *ledger) after(t *testing.T, since time.Time, who, body string) time.Duration {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	require.Contains(t, l.runs, who+" "+body)
	return l.runs[who+" "+body].Sub(since)
}

func (l *ledger) ran(who, body string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.runs[who+" "+body].IsZero()
}

// postTo posts text to a URL of an instance at a runtime.
func postTo(t *testing.T, rt *runtime.Runtime, webhookURL, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	endpoint, err := url.Parse(webhookURL)
	require.NoError(t, err)
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, endpoint.Path, strings.NewReader(body))
	request.Header.Set("Content-Type", "text/plain")
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	recorder := httptest.NewRecorder()
	rt.Handler().ServeHTTP(recorder, request)
	require.Equal(t, http.StatusOK, recorder.Code, recorder.Body.String())
	return recorder
}

// flowsOf has a parallel flow, a queued one, and one that runs every ten minutes.
func flowsOf(name, version string, work sluice.ExecutionFunc) *sluice.Integration {
	retry := &sluice.RetryConfig{MaxAttempts: 1, DelayMinutes: 1}
	return &sluice.Integration{Name: name, Version: version, Flows: []sluice.Flow{
		{Name: "Flow", StableKey: "flow", OnExecution: work, RetryConfig: retry},
		{Name: "Queued", StableKey: "queued", OnExecution: work, QueueConfig: sluice.SequentialQueueConfig{}},
		{Name: "Tick", StableKey: "tick", OnExecution: work, Schedule: &sluice.Schedule{Value: "*/10 * * * *"}},
	}}
}

// TestEachRuntimeRunsWhatItServes has two integrations in two runtimes: what is of one waits for
// its runtime, and holds up nothing of the other.
func TestEachRuntimeRunsWhatItServes(t *testing.T) {
	t.Parallel()
	inMemory(t, func(t *testing.T, database store.Store) {
		var l ledger
		one := startOn(t, database, flowsOf("One", "1", l.flow("one")))
		two := startOn(t, database, flowsOf("Two", "1", l.flow("two")))
		first, err := one.Deploy(t.Context(), runtime.Deployment{})
		require.NoError(t, err)
		second, err := two.Deploy(t.Context(), runtime.Deployment{})
		require.NoError(t, err)
		ticks := time.Now().Truncate(10 * time.Minute).Add(10 * time.Minute)
		time.Sleep(time.Until(ticks) + time.Second)
		require.Zero(t, l.after(t, ticks, "one", ""))
		require.Zero(t, l.after(t, ticks, "two", ""))

		began := time.Now()
		for _, body := range []string{"slow", "b", "again"} {
			postTo(t, one, first.WebhookURLs["Flow"], body)
			postTo(t, two, second.WebhookURLs["Flow"], body)
			postTo(t, two, second.WebhookURLs["Queued"], "queued "+body)
		}
		time.Sleep(10 * time.Second)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.NoError(t, two.Stop(ctx), "what runs is given back")
		time.Sleep(30 * time.Minute)
		for _, body := range []string{"slow", "b"} {
			require.Zero(t, l.after(t, began, "one", body))
		}
		require.Equal(t, time.Minute, l.after(t, began, "one", "again"))
		require.Zero(t, l.after(t, time.Now().Truncate(10*time.Minute), "one", ""), "schedules go on")

		began = time.Now()
		two = startOn(t, database, flowsOf("Two", "1", l.flow("two")))
		time.Sleep(3 * time.Minute)
		require.Zero(t, l.after(t, began, "two", "slow"))
		require.Zero(t, l.after(t, began, "two", "again"))
		require.Zero(t, l.after(t, began, "two", "queued slow"))
		require.Equal(t, time.Minute, l.after(t, began, "two", "queued b"))
		require.Zero(t, l.after(t, began, "two", ""), "what was due meanwhile")
		require.False(t, l.ran("one", "queued slow") || l.ran("one", "queued b"))
		require.NoError(t, errors.Join(one.Stop(t.Context()), two.Stop(t.Context())))
	})
}

// TestTwoVersionsSideBySide upgrades an instance while the old version's process goes on: it
// ends what it runs, and takes requests; whatever begins runs in the new version.
func TestTwoVersionsSideBySide(t *testing.T) {
	t.Parallel()
	inMemory(t, func(t *testing.T, database store.Store) {
		var l ledger
		older := startOn(t, database, flowsOf("Test", "1", l.flow("1")))
		instance, err := older.Deploy(t.Context(), runtime.Deployment{})
		require.NoError(t, err)
		flow, queue := instance.WebhookURLs["Flow"], instance.WebhookURLs["Queued"]
		slow := idOf(postTo(t, older, flow, "slow"))
		postTo(t, older, flow, "again")
		postTo(t, older, queue, "queued slow")
		postTo(t, older, queue, "queued b")
		time.Sleep(time.Second)
		newer := startOn(t, database, flowsOf("Test", "2", l.flow("2")))
		time.Sleep(time.Second)
		require.False(t, l.ran("2", "queued b"), "it is not deployed yet")
		upgraded, err := newer.Deploy(t.Context(), runtime.Deployment{})
		require.NoError(t, err)
		require.Equal(t, instance.ID, upgraded.ID)
		time.Sleep(2 * time.Second) // By now both know.

		began := time.Now()
		postTo(t, older, flow, "d")
		answer := postTo(t, older, flow, "e", "prismatic-synchronous", "true")
		require.JSONEq(t, `"2"`, answer.Body.String())
		answer = postTo(t, newer, flow, "f", "prismatic-synchronous", "true")
		require.JSONEq(t, `"2"`, answer.Body.String())
		for _, body := range []string{"d", "e", "f"} {
			require.Zero(t, l.after(t, began, "2", body))
			require.False(t, l.ran("1", body))
		}
		time.Sleep(15 * time.Minute)
		x := execution(t, newer, slow)
		require.JSONEq(t, `"1"`, string(x.Result.Data), "what ran came to its end")
		require.Len(t, x.Attempts, 1)
		require.Less(t, l.after(t, began, "2", "again"), time.Minute, "a retry")
		require.Less(t, l.after(t, began, "2", "queued b"), time.Minute)
		require.True(t, l.ran("2", ""))
		require.False(t, l.ran("1", ""), "the schedule is the new version's")

		require.NoError(t, newer.Stop(t.Context()))
		left := idOf(postTo(t, older, flow, "g"))
		time.Sleep(time.Hour)
		require.Equal(t, store.StatusQueued, execution(t, older, left).Status, "nobody has the version")
		_, err = older.Deploy(t.Context(), runtime.Deployment{})
		require.NoError(t, err)
		time.Sleep(time.Second)
		require.JSONEq(t, `"1"`, string(execution(t, older, left).Result.Data), "a rollback")
		require.NoError(t, older.Stop(t.Context()))
	})
}
