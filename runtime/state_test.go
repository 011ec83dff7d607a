package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	"github.com/sluice-go/sluice/store/sqlite"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// stateRun drives an integration with a default instance, beside its store.
func stateRun(
	t *testing.T, integration *sluice.Integration, change func(*runtime.Options), test func(t *testing.T, h *sluicetest.Harness, db store.Store),
) {
	t.Helper()
	options := runtime.Options{Integrations: []*sluice.Integration{integration}}
	if change != nil {
		change(&options)
	}
	sluicetest.RunOptions(t, sluicetest.Options{Runtime: options}, func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		test(t, h, h.Store)
	})
}

// crossFlow is what the instance of an execution keeps for all its flows, as text: empty if
// there is no such key.
func crossFlow(t *testing.T, db store.Store, x *sluicetest.Execution, key string) string {
	t.Helper()
	return valueOf(t, db, store.Scope{Kind: store.ScopeInstance, ID: x.Instance}, key)
}

func valueOf(t *testing.T, db store.Store, scope store.Scope, key string) string {
	t.Helper()
	value, err := db.State(t.Context(), scope, key)
	if errors.Is(err, store.ErrNotFound) {
		return ""
	}
	require.NoError(t, err)
	return string(value)
}

// TestStateOperations: each reads back what it did, in the run and after it.
func TestStateOperations(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		do   func(ctx context.Context, s *sluice.State) error
		want string
	}{
		"set":       {func(ctx context.Context, s *sluice.State) error { return s.Set(ctx, "k", "<v>") }, `"<v>"`},
		"set null":  {func(ctx context.Context, s *sluice.State) error { return s.Set(ctx, "k", nil) }, `null`},
		"delete":    {func(ctx context.Context, s *sluice.State) error { return s.Delete(ctx, "was") }, ``},
		"merge":     {func(ctx context.Context, s *sluice.State) error { return s.Merge(ctx, map[string]any{"j": 1, "k": 2}) }, `2`},
		"increment": {func(ctx context.Context, s *sluice.State) error { return s.Increment(ctx, "k", 3) }, `3`},
		"increment what was": {func(ctx context.Context, s *sluice.State) error {
			return errors.Join(s.Set(ctx, "k", 1.5), s.Increment(ctx, "k", -3))
		}, `-1.5`},
		"append": {func(ctx context.Context, s *sluice.State) error {
			return errors.Join(s.Append(ctx, "k", 1, "a"), s.Append(ctx, "k"), s.Append(ctx, "k", []int{2}))
		}, `[1,"a",[2]]`},
		"remove": {func(ctx context.Context, s *sluice.State) error {
			return errors.Join(s.Set(ctx, "k", []int{1, 2, 1, 3}), s.Remove(ctx, "k", 1, 9))
		}, `[2,3]`},
		"compare and set": {func(ctx context.Context, s *sluice.State) error {
			return errors.Join(s.CompareAndSet(ctx, "k", nil, 1), s.CompareAndSet(ctx, "k", 1, 2))
		}, `2`},
		"compare what is missing, and set": {func(ctx context.Context, s *sluice.State) error {
			type lock struct{ Owner string }
			held, _, err := sluice.GetState[*lock](ctx, s, "k")
			return errors.Join(err, s.CompareAndSet(ctx, "k", held, lock{"me"}))
		}, `{"Owner":"me"}`},
		"compare null and set": {func(ctx context.Context, s *sluice.State) error {
			return errors.Join(s.Set(ctx, "k", nil), s.CompareAndSet(ctx, "k", nil, 1))
		}, `1`},
		"the last one wins": {func(ctx context.Context, s *sluice.State) error {
			return errors.Join(s.Set(ctx, "k", 1), s.Delete(ctx, "k"), s.Set(ctx, "k", 3))
		}, `3`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			flow := func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
				s := run.CrossFlowState()
				if err := test.do(ctx, s); err != nil {
					return nil, err
				}
				value, ok, err := sluice.GetState[any](ctx, s, "k")
				require.NoError(t, err)
				require.Equal(t, test.want != "", ok)
				keys, err := s.Keys(ctx)
				require.NoError(t, err)
				require.Equal(t, ok, len(keys) > 0 && keys[len(keys)-1] == "k")
				return &sluice.Result{Data: value}, nil
			}
			stateRun(t, integrationOf(flow), nil, func(t *testing.T, h *sluicetest.Harness, db store.Store) {
				x := h.Execution(executionID(t, h.Post("Flow", `{}`)))
				require.Empty(t, x.Error)
				require.Equal(t, test.want, crossFlow(t, db, x, "k"))
				if test.want != "" {
					require.JSONEq(t, test.want, string(x.Result.Data))
				}
			})
		})
	}
}

// TestStateScopes: who shares what.
func TestStateScopes(t *testing.T) {
	t.Parallel()
	flow := func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		counts := map[string]int{}
		for name, s := range map[string]*sluice.State{
			"flow": run.InstanceState(), "instance": run.CrossFlowState(), "integration": run.IntegrationState(), "execution": run.ExecutionState(),
		} {
			if err := s.Increment(ctx, "n", 1); err != nil {
				return nil, err
			}
			n, _, err := sluice.GetState[int](ctx, s, "n")
			if err != nil {
				return nil, err
			}
			counts[name] = n
		}
		return &sluice.Result{Data: counts}, nil
	}
	integration := integrationOf(flow, synchronous)
	integration.Flows = append(integration.Flows, integration.Flows[0])
	integration.Flows[1].Name, integration.Flows[1].StableKey = "Other", "other"
	sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		for _, call := range []struct{ instance, flow, want string }{
			{"a", "Flow", `{"flow":1,"instance":1,"integration":1,"execution":1}`},
			{"a", "Flow", `{"flow":2,"instance":2,"integration":2,"execution":1}`},
			{"a", "Other", `{"flow":1,"instance":3,"integration":3,"execution":1}`},
			{"b", "Flow", `{"flow":1,"instance":1,"integration":4,"execution":1}`},
		} {
			h.Deploy(runtime.Deployment{Name: call.instance})
			require.JSONEq(t, call.want, h.Post(call.flow, `{}`).Text)
		}
	})
}

// TestStateOfFailedRuns: what is saved of runs that fail, and how often. The flow counts, as
// the test says, and fails until its last attempt.
func TestStateOfFailedRuns(t *testing.T) {
	t.Parallel()
	inc := func(ctx context.Context, run *sluice.Run) error { return run.CrossFlowState().Increment(ctx, "n", 1) }
	step := func(ctx context.Context, name string, do ...func(ctx context.Context) error) error {
		_, err := sluice.Step(ctx, name, func(ctx context.Context) (int, error) {
			for _, f := range do {
				if err := f(ctx); err != nil {
					return 0, err
				}
			}
			return 0, nil
		})
		return err
	}
	tests := map[string]struct {
		flow          func(ctx context.Context, run *sluice.Run) error
		failed, ended string // after three failed attempts, and after the last
	}{
		"beside steps": {inc, "", "1"},
		"in a step": {func(ctx context.Context, run *sluice.Run) error {
			return step(ctx, "a", func(ctx context.Context) error { return inc(ctx, run) })
		}, "", "1"},
		"in two steps": {func(ctx context.Context, run *sluice.Run) error {
			both := func(ctx context.Context) error { return inc(ctx, run) }
			return errors.Join(step(ctx, "a", both), step(ctx, "b", both))
		}, "", "2"},
		"in inner ones": {func(ctx context.Context, run *sluice.Run) error {
			return step(ctx, "a", func(ctx context.Context) error { return inc(ctx, run) }, func(ctx context.Context) error {
				return step(ctx, "b", func(ctx context.Context) error { return inc(ctx, run) })
			})
		}, "", "2"},
		"in an inner step, the outer failing at first": {func(ctx context.Context, run *sluice.Run) error {
			return step(ctx, "a", func(ctx context.Context) error {
				return step(ctx, "b", func(ctx context.Context) error { return inc(ctx, run) })
			}, func(context.Context) error {
				if run.Attempt == 1 {
					return errors.New("no")
				}
				return nil
			})
		}, "", "1"},
		"in a step that fails": {func(ctx context.Context, run *sluice.Run) error {
			_ = step(ctx, "a", func(ctx context.Context) error { return inc(ctx, run) }, func(context.Context) error { return errors.New("no") })
			return nil
		}, "", ""},
		"before a checkpoint": {func(ctx context.Context, run *sluice.Run) error {
			return errors.Join(inc(ctx, run), run.Checkpoint(ctx))
		}, "1", "1"},
		"on both sides of a checkpoint": {func(ctx context.Context, run *sluice.Run) error {
			return errors.Join(inc(ctx, run), run.Checkpoint(ctx), inc(ctx, run))
		}, "1", "2"},
		"before two checkpoints": {func(ctx context.Context, run *sluice.Run) error {
			return errors.Join(inc(ctx, run), run.Checkpoint(ctx), inc(ctx, run), run.Checkpoint(ctx))
		}, "2", "2"},
		"in a step before a checkpoint": {func(ctx context.Context, run *sluice.Run) error {
			return errors.Join(step(ctx, "a", func(ctx context.Context) error { return inc(ctx, run) }), run.Checkpoint(ctx))
		}, "1", "1"},
		"in a step that comes before a checkpoint later": {func(ctx context.Context, run *sluice.Run) error {
			counts := func(ctx context.Context) error {
				return step(ctx, "a", func(ctx context.Context) error { return inc(ctx, run) })
			}
			if run.Attempt == 1 {
				return errors.Join(run.Checkpoint(ctx), counts(ctx))
			}
			return errors.Join(counts(ctx), run.Checkpoint(ctx))
		}, "1", "1"},
		"set otherwise before a checkpoint": {func(ctx context.Context, run *sluice.Run) error {
			return errors.Join(run.CrossFlowState().Set(ctx, "n", run.Attempt), run.Checkpoint(ctx))
		}, "3", "4"},
		"set in turn before a checkpoint": {func(ctx context.Context, run *sluice.Run) error {
			return errors.Join(run.CrossFlowState().Set(ctx, "n", run.Attempt%2), run.Checkpoint(ctx))
		}, "1", "0"},
		"set to what comes next before two checkpoints": {func(ctx context.Context, run *sluice.Run) error {
			next := func() error {
				n, _, err := sluice.GetState[int](ctx, run.CrossFlowState(), "n")
				return errors.Join(err, run.CrossFlowState().Set(ctx, "n", n+1), run.Checkpoint(ctx))
			}
			return errors.Join(next(), next())
		}, "6", "8"},
		"once more with each attempt before a checkpoint": {func(ctx context.Context, run *sluice.Run) (err error) {
			for range run.Attempt {
				err = errors.Join(err, inc(ctx, run))
			}
			return errors.Join(err, run.Checkpoint(ctx))
		}, "3", "4"},
		"before a checkpoint, beside what changes": {func(ctx context.Context, run *sluice.Run) error {
			return errors.Join(inc(ctx, run), run.CrossFlowState().SaveCurrentTime(ctx, "at"), run.Checkpoint(ctx))
		}, "1", "1"},
		"never any more before a checkpoint": {func(ctx context.Context, run *sluice.Run) error {
			if run.Attempt > 1 {
				return run.Checkpoint(ctx)
			}
			return errors.Join(inc(ctx, run), run.Checkpoint(ctx))
		}, "1", "1"},
		"compared before a checkpoint": {func(ctx context.Context, run *sluice.Run) error {
			return errors.Join(run.CrossFlowState().CompareAndSet(ctx, "n", nil, 1), run.Checkpoint(ctx))
		}, "1", "1"},
		"compared twice before a checkpoint, then set otherwise": {func(ctx context.Context, run *sluice.Run) error {
			s := run.CrossFlowState()
			return errors.Join(s.CompareAndSet(ctx, "n", nil, 1), s.CompareAndSet(ctx, "n", 1, 2), s.Set(ctx, "n", run.Attempt+10), run.Checkpoint(ctx))
		}, "13", "14"},
		"in items of a loop": {func(ctx context.Context, run *sluice.Run) error {
			_, err := sluice.ForEach(ctx, "items", []int{1, 2, 3, 4}, func(ctx context.Context, item, _ int) (int, error) {
				if item == run.Attempt+1 {
					return 0, errors.New("no")
				}
				return item, inc(ctx, run)
			}, sluice.WithConcurrency(2))
			return err
		}, "", "4"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			flow := func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
				err := test.flow(ctx, run)
				if run.Attempt < 4 {
					err = errors.Join(err, errors.New("again"))
				}
				return nil, err
			}
			integration := integrationOf(flow, func(f *sluice.Flow) { f.RetryConfig = &sluice.RetryConfig{MaxAttempts: 3, DelayMinutes: 1} })
			stateRun(t, integration, nil, func(t *testing.T, h *sluicetest.Harness, db store.Store) {
				id := executionID(t, h.Post("Flow", `{}`))
				h.Advance(2*time.Minute + 30*time.Second)
				x := h.Execution(id)
				require.Len(t, x.Attempts, 3)
				require.Equal(t, test.failed, crossFlow(t, db, x, "n"))
				h.Drain()
				require.Empty(t, h.Execution(id).Error)
				require.Equal(t, test.ended, crossFlow(t, db, x, "n"))
			})
		})
	}
}

// bareStore keeps no changes in its records of checkpoints, as earlier versions did.
type bareStore struct{ store.Store }

func (b *bareStore) RecordStep(ctx context.Context, claim *store.Claim, step *store.Step) error {
	if step.Name == "checkpoint" {
		bare := *step
		bare.Result = []byte("{}")
		step = &bare
	}
	return b.Store.RecordStep(ctx, claim, step)
}

// TestCheckpointsOnRecordWithoutTheirChanges commit nothing again.
func TestCheckpointsOnRecordWithoutTheirChanges(t *testing.T) {
	t.Parallel()
	flow := func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		err := errors.Join(run.CrossFlowState().Increment(ctx, "n", int64(run.Attempt)), run.Checkpoint(ctx))
		if run.Attempt < 3 {
			err = errors.Join(err, errors.New("again"))
		}
		return nil, err
	}
	integration := integrationOf(flow, func(f *sluice.Flow) { f.RetryConfig = &sluice.RetryConfig{MaxAttempts: 2, DelayMinutes: 1} })
	path := filepath.Join(t.TempDir(), "sluice.db")
	sluicetest.RunOptions(t, sluicetest.Options{
		Runtime: runtime.Options{Integrations: []*sluice.Integration{integration}},
		OpenStore: func(ctx context.Context) (store.Store, error) {
			db, err := sqlite.Open(ctx, path)
			return &bareStore{db}, err
		},
	}, func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		id := executionID(t, h.Post("Flow", `{}`))
		h.Drain()
		require.Empty(t, h.Execution(id).Error)
		require.Equal(t, "1", crossFlow(t, h.Store, h.Execution(id), "n"))
	})
}

// TestStateOfTriesOfTheFlow: a try that failed leaves no change behind.
func TestStateOfTriesOfTheFlow(t *testing.T) {
	t.Parallel()
	tries := 0
	flow := func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		tries++
		if err := run.CrossFlowState().Append(ctx, "tries", tries); err != nil {
			return nil, err
		}
		if tries < 3 {
			return nil, errors.New("no")
		}
		return nil, nil
	}
	stateRun(t, integrationOf(flow, func(f *sluice.Flow) { f.ErrorConfig = &retrying }), nil, func(t *testing.T, h *sluicetest.Harness, db store.Store) {
		id := executionID(t, h.Post("Flow", `{}`))
		h.Drain()
		require.Equal(t, "[3]", crossFlow(t, db, h.Execution(id), "tries"))
	})
}

// TestStateOfTriggers: it is committed with the execution, seen by the flow before that, and
// dropped with a request that is refused or a duplicate.
func TestStateOfTriggers(t *testing.T) {
	t.Parallel()
	for name, sync := range map[string]string{"asynchronous": "false", "synchronous": "true"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			flow := func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
				for scope, s := range map[string]*sluice.State{"instance": run.CrossFlowState(), "execution": run.ExecutionState()} {
					n, _, err := sluice.GetState[int](ctx, s, "n")
					require.NoError(t, err)
					require.NotZero(t, n, scope)
				}
				return nil, run.CrossFlowState().Increment(ctx, "n", 10)
			}
			integration := integrationOf(flow, func(f *sluice.Flow) {
				f.OnTrigger = func(ctx context.Context, run *sluice.Run, p *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
					require.NoError(t, run.CrossFlowState().Increment(ctx, "n", 1))
					require.NoError(t, run.ExecutionState().Set(ctx, "n", 1))
					require.ErrorIs(t, run.Checkpoint(ctx), sluice.ErrNotAccepted)
					id, _, err := p.Lookup(mustPath(t, "body.data.id"))
					if id == "refused" {
						return nil, errors.New("no")
					}
					return &sluice.TriggerResult{DedupeID: id}, err
				}
			})
			unrecorded := func(o *runtime.Options) { o.Recording = runtime.RecordNone }
			stateRun(t, integration, unrecorded, func(t *testing.T, h *sluicetest.Harness, db store.Store) {
				require.Equal(t, http.StatusBadRequest, h.Post("Flow", `{"id":"refused"}`, "prismatic-synchronous", sync).StatusCode)
				for range 2 {
					require.Equal(t, http.StatusOK, h.Post("Flow", `{"id":"7"}`, "prismatic-synchronous", sync).StatusCode)
				}
				h.Drain()
				for _, x := range h.Executions() {
					require.Contains(t, []string{"", "no"}, x.Error)
					require.Equal(t, "11", crossFlow(t, db, x, "n"))
					keys, err := db.StateKeys(t.Context(), store.Scope{Kind: store.ScopeExecution, ID: x.ID})
					require.NoError(t, err)
					require.Empty(t, keys, "state of an execution that is over")
				}
			})
		})
	}
}

// TestExecutionStateOutlivesAttempts, by checkpoints, and ends with the execution.
func TestExecutionStateOutlivesAttempts(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{"succeeded": nil, "failed": sluice.Permanent(errors.New("no"))} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			flow := func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
				s := run.ExecutionState()
				if run.Attempt == 1 {
					return nil, errors.Join(s.Set(ctx, "cursor", 7), run.Checkpoint(ctx), errors.New("again"))
				}
				cursor, _, readErr := sluice.GetState[int](ctx, s, "cursor")
				require.NoError(t, readErr)
				require.Equal(t, 7, cursor)
				return nil, err
			}
			integration := integrationOf(flow, func(f *sluice.Flow) { f.RetryConfig = &sluice.RetryConfig{MaxAttempts: 3, DelayMinutes: 1} })
			stateRun(t, integration, nil, func(t *testing.T, h *sluicetest.Harness, db store.Store) {
				id := executionID(t, h.Post("Flow", `{}`))
				scope := store.Scope{Kind: store.ScopeExecution, ID: id}
				require.Equal(t, store.StatusWaiting, h.Execution(id).Status)
				require.Equal(t, "7", valueOf(t, db, scope, "cursor"))
				h.Drain()
				require.Equal(t, store.Status(name), h.Execution(id).Status)
				require.Empty(t, valueOf(t, db, scope, "cursor"))
			})
		})
	}
}

// TestStateConflicts: of executions that read the same value one after the other wins.
func TestStateConflicts(t *testing.T) {
	t.Parallel()
	const executions = 4
	flow := func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		s := run.CrossFlowState()
		n, ok, err := sluice.GetState[int](ctx, s, "n")
		if err != nil {
			return nil, err
		}
		var old any
		if ok {
			old = n
		}
		if err := errors.Join(s.Increment(ctx, "won", 1), s.CompareAndSet(ctx, "n", old, n+1)); err != nil {
			return nil, err
		}
		time.Sleep(time.Second) // Virtual: all have read, and none has written.
		return nil, nil
	}
	integration := integrationOf(flow, func(f *sluice.Flow) { f.RetryConfig = &sluice.RetryConfig{MaxAttempts: executions, DelayMinutes: 1} })
	stateRun(t, integration, nil, func(t *testing.T, h *sluicetest.Harness, db store.Store) {
		for range executions {
			executionID(t, h.Post("Flow", `{}`))
		}
		h.Drain()
		attempts := 0
		for _, x := range h.Executions() {
			require.Equal(t, store.StatusSucceeded, x.Status)
			attempts += len(x.Attempts)
			for _, attempt := range x.Attempts[:len(x.Attempts)-1] {
				require.Equal(t, 1, strings.Count(attempt.Error, "the state was changed by another execution"), attempt.Error)
			}
		}
		require.Equal(t, "4", crossFlow(t, db, h.Executions()[0], "n"))
		require.Equal(t, "4", crossFlow(t, db, h.Executions()[0], "won"), "what loses changes nothing")
		require.Equal(t, 4+3+2+1, attempts)
	})
}

func TestStateRefusals(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		flow func(ctx context.Context, run *sluice.Run) error
		want string
	}{
		"a value that JSON cannot hold": {func(ctx context.Context, run *sluice.Run) error {
			return run.InstanceState().Set(ctx, "k", func() {})
		}, `sluice: state "k": the value`},
		"no key":                          {func(ctx context.Context, run *sluice.Run) error { return run.InstanceState().Set(ctx, "", 1) }, "a value of state needs a key"},
		"a key that no database can hold": {func(ctx context.Context, run *sluice.Run) error { return run.InstanceState().Set(ctx, "a\x00b", 1) }, "NUL"},
		"another context":                 {func(_ context.Context, run *sluice.Run) error { return run.InstanceState().Set(t.Context(), "k", 1) }, "the context is not that of a run"},
		"another type": {func(ctx context.Context, run *sluice.Run) error {
			_, _, err := sluice.GetState[int](ctx, run.InstanceState(), "k")
			return errors.Join(err, run.InstanceState().Set(ctx, "k", "text"), func() error {
				_, _, err := sluice.GetState[int](ctx, run.InstanceState(), "k")
				return err
			}())
		}, `state "k": its value does not fit int`},
		"adding to text, seen at once": {func(ctx context.Context, run *sluice.Run) error {
			_ = run.InstanceState().Set(ctx, "k", "text")
			_ = run.InstanceState().Increment(ctx, "k", 1)
			_, _, err := sluice.GetState[any](ctx, run.InstanceState(), "k")
			return err
		}, "the state value has another type"},
		"adding to text, seen at the end": {func(ctx context.Context, run *sluice.Run) error {
			return errors.Join(run.InstanceState().Set(ctx, "k", "text"), run.InstanceState().Append(ctx, "k", 1))
		}, "the state value has another type"},
		"another value than expected": {func(ctx context.Context, run *sluice.Run) error {
			return run.InstanceState().CompareAndSet(ctx, "k", 1, 2)
		}, "the state was changed by another execution"},
		"an expectation in a step": {func(ctx context.Context, run *sluice.Run) error {
			_, err := sluice.Step(ctx, "a", func(ctx context.Context) (int, error) {
				return 0, run.InstanceState().CompareAndSet(ctx, "k", nil, 2)
			})
			return err
		}, "CompareAndSet cannot stand in a step"},
		"a checkpoint in a step": {func(ctx context.Context, run *sluice.Run) error {
			_, err := sluice.Step(ctx, "a", func(ctx context.Context) (int, error) { return 0, run.Checkpoint(ctx) })
			return err
		}, "a checkpoint cannot stand in a step"},
		"a checkpoint that cannot be": {func(ctx context.Context, run *sluice.Run) error {
			return errors.Join(run.InstanceState().Set(ctx, "k", "text"), run.InstanceState().Append(ctx, "k", 1), run.Checkpoint(ctx))
		}, "the state value has another type"},
		"a State of one's own": {func(ctx context.Context, _ *sluice.Run) error { return (&sluice.State{}).Set(ctx, "k", 1) }, "a State comes from a Run"},
		"too much": {func(ctx context.Context, run *sluice.Run) error {
			return run.InstanceState().Set(ctx, "k", strings.Repeat("x", store.MaxStateBytes))
		}, "Unable to complete execution, persisted state exceeded maximum limit of 67108864 bytes."},
	}
	for name, test := range tests {
		for _, mode := range []string{"true", "false"} {
			t.Run(name+", synchronous "+mode, func(t *testing.T) {
				t.Parallel()
				flow := func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
					return &sluice.Result{Data: "lost"}, errors.Join(run.CrossFlowState().Set(ctx, "done", true), test.flow(ctx, run))
				}
				stateRun(t, integrationOf(flow), nil, func(t *testing.T, h *sluicetest.Harness, db store.Store) {
					h.Post("Flow", `{}`, "prismatic-synchronous", mode)
					h.Drain()
					require.Len(t, h.Executions(), 1)
					x := h.Executions()[0]
					require.Equal(t, store.StatusFailed, x.Status)
					require.Contains(t, x.Error, test.want)
					require.Empty(t, crossFlow(t, db, x, "done"))
				})
			})
		}
	}
}

// TestTriggerStateThatCannotBe is the trigger's error.
func TestTriggerStateThatCannotBe(t *testing.T) {
	t.Parallel()
	integration := integrationOf(nothing, func(f *sluice.Flow) {
		f.OnTrigger = func(ctx context.Context, run *sluice.Run, _ *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
			return nil, errors.Join(run.CrossFlowState().Set(ctx, "k", 1), run.CrossFlowState().Append(ctx, "k", 1))
		}
	})
	for _, mode := range []string{"true", "false"} {
		run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
			answer := h.Post("Flow", `{}`, "prismatic-synchronous", mode)
			require.Equal(t, http.StatusBadRequest, answer.StatusCode)
			require.Contains(t, answer.Text, "the state value has another type")
			require.Len(t, h.Executions(), 1)
			require.Equal(t, store.StatusFailed, h.Executions()[0].Status)
		})
	}
}

// TestPreprocessState: a preprocess flow on a shared endpoint has the integration's only.
func TestPreprocessState(t *testing.T) {
	t.Parallel()
	routed := func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		return &sluice.Result{Data: map[string]string{"flowName": "contact.created", "customerId": "a"}}, run.IntegrationState().Increment(ctx, "routed", 1)
	}
	t.Run("of the integration", func(t *testing.T) {
		t.Parallel()
		integration := multiTenantRouter(func(f *sluice.Flow) { f.OnExecution = routed })
		integration.Flows[1].OnExecution = func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
			n, _, err := sluice.GetState[int](ctx, run.IntegrationState(), "routed")
			return &sluice.Result{Data: n}, err
		}
		sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
			deployFor(h, "a")
			for _, mode := range []string{"true", "false"} {
				h.Post("contact.created", contact, "prismatic-synchronous", mode)
				h.Drain()
			}
			require.Equal(t, "1", string(h.Executions()[0].Result.Data))
			require.Equal(t, "2", string(h.Executions()[1].Result.Data))
		})
	})
	for name, scope := range map[string]func(*sluice.Run) *sluice.State{
		"flow state": (*sluice.Run).InstanceState, "instance state": (*sluice.Run).CrossFlowState,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			integration := multiTenantRouter(func(f *sluice.Flow) {
				f.OnExecution = func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
					_ = scope(run).Set(ctx, "k", 1)
					return routed(ctx, run)
				}
			})
			sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
				deployFor(h, "a")
				answer := h.Post("contact.created", contact)
				require.Equal(t, http.StatusBadRequest, answer.StatusCode)
				require.Contains(t, answer.Text, name+": a preprocess flow has no instance yet")
			})
		})
	}
}

// TestHookState: what a hook of the instance saves is there for its flow, unless it fails.
func TestHookState(t *testing.T) {
	t.Parallel()
	fails := true
	integration := integrationOf(func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		n, _, err := sluice.GetState[int](ctx, run.InstanceState(), "deployed")
		return &sluice.Result{Data: n}, err
	}, synchronous, func(f *sluice.Flow) {
		f.OnInstanceDeploy = func(ctx context.Context, run *sluice.Run) (*sluice.LifecycleResult, error) {
			err := run.InstanceState().Increment(ctx, "deployed", 1)
			if fails {
				return nil, errors.New("no")
			}
			return nil, err
		}
	})
	sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		_, err := h.Runtime.Deploy(t.Context(), runtime.Deployment{})
		require.ErrorContains(t, err, "no")
		fails = false
		h.Deploy(runtime.Deployment{})
		require.Equal(t, "1", h.Post("Flow", `{}`).Text)
	})
}

// TestParallelState: changes of goroutines and of executions at the same time all count.
func TestParallelState(t *testing.T) {
	t.Parallel()
	flow := func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		var group errgroup.Group
		for n := range 10 {
			group.Go(func() error {
				if err := run.CrossFlowState().Increment(ctx, "n", 1); err != nil {
					return err
				}
				_, err := sluice.Step(ctx, fmt.Sprint("step ", n), func(ctx context.Context) (int, error) {
					return 0, run.CrossFlowState().Append(ctx, "list", n)
				})
				return err
			})
		}
		return nil, group.Wait()
	}
	stateRun(t, integrationOf(flow), nil, func(t *testing.T, h *sluicetest.Harness, db store.Store) {
		var posts sync.WaitGroup
		for range 8 {
			posts.Go(func() { h.Post("Flow", `{}`) })
		}
		posts.Wait()
		h.Drain()
		x := h.Executions()[0]
		require.Equal(t, "80", crossFlow(t, db, x, "n"))
		require.Equal(t, 80, strings.Count(crossFlow(t, db, x, "list"), ",")+1)
	})
}
