package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// TestSleep: a long one takes no slot and no time-out, no attempt and no step twice; the
// attempt's start and logs are those of before it.
func TestSleep(t *testing.T) {
	t.Parallel()
	before, after := 0, 0
	flow := func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		if run.Payload.Body.Data() == "quick" {
			return nil, nil
		}
		run.Logger.InfoContext(ctx, "good night")
		if _, err := counter(ctx, &before, "before"); err != nil {
			return nil, err
		}
		if err := sluice.Sleep(ctx, "night", 8*time.Hour); err != nil {
			return nil, fmt.Errorf("asleep: %w", err)
		}
		run.Logger.InfoContext(ctx, "good morning", "since", run.StartedAt)
		if _, err := counter(ctx, &after, "after"); err != nil {
			return nil, err
		}
		return &sluice.Result{Data: run.Attempt}, nil
	}
	options := runtime.Options{Integrations: []*sluice.Integration{integrationOf(flow)}, Concurrency: 1}
	sluicetest.RunOptions(t, sluicetest.Options{Runtime: options}, func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		began := time.Now().UTC()
		id := executionID(t, h.Post("Flow", `{}`))
		x := h.Execution(id)
		require.Equal(t, store.StatusWaiting, x.Status)
		require.Equal(t, began.Add(8*time.Hour), x.Due)
		require.Empty(t, x.Attempts)
		require.Equal(t, store.StatusSucceeded, h.Execution(executionID(t, h.Post("Flow", `"quick"`))).Status, "it takes no slot")
		h.Drain()
		x = h.Execution(id)
		require.Empty(t, x.Error)
		require.Equal(t, "1", string(x.Result.Data))
		require.Equal(t, []int{1, 1}, []int{before, after})
		require.Len(t, x.Attempts, 1)
		require.Equal(t, began, x.Attempts[0].StartedAt)
		require.Equal(t, began.Add(8*time.Hour), x.Attempts[0].EndedAt)
		var logged []string
		for _, line := range x.Attempts[0].Logs {
			logged = append(logged, line.Message)
		}
		require.Equal(t, []string{"good night", "good morning"}, logged)
		require.Equal(t, began.Format(time.RFC3339Nano), x.Attempts[0].Logs[1].Attributes["since"])
		require.Len(t, x.Steps, 3)
		require.Equal(t, began.Add(8*time.Hour), x.Steps[1].EndedAt)
	})
}

// TestSleepKeepsLogs also of a try of the flow that fails after it.
func TestSleepKeepsLogs(t *testing.T) {
	t.Parallel()
	tries := 0
	x, _ := attempts(t, func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		if err := sluice.Sleep(ctx, "night", 8*time.Hour); err != nil {
			return nil, err
		}
		run.Logger.InfoContext(ctx, "awake")
		if tries++; tries == 1 {
			return nil, errors.New("no")
		}
		return nil, nil
	}, func(f *sluice.Flow) { f.ErrorConfig = &retrying })
	var logged []string
	for _, line := range x.Attempts[0].Logs {
		logged = append(logged, line.Message)
	}
	require.Equal(t, []string{"awake", "failed, to be tried again", "awake"}, logged)
}

// TestSleepShortly just waits.
func TestSleepShortly(t *testing.T) {
	t.Parallel()
	x, took := attempts(t, func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
		return nil, errors.Join(sluice.Sleep(ctx, "a", 10*time.Second), sluice.Sleep(ctx, "a", 0), sluice.Sleep(ctx, "a", -time.Hour))
	})
	require.Empty(t, x.Error)
	require.Equal(t, 10*time.Second, took)
	require.Empty(t, x.Steps)
}

// TestSleeps: what flows make of a sleep, and how long they take with it. All of them run to
// their end, and none before its time.
func TestSleeps(t *testing.T) {
	t.Parallel()
	type flow = func(ctx context.Context, run *sluice.Run, step func(ctx context.Context, name string) error) error
	tests := map[string]struct {
		flow flow
		took time.Duration
		more time.Duration // that it may take, as goroutines happen to run
	}{
		"several of one name": {func(ctx context.Context, _ *sluice.Run, step func(context.Context, string) error) error {
			for range 3 {
				if err := errors.Join(sluice.Sleep(ctx, "nap", time.Hour), step(ctx, "a")); err != nil {
					return err
				}
			}
			return nil
		}, 3 * time.Hour, 0},
		"its error is hidden": {func(ctx context.Context, _ *sluice.Run, _ func(context.Context, string) error) error {
			if err := sluice.Sleep(ctx, "nap", time.Hour); err != nil {
				return errors.New("could not sleep")
			}
			return nil
		}, time.Hour, 0},
		"its error is swallowed, before a step": {func(ctx context.Context, _ *sluice.Run, step func(context.Context, string) error) error {
			began := time.Now()
			_ = sluice.Sleep(ctx, "nap", time.Hour)
			err := step(ctx, "a")
			if err != nil && time.Since(began) == 0 {
				require.ErrorIs(t, err, sluice.ErrSuspended)
			}
			return err
		}, time.Hour, 0},
		"its error is swallowed, at the end": {func(ctx context.Context, _ *sluice.Run, _ func(context.Context, string) error) error {
			_ = sluice.Sleep(ctx, "nap", time.Hour)
			return nil
		}, time.Hour, 0},
		"its error makes the flow panic": {func(ctx context.Context, _ *sluice.Run, _ func(context.Context, string) error) error {
			if err := sluice.Sleep(ctx, "nap", time.Hour); err != nil {
				panic(err)
			}
			return nil
		}, time.Hour, 0},
		"in a step": {func(ctx context.Context, _ *sluice.Run, step func(context.Context, string) error) error {
			_, err := sluice.Step(ctx, "outer", func(ctx context.Context) (int, error) {
				return 0, errors.Join(step(ctx, "a"), sluice.Sleep(ctx, "nap", time.Hour), step(ctx, "b"))
			})
			return err
		}, time.Hour, 0},
		"in each item of a loop": {func(ctx context.Context, _ *sluice.Run, step func(context.Context, string) error) error {
			_, err := sluice.ForEach(ctx, "items", []string{"a", "b"}, func(ctx context.Context, item string, _ int) (int, error) {
				return 0, errors.Join(sluice.Sleep(ctx, "nap", time.Hour), step(ctx, item))
			})
			return err
		}, 2 * time.Hour, 0},
		"several at once": {func(ctx context.Context, _ *sluice.Run, step func(context.Context, string) error) error {
			group, ctx := errgroup.WithContext(ctx)
			for hours := range 4 {
				group.Go(func() error {
					if err := sluice.Sleep(ctx, fmt.Sprint("nap ", hours), time.Duration(hours)*time.Hour); err != nil {
						return err
					}
					return step(ctx, fmt.Sprint("step ", hours))
				})
			}
			return group.Wait()
		}, 3 * time.Hour, 3 * time.Hour},
		"beside steps": {func(ctx context.Context, _ *sluice.Run, step func(context.Context, string) error) error {
			var group sync.WaitGroup
			var errs [2]error
			group.Go(func() { errs[0] = sluice.Sleep(ctx, "nap", time.Hour) })
			group.Go(func() {
				for n := range 10 {
					errs[1] = errors.Join(errs[1], sluice.Sleep(ctx, "blink", time.Second), step(ctx, fmt.Sprint("step ", n)))
				}
			})
			group.Wait()
			return errors.Join(errs[:]...)
		}, time.Hour, 0},
		"in an attempt that fails": {func(ctx context.Context, run *sluice.Run, _ func(context.Context, string) error) error {
			if err := sluice.Sleep(ctx, "nap", time.Hour); err != nil {
				return err
			}
			if run.Attempt == 1 {
				return errors.New("again")
			}
			return nil
		}, time.Hour, 0},
	}
	for name, test := range tests {
		for handler, config := range map[string]sluice.StepErrorConfig{"fail": failing, "ignore": ignoring, "retry": retrying} {
			t.Run(name+", with "+handler, func(t *testing.T) {
				t.Parallel()
				var mu sync.Mutex
				ran := map[string]int{}
				step := func(ctx context.Context, name string) error {
					_, err := sluice.Step(ctx, name, func(context.Context) (int, error) {
						mu.Lock()
						defer mu.Unlock()
						ran[name]++
						return 0, nil
					})
					return err
				}
				flow := func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
					return nil, test.flow(ctx, run, step)
				}
				integration := integrationOf(flow, retriesAtOnce, func(f *sluice.Flow) { f.ErrorConfig = &config })
				run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
					began := time.Now()
					id := executionID(t, h.Post("Flow", `{}`))
					h.Drain()
					x := h.Execution(id)
					require.Equal(t, store.StatusSucceeded, x.Status, x.Error)
					last := x.Attempts[len(x.Attempts)-1]
					took := last.EndedAt.Sub(began)
					require.GreaterOrEqual(t, took, test.took)
					require.LessOrEqual(t, took, test.took+test.more+30*time.Second)
					recorded := map[string]int{}
					for _, s := range x.Steps {
						require.Empty(t, s.Error, "nothing is ignored")
						recorded[s.Name]++
					}
					for name, times := range ran {
						require.Equal(t, recorded[name], times, "a journalled step ran again")
					}
				})
			})
		}
	}
}

// TestSleepOfSynchronousFlows: the caller waits as long as that makes sense.
func TestSleepOfSynchronousFlows(t *testing.T) {
	t.Parallel()
	flow := func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		var seconds int
		if err := run.Payload.Body.Decode(&seconds); err != nil {
			return nil, err
		}
		return &sluice.Result{Data: "slept"}, sluice.Sleep(ctx, "nap", time.Duration(seconds)*time.Second)
	}
	run(t, integrationOf(flow, synchronous), func(t *testing.T, h *sluicetest.Harness) {
		began := time.Now()
		answer := h.Post("Flow", `15`)
		require.Equal(t, `"slept"`, answer.Text)
		require.Equal(t, 15*time.Second, time.Since(began))
		began = time.Now()
		answer = h.Post("Flow", `3600`)
		require.Equal(t, http.StatusGatewayTimeout, answer.StatusCode)
		require.Zero(t, time.Since(began))
		h.Drain()
		x := h.Execution(answer.Header.Get("prismatic-executionid"))
		require.Equal(t, store.StatusSucceeded, x.Status)
		require.Equal(t, time.Hour, x.Attempts[0].EndedAt.Sub(began.UTC()))
	})
}

// TestSleepThroughAStop: the execution wakes at its time, wherever it is then.
func TestSleepThroughAStop(t *testing.T) {
	t.Parallel()
	woke := 0
	flow := func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
		if err := sluice.Sleep(ctx, "nap", time.Hour); err != nil {
			return nil, err
		}
		woke++
		return nil, nil
	}
	for name, pause := range map[string]time.Duration{"before its time": 30 * time.Minute, "past its time": 2 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				path := t.TempDir() + "/stop.db"
				rt := open(t, path, integrationOf(flow))
				began := time.Now().UTC()
				id := deliver(t, rt, http.StatusOK)
				synctest.Wait()
				require.NoError(t, rt.Stop(t.Context()))
				time.Sleep(pause)
				rt = open(t, path, integrationOf(flow))
				time.Sleep(time.Hour)
				synctest.Wait()
				x := execution(t, rt, id)
				require.Equal(t, store.StatusSucceeded, x.Status)
				require.Equal(t, max(pause, time.Hour), x.Attempts[0].EndedAt.Sub(began))
				require.Len(t, x.Attempts, 1)
				require.NoError(t, rt.Stop(t.Context()))
			})
		})
	}
}

// TestSleepInALane keeps the seat: nobody overtakes.
func TestSleepInALane(t *testing.T) {
	t.Parallel()
	var order []string
	flow := func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		if err := sluice.Sleep(ctx, "nap", time.Hour); err != nil {
			return nil, err
		}
		order = append(order, run.ExecutionID)
		return nil, nil
	}
	integration := integrationOf(flow, func(f *sluice.Flow) { f.QueueConfig = sluice.SequentialQueueConfig{} })
	run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		began := time.Now()
		var accepted []string
		for range 3 {
			accepted = append(accepted, executionID(t, h.Post("Flow", `{}`)))
		}
		h.Drain()
		require.Equal(t, accepted, order)
		last := h.Execution(accepted[2])
		require.Equal(t, 3*time.Hour, last.Attempts[0].EndedAt.Sub(began.UTC()))
	})
}

// TestSleepKeepsState: what steps changed before it is committed once, at the end.
func TestSleepKeepsState(t *testing.T) {
	t.Parallel()
	flow := func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		s := run.InstanceState()
		_, err := sluice.Step(ctx, "count", func(ctx context.Context) (int, error) { return 0, s.Increment(ctx, "n", 1) })
		if err := errors.Join(err, s.Increment(ctx, "n", 10)); err != nil {
			return nil, err
		}
		if err := sluice.Sleep(ctx, "nap", time.Hour); err != nil {
			return nil, err
		}
		n, _, err := sluice.GetState[int](ctx, s, "n")
		return &sluice.Result{Data: n}, err
	}
	run(t, integrationOf(flow), func(t *testing.T, h *sluicetest.Harness) {
		for _, want := range []string{"11", "22"} {
			id := executionID(t, h.Post("Flow", `{}`))
			h.Drain()
			require.Equal(t, want, string(h.Execution(id).Result.Data))
		}
	})
}

func TestSleepMisuse(t *testing.T) {
	t.Parallel()
	require.ErrorContains(t, sluice.Sleep(t.Context(), "nap", time.Hour), "the context is not that of a run")
	x, _ := attempts(t, func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
		require.EqualError(t, sluice.Sleep(ctx, "", time.Hour), "sluice: a sleep needs a name")
		limited, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		require.ErrorIs(t, sluice.Sleep(limited, "nap", 5*time.Second), context.DeadlineExceeded)
		return nil, nil
	}, func(f *sluice.Flow) {
		f.OnTrigger = func(ctx context.Context, _ *sluice.Run, _ *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
			require.ErrorIs(t, sluice.Sleep(ctx, "nap", time.Second), sluice.ErrNotAccepted)
			return nil, nil
		}
	})
	require.Empty(t, x.Error)
}
