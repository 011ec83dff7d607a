package runtime_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/store"
	sluicetest "github.com/sluice-go/sluice/testing"
)

var (
	failing  = sluice.StepErrorConfig{ErrorHandlerType: sluice.ErrorHandlerFail}
	ignoring = sluice.StepErrorConfig{ErrorHandlerType: sluice.ErrorHandlerIgnore}
	retrying = sluice.StepErrorConfig{ErrorHandlerType: sluice.ErrorHandlerRetry, MaxAttempts: 3, DelaySeconds: 4}
)

func with(c sluice.StepErrorConfig, change func(*sluice.StepErrorConfig)) sluice.StepErrorConfig {
	change(&c)
	return c
}

// attempts runs a flow in which nothing waits but what is tested, and returns its record.
func attempts(t *testing.T, execute sluice.ExecutionFunc, change ...func(*sluice.Flow)) (x *sluicetest.Execution, took time.Duration) {
	t.Helper()
	run(t, integrationOf(execute, change...), func(t *testing.T, h *sluicetest.Harness) {
		id := executionID(t, h.Post("Flow", `{}`))
		h.Drain()
		x = h.Execution(id)
	})
	last := x.Attempts[len(x.Attempts)-1]
	return x, last.EndedAt.Sub(last.StartedAt)
}

// TestStepErrors: what becomes of a step that always fails, and of its execution.
func TestStepErrors(t *testing.T) {
	t.Parallel()
	plain := errors.New("no")
	tests := map[string]struct {
		config sluice.StepErrorConfig
		err    error
		tries  int
		took   time.Duration
		fails  bool
	}{
		"fail":                       {failing, plain, 1, 0, true},
		"ignore":                     {ignoring, plain, 1, 0, false},
		"retry":                      {retrying, plain, 4, 12 * time.Second, true},
		"retry with backoff":         {with(retrying, func(c *sluice.StepErrorConfig) { c.UsesExponentialBackoff = true }), plain, 4, 28 * time.Second, true},
		"retry, ignoring the last":   {with(retrying, func(c *sluice.StepErrorConfig) { c.IgnoreFinalError = true }), plain, 4, 12 * time.Second, false},
		"retry of a permanent error": {retrying, sluice.Permanent(plain), 1, 0, true},
		"retry with its own delay":   {retrying, sluice.RetryAfter(30*time.Second, plain), 4, 90 * time.Second, true},
		"retry after too long":       {retrying, sluice.RetryAfter(time.Hour, plain), 4, 3 * time.Minute, true},
		"ignore of a permanent one":  {ignoring, sluice.Permanent(plain), 1, 0, false},
		"ignore of a rejection":      {ignoring, sluice.Reject(400, "no"), 1, 0, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for place, change := range map[string]func(*sluice.Flow) sluice.StepOption{
				"of the step": func(*sluice.Flow) sluice.StepOption { return sluice.WithErrorConfig(test.config) },
				"of the flow": func(f *sluice.Flow) sluice.StepOption { f.ErrorConfig = &test.config; return sluice.WithKey("k") },
			} {
				tries := 0
				var option sluice.StepOption
				x, took := attempts(t, func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
					got, err := sluice.Step(ctx, "step", func(context.Context) (int, error) {
						tries++
						return 7, test.err
					}, option)
					require.Zero(t, got, place)
					return nil, err
				}, func(f *sluice.Flow) { option = change(f) })
				require.Equal(t, test.tries, tries, place)
				require.Equal(t, test.took, took, place)
				if test.fails {
					require.Equal(t, store.StatusFailed, x.Status, place)
					require.Equal(t, "no", x.Error, place)
					require.Empty(t, x.Steps, place)
					continue
				}
				require.Equal(t, store.StatusSucceeded, x.Status, place)
				require.Equal(t, "no", x.Steps[0].Error, place)
				require.Empty(t, x.Steps[0].Result, place)
			}
		})
	}
}

// TestIgnoredStepStaysIgnored: a later attempt sees what the first one saw.
func TestIgnoredStepStaysIgnored(t *testing.T) {
	t.Parallel()
	ran := 0
	x, _ := attempts(t, func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		got, err := sluice.Step(ctx, "flaky", func(context.Context) (string, error) {
			if ran++; ran == 1 {
				return "", errors.New("down")
			}
			return "up", nil
		}, sluice.WithErrorConfig(ignoring))
		require.NoError(t, err)
		require.Empty(t, got)
		if run.Attempt == 1 {
			return nil, errors.New("again")
		}
		return nil, nil
	}, func(f *sluice.Flow) { f.RetryConfig = &sluice.RetryConfig{MaxAttempts: 1, DelayMinutes: 1} })
	require.Equal(t, store.StatusSucceeded, x.Status)
	require.Equal(t, 1, ran)
}

// TestFlowErrors: what becomes of an error of the flow itself, and of one that a step has
// come to with a config of its own.
func TestFlowErrors(t *testing.T) {
	t.Parallel()
	plain := errors.New("no")
	tests := map[string]struct {
		flow  sluice.StepErrorConfig
		step  *sluice.StepErrorConfig // of a step that fails; nil has the flow fail beside it
		err   error
		tries int
		fails bool
	}{
		"fail":                      {failing, nil, plain, 1, true},
		"ignore":                    {ignoring, nil, plain, 1, false},
		"retry":                     {retrying, nil, plain, 4, true},
		"retry of a permanent one":  {retrying, nil, sluice.Permanent(plain), 1, true},
		"ignore of a rejection":     {ignoring, nil, sluice.Reject(400, "no"), 1, true},
		"retry of a failing step":   {retrying, &failing, plain, 1, true},
		"ignore of a failing step":  {ignoring, &failing, plain, 1, true},
		"ignore of a retrying step": {ignoring, &retrying, plain, 1, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runs, steps := 0, 0
			x, _ := attempts(t, func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
				runs++
				if _, err := counter(ctx, &steps, "once"); err != nil {
					return nil, err
				}
				if test.step == nil {
					return &sluice.Result{Data: "lost"}, test.err
				}
				return sluice.Step(ctx, "fails", func(context.Context) (*sluice.Result, error) { return nil, test.err },
					sluice.WithErrorConfig(*test.step))
			}, func(f *sluice.Flow) { f.ErrorConfig = &test.flow })
			require.Equal(t, test.tries, runs)
			require.Equal(t, 1, steps, "a journalled step ran again")
			require.Len(t, x.Attempts, 1)
			require.Equal(t, "no", x.Error)
			if test.fails {
				require.Equal(t, store.StatusFailed, x.Status)
				return
			}
			require.Equal(t, store.StatusSucceeded, x.Status)
			require.Equal(t, "null", string(x.Result.Data))
			require.Equal(t, "failed, which is ignored", x.Attempts[0].Logs[0].Message)
		})
	}
}

// TestTriggerErrors: the flow's ErrorConfig has the trigger of a schedule tried again, never
// that of a request, and turns no error into an execution.
func TestTriggerErrors(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		config       sluice.StepErrorConfig
		tries        int // of a trigger that succeeds at the third
		succeeds     bool
		fromSchedule bool
	}{
		"retry, of a schedule": {retrying, 3, true, true},
		"ignore":               {ignoring, 1, false, true},
		"retry, ignoring the last": {with(retrying, func(c *sluice.StepErrorConfig) {
			c.MaxAttempts, c.IgnoreFinalError = 1, true
		}), 2, false, true},
		"retry, of a request":  {retrying, 1, false, false},
		"ignore, of a request": {ignoring, 1, false, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tries := 0
			integration := integrationOf(func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
				n, _, err := sluice.GetState[int](ctx, run.InstanceState(), "n")
				return &sluice.Result{Data: n}, err
			}, func(f *sluice.Flow) {
				f.ErrorConfig = &test.config
				f.OnTrigger = func(ctx context.Context, run *sluice.Run, _ *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
					if tries++; tries < 3 {
						return nil, errors.Join(run.InstanceState().Increment(ctx, "n", 1), errors.New("no"))
					}
					return nil, run.InstanceState().Increment(ctx, "n", 10)
				}
				if test.fromSchedule {
					f.Schedule = &sluice.Schedule{Value: "0 * * * *"}
				}
			})
			run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
				if test.fromSchedule {
					h.Advance(time.Hour + time.Minute)
				} else {
					require.Equal(t, http.StatusBadRequest, h.Post("Flow", `{}`).StatusCode)
				}
				h.Drain()
				require.Equal(t, test.tries, tries)
				require.Len(t, h.Executions(), 1)
				x := h.Executions()[0]
				if !test.succeeds {
					require.Equal(t, store.StatusFailed, x.Status)
					require.Equal(t, "no", x.Error)
					return
				}
				require.Equal(t, store.StatusSucceeded, x.Status)
				require.Equal(t, "10", string(x.Result.Data), "the state of tries that failed is dropped")
			})
		})
	}
}

// TestStepErrorTellsTheStep: the text is the author's, the name stands beside it.
func TestRetriesOfNestedStepsDoNotMultiply(t *testing.T) {
	t.Parallel()
	outer, inner := 0, 0
	x, took := attempts(t, func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
		return sluice.Step(ctx, "outer", func(ctx context.Context) (*sluice.Result, error) {
			outer++
			return sluice.Step(ctx, "inner", func(context.Context) (*sluice.Result, error) {
				inner++
				return nil, errors.New("no")
			})
		})
	}, func(f *sluice.Flow) { f.ErrorConfig = &retrying })
	require.Equal(t, store.StatusFailed, x.Status)
	require.Equal(t, 1, outer)
	require.Equal(t, 4, inner)
	require.Equal(t, 12*time.Second, took)
}

func TestStepErrorTellsTheStep(t *testing.T) {
	t.Parallel()
	cause := errors.New("no")
	attempts(t, func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
		_, err := sluice.Step(ctx, "pay", func(context.Context) (int, error) { return 0, cause })
		require.ErrorIs(t, err, cause)
		failed, ok := errors.AsType[*sluice.StepError](err)
		require.True(t, ok)
		require.Equal(t, "pay", failed.Name)
		return nil, nil
	})
}

// TestEndedContextIsNotIgnored: a step that was interrupted is no failed one.
func TestEndedContextIsNotIgnored(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]sluice.StepErrorConfig{"ignore": ignoring, "retry": retrying} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tries := 0
			x, took := attempts(t, func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
				limited, cancel := context.WithTimeout(ctx, time.Second)
				defer cancel()
				_, err := sluice.Step(limited, "step", func(ctx context.Context) (int, error) {
					tries++
					<-ctx.Done()
					return 0, ctx.Err()
				})
				require.ErrorIs(t, err, context.DeadlineExceeded)
				return nil, nil
			}, func(f *sluice.Flow) { f.ErrorConfig = &config })
			require.Equal(t, 1, tries)
			require.Equal(t, time.Second, took)
			require.Empty(t, x.Steps)
		})
	}
}

func TestStepTimeout(t *testing.T) {
	t.Parallel()
	t.Run("is heeded, and tried again", func(t *testing.T) {
		t.Parallel()
		tries := 0
		x, took := attempts(t, func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
			_, err := sluice.Step(ctx, "slow", func(ctx context.Context) (int, error) {
				tries++
				<-ctx.Done()
				require.EqualError(t, context.Cause(ctx), `step "slow" took longer than 5s`)
				return 0, ctx.Err()
			}, sluice.WithTimeout(5*time.Second), sluice.WithErrorConfig(retrying))
			return nil, err
		})
		require.Equal(t, 4, tries)
		require.Equal(t, 32*time.Second, took)
		require.Equal(t, `step "slow" took longer than 5s: context deadline exceeded`, x.Error)
	})
	t.Run("is told once, where the code tells it too", func(t *testing.T) {
		t.Parallel()
		x, _ := attempts(t, func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
			_, err := sluice.Step(ctx, "slow", func(ctx context.Context) (int, error) {
				<-ctx.Done()
				return 0, context.Cause(ctx)
			}, sluice.WithTimeout(5*time.Second))
			return nil, err
		})
		require.Equal(t, `step "slow" took longer than 5s`, x.Error)
	})
	t.Run("is ignored, and not waited for", func(t *testing.T) {
		t.Parallel()
		tries := 0
		flow := func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
			_, err := sluice.Step(ctx, "deaf", func(context.Context) (int, error) {
				tries++
				time.Sleep(time.Hour) // Virtual.
				return 0, nil
			}, sluice.WithTimeout(5*time.Second), sluice.WithErrorConfig(retrying))
			return nil, err
		}
		run(t, integrationOf(flow), func(t *testing.T, h *sluicetest.Harness) {
			id := executionID(t, h.Post("Flow", `{}`))
			h.Drain()
			x := h.Execution(id)
			require.Contains(t, x.Error, `step "deaf" took longer than 5s`)
			require.Equal(t, 6*time.Second, x.Attempts[0].EndedAt.Sub(x.Attempts[0].StartedAt))
			h.Advance(time.Hour)
			require.Equal(t, 1, tries)
			require.Empty(t, h.Execution(id).Steps)
		})
	})
	t.Run("is not reached", func(t *testing.T) {
		t.Parallel()
		x, _ := attempts(t, func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
			got, err := sluice.Step(ctx, "fast", func(context.Context) (int, error) { return 7, nil }, sluice.WithTimeout(time.Second))
			return &sluice.Result{Data: got}, err
		})
		require.Equal(t, "7", string(x.Result.Data))
	})
	t.Run("in code that panics", func(t *testing.T) {
		t.Parallel()
		x, _ := attempts(t, func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
			_, err := sluice.Step(ctx, "bad", func(context.Context) (int, error) { panic("boom") }, sluice.WithTimeout(time.Second))
			return nil, err
		})
		require.Equal(t, "panic: boom", x.Error)
	})
}

// TestChangedCode: an execution that comes back to other code than it left runs to its end,
// with the results that still have a name.
func TestChangedCode(t *testing.T) {
	t.Parallel()
	ran := map[string]int{}
	step := func(ctx context.Context, name string) (int, error) {
		return sluice.Step(ctx, name, func(context.Context) (int, error) {
			ran[name]++
			return len(ran), nil
		})
	}
	code := [][]string{
		{"a", "b", "c", "d"},       // Attempt 1.
		{"d", "renamed", "a", "d"}, // b and c are gone, d came forward and is there twice.
		{"d", "renamed", "a", "d"},
	}
	x, _ := attempts(t, func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		results := map[string]int{}
		for _, name := range code[run.Attempt-1] {
			got, err := step(ctx, name)
			if err != nil {
				return nil, err
			}
			results[name] = got
		}
		if run.Attempt < len(code) {
			return nil, errors.New("again")
		}
		return &sluice.Result{Data: results}, nil
	}, func(f *sluice.Flow) { f.RetryConfig = &sluice.RetryConfig{MaxAttempts: 3} })
	require.Equal(t, store.StatusSucceeded, x.Status)
	require.Equal(t, map[string]int{"a": 1, "b": 1, "c": 1, "d": 2, "renamed": 1}, ran)
	require.JSONEq(t, `{"a":1,"d":5,"renamed":5}`, string(x.Result.Data))
}

// TestChangedType: a result that does not fit the code any more ends the execution, at once.
func TestChangedType(t *testing.T) {
	t.Parallel()
	x, _ := attempts(t, func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		if run.Attempt == 1 {
			_, err := sluice.Step(ctx, "a", func(context.Context) (string, error) { return "text", nil })
			return nil, errors.Join(err, errors.New("again"))
		}
		_, err := sluice.Step(ctx, "a", func(context.Context) (int, error) { return 1, nil })
		return nil, err
	}, func(f *sluice.Flow) { f.RetryConfig = &sluice.RetryConfig{MaxAttempts: 5} })
	require.Len(t, x.Attempts, 2)
	require.Contains(t, x.Error, `step "a": its recorded result does not fit int:`)
}

// TestNestedStepsAreCountedApart: what happens inside a step shifts no other one, whether it
// runs or is on record.
func TestNestedStepsAreCountedApart(t *testing.T) {
	t.Parallel()
	tell := func(ctx context.Context, what string) (string, error) {
		return sluice.Step(ctx, "tell", func(context.Context) (string, error) { return what, nil })
	}
	x, _ := attempts(t, func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		inside, err := sluice.Step(ctx, "outer", func(ctx context.Context) (string, error) { return tell(ctx, "inside") })
		if err != nil {
			return nil, err
		}
		beside, err := tell(ctx, "beside")
		if err == nil && run.Attempt == 1 {
			err = errors.New("again")
		}
		return &sluice.Result{Data: inside + ", " + beside}, err
	}, func(f *sluice.Flow) { f.RetryConfig = &sluice.RetryConfig{MaxAttempts: 1} })
	require.Equal(t, `"inside, beside"`, string(x.Result.Data))
}

// TestTriesOfAStepKeepTheStepsInIt: a retry goes on where the try before it came to.
func TestTriesOfAStepKeepTheStepsInIt(t *testing.T) {
	t.Parallel()
	inner, outer := 0, 0
	attempts(t, func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
		return sluice.Step(ctx, "outer", func(ctx context.Context) (*sluice.Result, error) {
			if _, err := counter(ctx, &inner, "inner"); err != nil {
				return nil, err
			}
			if outer++; outer < 3 {
				return nil, errors.New("again")
			}
			return nil, nil
		}, sluice.WithErrorConfig(retrying))
	})
	require.Equal(t, 3, outer)
	require.Equal(t, 1, inner)
}

// TestStopDuringRetriesOfAStep: the execution is left to the next start at once.
func TestStopDuringRetriesOfAStep(t *testing.T) {
	t.Parallel()
	down, tries := true, 0
	flow := func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
		return sluice.Step(ctx, "step", func(context.Context) (*sluice.Result, error) {
			if tries++; down {
				return nil, errors.New("down")
			}
			return nil, nil
		}, sluice.WithErrorConfig(with(retrying, func(c *sluice.StepErrorConfig) { c.DelaySeconds = 60 })))
	}
	synctest.Test(t, func(t *testing.T) {
		path := t.TempDir() + "/stop.db"
		rt := open(t, path, integrationOf(flow))
		id := deliver(t, rt, 200)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.NoError(t, rt.Stop(ctx))
		require.Equal(t, 1, tries)
		down = false
		rt = open(t, path, integrationOf(flow))
		synctest.Wait()
		require.Equal(t, store.StatusSucceeded, execution(t, rt, id).Status)
		require.Equal(t, 2, tries)
		require.NoError(t, rt.Stop(t.Context()))
	})
}
