package runtime_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
)

// BenchmarkReplayOfSteps measures how long the second attempt of a flow of 1,000 steps takes,
// all of which are on record: to read them back and to pass over them. It must be less than
// 10 ms.
func BenchmarkReplayOfSteps(b *testing.B) {
	const steps = 1_000
	attempts := make(chan string)
	flow := func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		for n := range steps {
			if _, err := sluice.Step(ctx, strconv.Itoa(n), func(context.Context) (int, error) { return n, nil }); err != nil {
				return nil, err
			}
		}
		if run.Attempt == 1 {
			return nil, errors.New("again")
		}
		attempts <- run.ExecutionID
		return nil, nil
	}
	rt, err := runtime.New(b.Context(), runtime.Options{
		Integrations: []*sluice.Integration{integrationOf(flow, func(f *sluice.Flow) { f.RetryConfig = &sluice.RetryConfig{MaxAttempts: 1} })},
		Database:     filepath.Join(b.TempDir(), "steps.db"), Logger: slog.New(slog.DiscardHandler), RateLimit: -1,
	})
	require.NoError(b, err)
	require.NoError(b, rt.Start(b.Context()))
	b.Cleanup(func() { require.NoError(b, rt.Stop(context.WithoutCancel(b.Context()))) })
	instance, err := rt.Deploy(b.Context(), runtime.Deployment{})
	require.NoError(b, err)
	endpoint, err := url.Parse(instance.WebhookURLs["Flow"])
	require.NoError(b, err)
	var replays time.Duration
	for b.Loop() {
		require.Equal(b, http.StatusOK, request(b, rt.Handler(), endpoint.Path))
		id := <-attempts
		for {
			x, err := rt.Execution(b.Context(), id)
			require.NoError(b, err)
			if x.Status.Final() {
				replays += x.Attempts[1].EndedAt.Sub(x.Attempts[1].StartedAt)
				break
			}
		}
	}
	b.ReportMetric(float64(replays.Microseconds())/1000/float64(b.N), "ms/replay")
}
