package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/store"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// sent is a request of TestUniqueRequests.
type sent struct {
	Key   int `json:"key"`
	Fails int `json:"fails"`
	at    time.Duration
}

// Attempts of TestUniqueRequests take attemptTime, and begin anew retryDelay after they failed.
const (
	attemptTime = 80 * time.Second
	retryDelay  = 3 * time.Minute
	maxRetries  = 2
)

// outcome is what becomes of the request with the index, and how many attempts it takes.
func outcome(all []sent, index int) (status store.Status, attempts int) {
	request, newer := all[index], time.Duration(1<<62)
	for _, later := range all[index+1:] {
		if later.Key == request.Key {
			newer = later.at
			break
		}
	}
	for begin := request.at; ; begin += attemptTime + retryDelay {
		attempts++
		switch {
		case attempts > request.Fails:
			return store.StatusSucceeded, attempts
		case attempts > maxRetries:
			return store.StatusFailed, attempts
		case newer < begin+attemptTime+retryDelay:
			return store.StatusCanceled, attempts
		}
	}
}

// TestUniqueRequests sends requests about few things at any times: a newer one about the same
// thing ends the retries of older ones, whether they wait or run, and nothing else does.
func TestUniqueRequests(t *testing.T) {
	t.Parallel()
	flow := sluice.Define(sluice.Flow{
		Name: "Flow", StableKey: "flow",
		RetryConfig: &sluice.RetryConfig{
			MaxAttempts: maxRetries, DelayMinutes: int(retryDelay.Minutes()), UniqueRequestIDField: "body.data.key",
		},
	}, func(_ context.Context, run *sluice.Run, request sent) (int, error) {
		time.Sleep(attemptTime) // Virtual.
		if run.Attempt <= request.Fails {
			return 0, errors.New("no")
		}
		return request.Key, nil
	})
	rapid.Check(t, func(rt *rapid.T) {
		all := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) sent {
			return sent{
				Key: rapid.IntRange(1, 2).Draw(rt, "key"), Fails: rapid.IntRange(0, maxRetries+1).Draw(rt, "fails"),
				at: time.Duration(rapid.IntRange(0, 6).Draw(rt, "minutes later")) * time.Minute,
			}
		}), 1, 6).Draw(rt, "requests")
		run(t, &sluice.Integration{Name: "Test", Flows: []sluice.Flow{flow.Flow}}, func(t *testing.T, h *sluicetest.Harness) {
			began, ids := time.Now(), make([]string, len(all))
			for i := range all {
				h.Advance(all[i].at)
				all[i].at = time.Since(began)
				ids[i] = executionID(t, h.Post("Flow", fmt.Sprintf(`{"key":%d,"fails":%d}`, all[i].Key, all[i].Fails)))
			}
			h.Drain()
			for i, id := range ids {
				x, ran := h.Execution(id), 0
				for _, attempt := range x.Attempts {
					if !attempt.StartedAt.IsZero() {
						ran++
					}
				}
				status, attempts := outcome(all, i)
				require.Equal(t, status, x.Status, "request %d of %+v", i, all)
				if status == store.StatusCanceled {
					require.Contains(t, x.Error, "superseded by execution ")
				}
				require.Equal(t, attempts, ran, "request %d of %+v", i, all)
			}
		})
	})
}
