package simulation

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/store"
)

var (
	seeds  = flag.Int("seeds", defaultSeeds, "how many seeds to simulate")
	seed   = flag.Uint64("seed", 0, "the one seed to simulate, 50 times: interleavings differ")
	within = flag.Duration("within", time.Hour, "when not to begin with another seed")
)

// TestSimulation lives a month for each seed. A seed fixes what is sent and what breaks, not
// how goroutines interleave: one that fails is printed with where its history was saved.
func TestSimulation(t *testing.T) {
	t.Parallel()
	if *seed != 0 {
		for i := range 50 {
			t.Run(fmt.Sprintf("seed %d, run %d", *seed, i), func(t *testing.T) { simulate(t, *seed) })
		}
		return
	}
	deadline := time.Now().Add(*within)
	var done atomic.Int64
	t.Cleanup(func() { t.Logf("seeds: %d of %d", done.Load(), *seeds) })
	for s := range uint64(*seeds) {
		t.Run(fmt.Sprintf("seed %d", s+1), func(t *testing.T) {
			t.Parallel()
			if time.Now().Before(deadline) {
				simulate(t, s+1)
				done.Add(1)
			}
		})
	}
}

func simulate(t *testing.T, seed uint64) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, seed)
		w.live()
		records := w.settle()
		err := check(w.history, records, w.state)
		t.Logf("seed %d: accepted %d, answers %v, executions %d, runs %d", seed, len(w.history.accepted), w.history.answers, len(records), len(w.history.runs))
		if err != nil {
			t.Errorf("seed %d, history in %s: %v", seed, w.save(records), err)
		}
	})
}

// state is a number that the database holds.
func (w *world) state(scope store.Scope, key string) (n int) {
	data, err := w.db.State(w.t.Context(), scope, key)
	if errors.Is(err, store.ErrNotFound) {
		return 0
	}
	require.NoError(w.t, err)
	require.NoError(w.t, json.Unmarshal(data, &n))
	return n
}

// save writes what happened to a file.
func (w *world) save(records []*store.Record) string {
	folder, err := os.MkdirTemp("", "simulation")
	require.NoError(w.t, err)
	path := filepath.Join(folder, "history.json")
	data, err := json.MarshalIndent(map[string]any{
		"accepted": w.history.accepted, "runs": w.history.runs, "steps": w.history.steps, "records": records,
	}, "", " ")
	require.NoError(w.t, err)
	require.NoError(w.t, os.WriteFile(path, data, 0o600))
	return path
}
