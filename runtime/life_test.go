package runtime_test

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	sluicert "github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	"github.com/sluice-go/sluice/store/sqlite"
	sluicetest "github.com/sluice-go/sluice/testing"
)

type nilError struct{ text string }

func (e *nilError) Error() string { return e.text }

type panickingJSON struct{}

func (panickingJSON) MarshalJSON() ([]byte, error) { panic("boom") }

// TestUserCodeThatPanicsOutsideItsFunction ends that execution only.
func TestUserCodeThatPanicsOutsideItsFunction(t *testing.T) {
	t.Parallel()
	for name, flow := range map[string]sluice.ExecutionFunc{
		"an error that is a nil pointer": func(context.Context, *sluice.Run) (*sluice.Result, error) {
			var none *nilError
			return nil, none
		},
		"data that panics when it is encoded": func(context.Context, *sluice.Run) (*sluice.Result, error) {
			return &sluice.Result{Data: panickingJSON{}}, nil
		},
		"a goroutine that ends itself": func(context.Context, *sluice.Run) (*sluice.Result, error) {
			runtime.Goexit()
			return nil, nil
		},
	} {
		for _, mode := range []string{"true", "false"} {
			t.Run(name+", synchronous "+mode, func(t *testing.T) {
				t.Parallel()
				run(t, integrationOf(flow), func(t *testing.T, h *sluicetest.Harness) {
					response := h.Post("Flow", `{}`, "prismatic-synchronous", mode)
					h.Drain()
					x := h.Execution(response.Header.Get("prismatic-executionid"))
					require.Equal(t, store.StatusFailed, x.Status)
					require.NotEmpty(t, x.Error)
				})
			})
		}
	}
}

func TestOneSlotServesSynchronousCallers(t *testing.T) {
	t.Parallel()
	options := sluicert.Options{Integrations: []*sluice.Integration{integrationOf(nothing, synchronous)}, Concurrency: 1}
	sluicetest.RunOptions(t, sluicetest.Options{Runtime: options}, func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(sluicert.Deployment{})
		began := time.Now()
		require.Equal(t, http.StatusOK, h.Post("Flow", `{}`).StatusCode)
		require.Zero(t, time.Since(began))
	})
}

// TestInterruptedWorkRunsOnAnotherRuntimeOfTheStore: Stop gives it back.
func TestInterruptedWorkRunsOnAnotherRuntimeOfTheStore(t *testing.T) {
	t.Parallel()
	var runs atomic.Int32
	flow := func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
		if runs.Add(1) == 1 {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return nil, nil
	}
	synctest.Test(t, func(t *testing.T) {
		database, err := sqlite.Open(t.Context(), ":memory:")
		require.NoError(t, err)
		start := func() *sluicert.Runtime {
			rt, err := sluicert.New(t.Context(), sluicert.Options{Integrations: []*sluice.Integration{integrationOf(flow)}, Store: database})
			require.NoError(t, err)
			require.NoError(t, rt.Start(t.Context()))
			return rt
		}
		rt := start()
		id := deliver(t, rt, http.StatusOK)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.NoError(t, rt.Stop(ctx))
		rt = start()
		synctest.Wait()
		require.Equal(t, store.StatusSucceeded, execution(t, rt, id).Status)
		require.NoError(t, rt.Stop(t.Context()))
		require.NoError(t, database.Close())
	})
}

// TestWorkThatEndsInTheGracePeriodCounts: it is recorded and does not run again.
func TestWorkThatEndsInTheGracePeriodCounts(t *testing.T) {
	t.Parallel()
	var runs atomic.Int32
	flow := func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
		runs.Add(1)
		<-ctx.Done()
		time.Sleep(time.Second) // Virtual: it finishes what it does.
		return nil, nil
	}
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "grace.db")
		rt := open(t, path, integrationOf(flow))
		id := deliver(t, rt, http.StatusOK)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.NoError(t, rt.Stop(ctx))
		rt = open(t, path, integrationOf(flow))
		synctest.Wait()
		require.Equal(t, store.StatusSucceeded, execution(t, rt, id).Status)
		require.EqualValues(t, 1, runs.Load())
		require.NoError(t, rt.Stop(t.Context()))
	})
}

func TestSecondStopWaitsForTheFirst(t *testing.T) {
	t.Parallel()
	flow := func(context.Context, *sluice.Run) (*sluice.Result, error) {
		time.Sleep(time.Minute) // Virtual.
		return nil, nil
	}
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "twice.db")
		rt := open(t, path, integrationOf(flow))
		id := deliver(t, rt, http.StatusOK)
		first := make(chan error)
		go func() { first <- rt.Stop(t.Context()) }()
		synctest.Wait()
		require.NoError(t, rt.Stop(t.Context()))
		require.NoError(t, <-first)
		rt = open(t, path, integrationOf(flow))
		require.Equal(t, store.StatusSucceeded, execution(t, rt, id).Status)
		require.NoError(t, rt.Stop(t.Context()))
	})
}

// TestStopRightAfterStart: the dispatcher may be about to claim.
func TestStopRightAfterStart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "race.db")
	for range 50 {
		rt := open(t, path, integrationOf(nothing))
		deliver(t, rt, http.StatusOK)
		require.NoError(t, rt.Stop(t.Context()))
	}
}

// TestStepThatOutlivesItsFlow: the flow has returned while a step of it still runs.
func TestStepThatOutlivesItsFlow(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"true", "false"} {
		t.Run("synchronous "+mode, func(t *testing.T) {
			t.Parallel()
			late := make(chan error, 1)
			flow := func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
				ctx = context.WithoutCancel(ctx)
				go func() {
					_, err := sluice.Step(ctx, "late", func(context.Context) (int, error) {
						time.Sleep(time.Second) // Virtual.
						return 1, nil
					})
					late <- err
				}()
				return nil, errors.New("no")
			}
			run(t, integrationOf(flow), func(t *testing.T, h *sluicetest.Harness) {
				late = make(chan error, 1) // In the bubble.
				id := h.Post("Flow", `{}`, "prismatic-synchronous", mode).Header.Get("prismatic-executionid")
				require.Error(t, <-late)
				require.Empty(t, h.Execution(id).Steps)
				require.Equal(t, http.StatusOK, h.Post("Flow", `{}`).StatusCode)
			})
		})
	}
}

// TestCodeThatIgnoresItsTimeout is reported, and its slot is free again.
func TestCodeThatIgnoresItsTimeout(t *testing.T) {
	t.Parallel()
	var runs atomic.Int32
	flow := func(context.Context, *sluice.Run) (*sluice.Result, error) {
		if runs.Add(1) == 1 {
			time.Sleep(time.Hour) // Virtual: it heeds nothing.
		}
		return nil, nil
	}
	options := sluicert.Options{Integrations: []*sluice.Integration{integrationOf(flow)}, Concurrency: 1, ExecutionTimeout: time.Minute}
	sluicetest.RunOptions(t, sluicetest.Options{Runtime: options}, func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(sluicert.Deployment{})
		stray := executionID(t, h.Post("Flow", `{}`))
		next := executionID(t, h.Post("Flow", `{}`))
		h.Advance(2 * time.Minute)
		require.Equal(t, store.StatusFailed, h.Execution(stray).Status)
		require.Equal(t, "the execution took longer than 1m0s, and ignores that its context has ended", h.Execution(stray).Error)
		require.Equal(t, store.StatusSucceeded, h.Execution(next).Status)
		h.Advance(time.Hour)
		require.Len(t, h.Execution(stray).Attempts, 1, "what comes late does not count")
	})
}

// TestStopEndsTriggers: a trigger that heeds its context is not waited for.
func TestStopEndsTriggers(t *testing.T) {
	t.Parallel()
	trigger := func(ctx context.Context, _ *sluice.Run, _ *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}
	synctest.Test(t, func(t *testing.T) {
		rt := open(t, ":memory:", integrationOf(nothing, func(f *sluice.Flow) { f.OnTrigger = trigger }))
		go deliver(t, rt, http.StatusServiceUnavailable)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		began := time.Now()
		require.NoError(t, rt.Stop(ctx))
		require.Equal(t, 10*time.Second, time.Since(began))
	})
}
