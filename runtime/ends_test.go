package runtime_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/store"
)

// TestEveryExecutionEnds runs what succeeds, fails, panics, is retried, sleeps, takes too long
// or is canceled, one runtime of a store after the other: each execution comes to a final state,
// and its attempts stand on record as they were.
func TestEveryExecutionEnds(t *testing.T) {
	t.Parallel()
	want := map[string]struct {
		status   store.Status
		attempts int
	}{
		"success": {store.StatusSucceeded, 1}, "failure": {store.StatusFailed, 3}, "panic": {store.StatusFailed, 3},
		"retry": {store.StatusSucceeded, 2}, "permanent": {store.StatusFailed, 1}, "sleep": {store.StatusSucceeded, 1},
		"forever": {store.StatusFailed, 3}, "cancel": {store.StatusCanceled, 1},
	}
	flow := func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		var kind string
		if err := run.Payload.Body.Decode(&kind); err != nil {
			return nil, err
		}
		err := fmt.Errorf("%s %d", kind, run.Attempt)
		switch {
		case kind == "panic":
			panic(err)
		case kind == "failure", kind == "retry" && run.Attempt == 1:
			return nil, err
		case kind == "permanent":
			return nil, sluice.Permanent(err)
		case kind == "sleep":
			return nil, sluice.Sleep(ctx, "for long", 10*time.Hour)
		case kind == "forever", kind == "cancel":
			<-ctx.Done()
			return nil, err
		}
		return nil, nil
	}
	inMemory(t, func(t *testing.T, database store.Store) {
		integration := integrationOf(flow, retried(2, 60))
		rt := startOn(t, database, integration)
		kinds := map[string]string{}
		for kind := range want {
			for range 3 {
				kinds[idOf(send(t, rt, strconv.Quote(kind)))] = kind
			}
		}
		time.Sleep(10 * time.Minute)
		for id, kind := range kinds {
			if kind == "cancel" {
				require.NoError(t, rt.CancelExecution(t.Context(), id, "enough"))
			}
		}
		for range 5 { // Others take over what waits and what runs.
			time.Sleep(20 * time.Minute)
			now, cancel := context.WithCancel(t.Context())
			cancel()
			require.NoError(t, rt.Stop(now))
			rt = startOn(t, database, integration)
		}
		time.Sleep(24 * time.Hour)
		for id, kind := range kinds {
			x := execution(t, rt, id)
			require.Equal(t, want[kind].status, x.Status, kind)
			require.Len(t, x.Attempts, want[kind].attempts, kind)
			for i, attempt := range x.Attempts {
				require.Equal(t, i+1, attempt.Number)
				if kind == "failure" || kind == "retry" && i == 0 {
					require.Equal(t, kind+" "+strconv.Itoa(i+1), attempt.Error)
				}
			}
		}
		require.NoError(t, rt.Stop(t.Context()))
	})
}
