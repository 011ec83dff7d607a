package sluicetest_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	"github.com/sluice-go/sluice/store/postgres"
	"github.com/sluice-go/sluice/store/postgres/pgtest"
	"github.com/sluice-go/sluice/store/sqlite"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// twoSteps stops for a moment between its steps.
func twoSteps(pause time.Duration) *sluice.Integration {
	step := func(context.Context) (int, error) { return 1, nil }
	return of("Shop", sluice.Flow{Name: "flow", OnExecution: func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
		if _, err := sluice.Step(ctx, "one", step); err != nil {
			return nil, err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		_, err := sluice.Step(ctx, "two", step)
		return nil, err
	}})
}

// TestStores runs the same test on each store, on the clock that it can have, through a restart.
func TestStores(t *testing.T) {
	t.Parallel()
	tests := map[string]func(t *testing.T) sluicetest.Options{
		"memory": func(*testing.T) sluicetest.Options { return sluicetest.Options{} },
		"memory in real time": func(*testing.T) sluicetest.Options {
			return sluicetest.Options{RealTime: true}
		},
		"file": func(t *testing.T) sluicetest.Options {
			return sluicetest.Options{Runtime: runtime.Options{Database: filepath.Join(t.TempDir(), "test.db")}}
		},
		"opened": func(*testing.T) sluicetest.Options {
			return sluicetest.Options{OpenStore: inMemory}
		},
		"PostgreSQL": onPostgreSQL,
	}
	for name, options := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := options(t)
			pause := time.Hour
			if o.RealTime {
				pause = 50 * time.Millisecond
			}
			o.Runtime.ExecutionTimeout = 2 * pause
			o.Runtime.Integrations = []*sluice.Integration{twoSteps(pause)}
			o.Deployments = []runtime.Deployment{{}}
			sluicetest.RunOptions(t, o, func(_ *testing.T, h *sluicetest.Harness) {
				answer := h.Post("flow", "{}").RequireStatus(200)
				h.Advance(time.Millisecond)
				h.Restart()
				h.Drain()
				answer.Execution().RequireSucceeded().RequireSteps("one", "two")
			})
		})
	}
}

// onPostgreSQL gives the harness a database of a server of its own.
func onPostgreSQL(t *testing.T) sluicetest.Options {
	t.Helper()
	if testing.Short() {
		t.Skip("a server is started")
	}
	server, err := pgtest.Start(t.Context())
	if errors.Is(err, pgtest.ErrMissing) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	database, err := server.NewDatabase(t.Context())
	require.NoError(t, err)
	return sluicetest.Options{
		RealTime:  true,
		OpenStore: func(ctx context.Context) (store.Store, error) { return postgres.Open(ctx, database) },
	}
}

// TestStoreOfYourOwn is not closed.
func TestStoreOfYourOwn(t *testing.T) {
	t.Parallel()
	db, err := sqlite.Open(t.Context(), ":memory:")
	require.NoError(t, err)
	options := sluicetest.Options{
		Runtime:     runtime.Options{Integrations: []*sluice.Integration{of("Shop", sluice.Flow{Name: "echo", OnExecution: echo})}, Store: db},
		Deployments: []runtime.Deployment{{}}, RealTime: true,
	}
	for range 2 {
		sluicetest.RunOptions(t, options, func(_ *testing.T, h *sluicetest.Harness) {
			h.Webhook("echo").Synchronous(true).Get().RequireStatus(200)
		})
	}
	executions, err := db.Executions(t.Context(), store.Filter{}, "", 10)
	require.NoError(t, err)
	require.Len(t, executions, 2)
	require.NoError(t, db.Close())
}
