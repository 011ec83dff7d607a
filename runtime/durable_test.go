package runtime_test

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// counter is a step that counts how often it ran.
func counter(ctx context.Context, count *int, name string, opts ...sluice.StepOption) (int, error) {
	return sluice.Step(ctx, name, func(context.Context) (int, error) {
		*count++
		return *count, nil
	}, opts...)
}

func TestRetriesKeepStepsAndAttempts(t *testing.T) {
	t.Parallel()
	var first, second, runs int
	flow := func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		runs++
		require.Equal(t, runs, run.Attempt)
		if _, err := counter(ctx, &first, "first"); err != nil {
			return nil, err
		}
		run.Logger.InfoContext(ctx, "attempt", "number", run.Attempt)
		if runs < 3 {
			return nil, errors.New("not yet")
		}
		got, err := counter(ctx, &second, "second")
		return &sluice.Result{Data: got}, err
	}
	integration := integrationOf(flow, func(f *sluice.Flow) {
		f.RetryConfig = &sluice.RetryConfig{MaxAttempts: 5, DelayMinutes: 3, UsesExponentialBackoff: true}
	})
	run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		began := time.Now()
		id := executionID(t, h.Post("Flow", `{}`))
		x := h.Execution(id)
		require.Equal(t, store.StatusWaiting, x.Status)
		require.Equal(t, began.Add(3*time.Minute).UTC(), x.Attempts[0].NextAttempt)
		h.Drain()
		x = h.Execution(id)
		require.Equal(t, store.StatusSucceeded, x.Status)
		require.Equal(t, 1, first, "a journalled step ran again")
		require.Equal(t, 1, second)
		require.Len(t, x.Attempts, 3)
		require.Equal(t, "not yet", x.Attempts[1].Error)
		require.Equal(t, 9*time.Minute, x.Attempts[2].StartedAt.Sub(began.UTC()), "3 and 6 minutes of waiting")
		require.Equal(t, "attempt", x.Attempts[2].Logs[0].Message)
		require.Equal(t, 1, x.Steps[0].Attempt)
		require.Equal(t, 3, x.Steps[1].Attempt)
		require.Empty(t, x.Error)
	})
}

func TestRetryEnds(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		err      error
		attempts int
		took     time.Duration
	}{
		"after the last attempt": {errors.New("no"), 3, 10 * time.Minute},
		"with a permanent error": {sluice.Permanent(errors.New("no")), 1, 0},
		"with a rejection":       {sluice.Reject(400, "no"), 1, 0},
		"with its own delay":     {sluice.RetryAfter(time.Hour, errors.New("no")), 3, 2 * time.Hour},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			flow := func(context.Context, *sluice.Run) (*sluice.Result, error) { return nil, test.err }
			integration := integrationOf(flow, func(f *sluice.Flow) {
				f.RetryConfig = &sluice.RetryConfig{MaxAttempts: 2, DelayMinutes: 5}
			})
			run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
				id := executionID(t, h.Post("Flow", `{}`))
				h.Drain()
				x := h.Execution(id)
				require.Equal(t, store.StatusFailed, x.Status)
				require.Equal(t, "no", x.Error)
				require.Len(t, x.Attempts, test.attempts)
				require.Equal(t, test.took, x.Attempts[test.attempts-1].StartedAt.Sub(x.Attempts[0].StartedAt))
			})
		})
	}
}

func TestSynchronousExecutionsAreNotRetried(t *testing.T) {
	t.Parallel()
	flow := func(context.Context, *sluice.Run) (*sluice.Result, error) { return nil, errors.New("no") }
	integration := integrationOf(flow, func(f *sluice.Flow) {
		f.RetryConfig = &sluice.RetryConfig{MaxAttempts: 2, DelayMinutes: 5}
	})
	run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		response := h.Post("Flow", `{}`, "prismatic-synchronous", "true")
		require.Equal(t, http.StatusBadRequest, response.StatusCode)
		require.Equal(t, store.StatusFailed, h.Execution(response.Header.Get("prismatic-executionid")).Status)
	})
}

func TestSteps(t *testing.T) {
	t.Parallel()
	step := func(ctx context.Context, name string, opts ...sluice.StepOption) error {
		_, err := sluice.Step(ctx, name, func(context.Context) (int, error) { return 1, nil }, opts...)
		return err
	}
	tests := map[string]struct {
		flow func(ctx context.Context) error
		want string
	}{
		"the same name twice": {func(ctx context.Context) error {
			return errors.Join(step(ctx, "a"), step(ctx, "a"))
		}, ""},
		"the same name and key": {func(ctx context.Context) error {
			return errors.Join(step(ctx, "a", sluice.WithKey("k")), step(ctx, "a", sluice.WithKey("k")))
		}, `step "a" "k": its key occurs twice`},
		"other keys": {func(ctx context.Context) error {
			return errors.Join(step(ctx, "a", sluice.WithKey("k")), step(ctx, "a", sluice.WithKey("l")), step(ctx, "a"))
		}, ""},
		"one inside another of its name": {func(ctx context.Context) error {
			_, err := sluice.Step(ctx, "a", func(ctx context.Context) (int, error) { return 1, step(ctx, "a") })
			return err
		}, ""},
		"two of a name at the same time": {func(ctx context.Context) error {
			_, err := sluice.Step(ctx, "a", func(context.Context) (int, error) { return 1, step(ctx, "a") })
			return err
		}, `step "a": sluice: two steps of one name at the same time`},
		"a result that is too big": {func(ctx context.Context) error {
			_, err := sluice.Step(ctx, "a", func(context.Context) ([]byte, error) { return make([]byte, 5_000_000), nil })
			return err
		}, `step "a": its result has 6666670 bytes: at most 6000000 can be recorded`},
		"an error config that is none": {func(ctx context.Context) error {
			return step(ctx, "a", sluice.WithErrorConfig(sluice.StepErrorConfig{}))
		}, `step "a": errorConfig.errorHandlerType`},
		"a time-out of nothing": {func(ctx context.Context) error { return step(ctx, "a", sluice.WithTimeout(0)) }, "it must be above 0"},
		"a loop's option":       {func(ctx context.Context) error { return step(ctx, "a", sluice.WithConcurrency(2)) }, "WithConcurrency is for ForEach"},
		"no name":               {func(ctx context.Context) error { return step(ctx, "") }, "a step needs a name"},
		"a result that JSON cannot hold": {func(ctx context.Context) error {
			_, err := sluice.Step(ctx, "a", func(context.Context) (func(), error) { return func() {}, nil })
			return err
		}, `step "a": its result cannot be recorded`},
		"another context": {func(context.Context) error {
			return step(t.Context(), "a")
		}, "the context is not that of a run"},
		"a panic": {func(ctx context.Context) error {
			_, err := sluice.Step(ctx, "a", func(context.Context) (int, error) { panic("boom") })
			return err
		}, "panic: boom"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			flow := func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) { return nil, test.flow(ctx) }
			run(t, integrationOf(flow), func(t *testing.T, h *sluicetest.Harness) {
				x := h.Execution(executionID(t, h.Post("Flow", `{}`)))
				if test.want == "" {
					require.Empty(t, x.Error)
					return
				}
				require.Contains(t, x.Error, test.want)
			})
		})
	}
}

// TestFailedStepKeepsItsKey: a loop around a step that fails first must not shift the keys
// of later steps of its name.
func TestNumbersOfStepsAndStateAreExact(t *testing.T) {
	t.Parallel()
	const id = "9007199254740993" // No float64 is this.
	flow := func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		step, err := sluice.Step(ctx, "step", func(context.Context) (any, error) { return run.Payload.Body.Data(), nil })
		if err != nil {
			return nil, err
		}
		if err := run.InstanceState().Set(ctx, "key", step); err != nil {
			return nil, err
		}
		state, _, err := sluice.GetState[any](ctx, run.InstanceState(), "key")
		return &sluice.Result{Data: []any{step, state}}, err
	}
	run(t, integrationOf(flow), func(t *testing.T, h *sluicetest.Harness) {
		answer := h.Post("Flow", `{"id":`+id+`}`)
		h.Drain()
		result := string(answer.Execution().RequireSucceeded().Result.Data)
		require.Equal(t, `[{"id":`+id+`},{"id":`+id+`}]`, result)
	})
}

// TestTimesBeyondTheCalendar are kept among those that can come.
func TestTimesBeyondTheCalendar(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		flow  sluice.ExecutionFunc
		after time.Duration
	}{
		"a retry": {func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
			if run.Attempt == 1 {
				return nil, sluice.RetryAfter(math.MaxInt64, errors.New("no"))
			}
			return nil, nil
		}, 24 * time.Hour},
		"a sleep": {func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
			return nil, sluice.Sleep(ctx, "long", math.MaxInt64)
		}, 100 * 365 * 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, integrationOf(test.flow, retried(1, 1)), func(t *testing.T, h *sluicetest.Harness) {
				answer := h.Post("Flow", `{}`)
				h.Advance(time.Second)
				require.Equal(t, store.StatusWaiting, answer.Execution().Status)
				require.WithinDuration(t, time.Now().Add(test.after), answer.Execution().Due, time.Minute)
				h.LeaveUnfinished()
			})
		})
	}
}

func TestFailedStepKeepsItsKey(t *testing.T) {
	t.Parallel()
	ran := map[int]int{}
	tries := 0
	flow := func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		for item := range 3 {
			for {
				_, err := sluice.Step(ctx, "item", func(context.Context) (int, error) {
					if tries++; tries == 2 {
						return 0, errors.New("flaky")
					}
					ran[item]++
					return item, nil
				})
				if err == nil {
					break
				}
			}
		}
		if run.Attempt == 1 {
			return nil, errors.New("again")
		}
		return nil, nil
	}
	integration := integrationOf(flow, func(f *sluice.Flow) { f.RetryConfig = &sluice.RetryConfig{MaxAttempts: 1, DelayMinutes: 1} })
	run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		id := executionID(t, h.Post("Flow", `{}`))
		h.Drain()
		require.Equal(t, store.StatusSucceeded, h.Execution(id).Status)
		require.Equal(t, map[int]int{0: 1, 1: 1, 2: 1}, ran)
	})
}

func TestDuplicates(t *testing.T) {
	t.Parallel()
	flow := func(context.Context, *sluice.Run) (*sluice.Result, error) { return nil, errors.New("no") }
	for name, change := range map[string]func(*sluice.Flow){
		"by a field of the body": func(f *sluice.Flow) {
			f.QueueConfig = sluice.StandardQueueConfig{DedupeIDField: "body.data.id"}
		},
		"by the trigger": func(f *sluice.Flow) {
			f.OnTrigger = func(_ context.Context, _ *sluice.Run, p *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
				id, _, err := p.Lookup(mustPath(t, "body.data.id"))
				return &sluice.TriggerResult{DedupeID: id}, err
			}
		},
	} {
		for _, mode := range []string{"true", "false"} {
			t.Run(name+", synchronous "+mode, func(t *testing.T) {
				t.Parallel()
				run(t, integrationOf(flow, change), func(t *testing.T, h *sluicetest.Harness) {
					post := func(body string) *sluicetest.Response { return h.Post("Flow", body, "prismatic-synchronous", mode) }
					id := post(`{"id":7}`).Header.Get("prismatic-executionid")
					again := post(`{"id":7}`)
					require.Equal(t, http.StatusOK, again.StatusCode)
					require.Equal(t, `{"executionId":"`+id+`","duplicate":true}`, again.Text)
					require.NotEqual(t, id, post(`{"id":8}`).Header.Get("prismatic-executionid"))
					require.NotEqual(t, post(`{}`).Header.Get("prismatic-executionid"), post(`{}`).Header.Get("prismatic-executionid"))
					h.Advance(10*time.Minute - time.Second)
					require.Equal(t, again.Text, post(`{"id":7}`).Text, "the window counts from the acceptance")
					h.Advance(time.Second)
					require.NotEqual(t, id, post(`{"id":7}`).Header.Get("prismatic-executionid"))
				})
			})
		}
	}
}

func mustPath(t *testing.T, path string) sluice.FieldPath {
	t.Helper()
	parsed, err := sluice.ParseFieldPath(path)
	require.NoError(t, err)
	return parsed
}

// TestQueueBeyondTheSlots: what finds no slot waits in the store and runs in order.
func TestQueueBeyondTheSlots(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var order []string
	flow := func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
		time.Sleep(time.Second) // Virtual.
		mu.Lock()
		defer mu.Unlock()
		order = append(order, run.ExecutionID)
		return nil, nil
	}
	options := runtime.Options{Integrations: []*sluice.Integration{integrationOf(flow)}, Concurrency: 2}
	sluicetest.RunOptions(t, sluicetest.Options{Runtime: options}, func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		began := time.Now()
		var accepted []string
		for range 20 {
			accepted = append(accepted, executionID(t, h.Post("Flow", `{}`)))
		}
		require.Equal(t, store.StatusQueued, h.Execution(accepted[19]).Status)
		require.Equal(t, store.StatusRunning, h.Execution(accepted[0]).Status)
		h.Drain()
		require.Equal(t, 10*time.Second, time.Since(began), "two at a time")
		require.ElementsMatch(t, accepted, order)
		for i := range order {
			require.InDelta(t, i, indexOf(accepted, order[i]), 1, "out of order")
		}
	})
}

func indexOf(list []string, item string) int {
	for i := range list {
		if list[i] == item {
			return i
		}
	}
	return -1
}

func TestStopLetsWorkEndAndRefusesMore(t *testing.T) {
	t.Parallel()
	flow := func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
		pass(ctx, 10*time.Second)
		return nil, context.Cause(ctx)
	}
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "stop.db")
		rt := open(t, path, integrationOf(flow))
		id := deliver(t, rt, http.StatusOK)
		instance, err := rt.Deploy(t.Context(), runtime.Deployment{})
		require.NoError(t, err)
		stopped := make(chan error)
		go func() { stopped <- rt.Stop(t.Context()) }()
		synctest.Wait()
		refused := httptest.NewRecorder()
		rt.Handler().ServeHTTP(refused, httptest.NewRequestWithContext(t.Context(), http.MethodPost, instance.WebhookURLs["Flow"], nil))
		require.Equal(t, http.StatusServiceUnavailable, refused.Code)
		require.NoError(t, <-stopped)
		rt = open(t, path, integrationOf(flow))
		require.Equal(t, store.StatusSucceeded, execution(t, rt, id).Status)
		require.NoError(t, rt.Stop(t.Context()))
	})
}

func TestStopInterruptsWorkThatRunsAgain(t *testing.T) {
	t.Parallel()
	runs, steps := 0, 0
	var cause error
	flow := func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
		if _, err := counter(ctx, &steps, "once"); err != nil {
			return nil, err
		}
		if runs++; runs > 1 {
			return nil, nil
		}
		<-ctx.Done()
		cause = context.Cause(ctx)
		return nil, ctx.Err()
	}
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "stop.db")
		rt := open(t, path, integrationOf(flow))
		id := deliver(t, rt, http.StatusOK)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.NoError(t, rt.Stop(ctx))
		require.ErrorIs(t, cause, sluice.ErrStopping)
		rt = open(t, path, integrationOf(flow))
		synctest.Wait()
		x := execution(t, rt, id)
		require.Equal(t, store.StatusSucceeded, x.Status)
		require.Len(t, x.Attempts, 1, "an interruption is no attempt")
		require.Equal(t, 1, steps, "a journalled step ran again")
		require.NoError(t, rt.Stop(t.Context()))
	})
}

// TestExecutionTimeout: the record says how long the execution took, whatever the flow returns.
func TestExecutionTimeout(t *testing.T) {
	t.Parallel()
	for want, result := range map[string]func(ctx context.Context) error{
		"the execution took longer than 15m0s":                            context.Cause,
		"the execution took longer than 15m0s: context deadline exceeded": context.Context.Err,
		"the execution took longer than 15m0s: no answer":                 func(context.Context) error { return errors.New("no answer") },
	} {
		flow := func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
			<-ctx.Done()
			return nil, result(ctx)
		}
		run(t, integrationOf(flow), func(t *testing.T, h *sluicetest.Harness) {
			id := executionID(t, h.Post("Flow", `{}`))
			h.Drain()
			require.Equal(t, want, h.Execution(id).Error)
		})
	}
}
