package runtime_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// machine is a flow of three steps whose failures a test chooses; it counts what ran.
type machine struct {
	fails map[string]bool
	ran   map[string]int
}

func newMachine(fails ...string) *machine {
	m := &machine{fails: map[string]bool{}, ran: map[string]int{}}
	for _, step := range fails {
		m.fails[step] = true
	}
	return m
}

func (m *machine) flow(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
	var bodies []string
	for _, name := range []string{"first", "second", "third"} {
		body, err := sluice.Step(ctx, name, func(ctx context.Context) (string, error) {
			m.ran[name]++
			if _, err := sluice.Step(ctx, "inner", func(context.Context) (int, error) { m.ran[name+"/inner"]++; return 0, nil }); err != nil {
				return "", err
			}
			if m.fails[name] {
				return "", errors.New("no " + name)
			}
			var body string
			err := run.Payload.Body.Decode(&body)
			return body, err
		})
		if err != nil {
			return nil, err
		}
		bodies = append(bodies, body)
	}
	return &sluice.Result{Data: bodies}, nil
}

func replay(t *testing.T, h *sluicetest.Harness, id string, options runtime.ReplayOptions) *sluicetest.Execution {
	t.Helper()
	replayed, err := h.Runtime.Replay(t.Context(), id, options)
	require.NoError(t, err)
	h.Drain()
	return h.Execution(replayed)
}

func TestReplay(t *testing.T) {
	t.Parallel()
	m := newMachine("third")
	run(t, integrationOf(m.flow), func(t *testing.T, h *sluicetest.Harness) {
		id := executionID(t, h.Post("Flow", `"old"`, "X-Kept", "yes"))
		h.Drain()
		require.Equal(t, store.StatusFailed, h.Execution(id).Status)
		m.fails["third"] = false

		whole := replay(t, h, id, runtime.ReplayOptions{})
		require.Equal(t, store.StatusSucceeded, whole.Status)
		require.Equal(t, id, whole.Original)
		original := h.Execution(id)
		require.Equal(t, store.StatusFailed, original.Status, "a replay leaves the original as it was")
		require.Equal(t, original.InvokeType, whole.InvokeType)
		require.Equal(t, []string{original.Instance, original.Flow, original.Customer}, []string{whole.Instance, whole.Flow, whole.Customer})
		require.Equal(t, "yes", whole.Payload.Headers.Get("x-kept"))
		require.JSONEq(t, `["old","old","old"]`, string(whole.Result.Data))
		require.Equal(t, 2, m.ran["first"])

		edited := original.Payload
		edited.Body = sluice.NewBody(json.RawMessage(`"new"`))
		from := replay(t, h, id, runtime.ReplayOptions{FromStep: "second", Input: &edited})
		require.JSONEq(t, `["old","new","new"]`, string(from.Result.Data), "the first step is on record")
		require.Equal(t, 2, m.ran["first"])
		require.Equal(t, 3, m.ran["second"])
		require.Equal(t, 3, m.ran["second/inner"], "what is inside the named step runs again")

		again := replay(t, h, from.ID, runtime.ReplayOptions{})
		require.Equal(t, from.ID, again.Original)
		require.JSONEq(t, `["new","new","new"]`, string(again.Result.Data))
	})
}

// TestReplayThatWaitsFindsItsSteps: a replay that waited for its turn finds the steps before FromStep too.
func TestReplayThatWaitsFindsItsSteps(t *testing.T) {
	t.Parallel()
	m := newMachine("third")
	integration := integrationOf(m.flow, func(f *sluice.Flow) { f.RetryConfig = &sluice.RetryConfig{MaxAttempts: 1, DelayMinutes: 1} })
	run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		id := executionID(t, h.Post("Flow", `"body"`))
		h.Drain()
		x := replay(t, h, id, runtime.ReplayOptions{FromStep: "third"})
		require.Len(t, x.Attempts, 2, "a replay is retried")
		require.Equal(t, 1, m.ran["second"])
		require.Equal(t, 4, m.ran["third"])
	})
}

// TestReplayFromStepKeepsState: the state of the execution is there that came of what is not
// run again, and no other state is committed twice. So it is in a replay of the replay.
func TestReplayFromStepKeepsState(t *testing.T) {
	t.Parallel()
	write := func(ctx context.Context, run *sluice.Run) error {
		return errors.Join(run.ExecutionState().Increment(ctx, "cursor", 7), run.CrossFlowState().Increment(ctx, "n", 1))
	}
	inStep := func(ctx context.Context, run *sluice.Run) error {
		_, err := sluice.Step(ctx, "a", func(ctx context.Context) (int, error) { return 0, write(ctx, run) })
		return err
	}
	for name, test := range map[string]struct {
		before, after func(ctx context.Context, run *sluice.Run) error
	}{
		"of a step": {before: inStep},
		"of a checkpoint": {before: func(ctx context.Context, run *sluice.Run) error {
			return errors.Join(write(ctx, run), run.Checkpoint(ctx))
		}},
		"of a step before a checkpoint": {before: func(ctx context.Context, run *sluice.Run) error {
			return errors.Join(inStep(ctx, run), run.Checkpoint(ctx))
		}},
		"of a step before a checkpoint that is not kept": {inStep, func(ctx context.Context, run *sluice.Run) error { return run.Checkpoint(ctx) }},
	} {
		for _, ends := range []error{nil, errors.New("no")} {
			t.Run(fmt.Sprintf("%s, error %v", name, ends), func(t *testing.T) {
				t.Parallel()
				fixed := false
				flow := func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
					if err := test.before(ctx, run); err != nil {
						return nil, err
					}
					cursor, err := sluice.Step(ctx, "b", func(ctx context.Context) (int, error) {
						cursor, _, err := sluice.GetState[int](ctx, run.ExecutionState(), "cursor")
						return cursor, err
					})
					if err == nil && test.after != nil {
						err = test.after(ctx, run)
					}
					if err == nil && !fixed {
						err = ends
					}
					return &sluice.Result{Data: cursor}, err
				}
				stateRun(t, integrationOf(flow), nil, func(t *testing.T, h *sluicetest.Harness, db store.Store) {
					id := executionID(t, h.Post("Flow", `{}`))
					h.Drain()
					fixed = true
					for range 2 {
						x := replay(t, h, id, runtime.ReplayOptions{FromStep: "b"})
						require.Empty(t, x.Error)
						require.JSONEq(t, "7", string(x.Result.Data))
						require.Equal(t, "1", crossFlow(t, db, x, "n"))
						require.Empty(t, valueOf(t, db, store.Scope{Kind: store.ScopeExecution, ID: x.ID}, "cursor"))
						id = x.ID
					}
				})
			})
		}
	}
}

func TestReplayIsRefused(t *testing.T) {
	t.Parallel()
	typed := sluice.Define(sluice.Flow{Name: "Flow", StableKey: "flow"}, func(_ context.Context, _ *sluice.Run, in struct{ N int }) (int, error) { return in.N, nil })
	waiting := sluice.Flow{
		Name: "Waiting", StableKey: "waiting", RetryConfig: &sluice.RetryConfig{MaxAttempts: 1, DelayMinutes: 1},
		OnExecution: func(context.Context, *sluice.Run) (*sluice.Result, error) { return nil, errors.New("no") },
	}
	hooked := typed.Flow
	hooked.OnInstanceDeploy = func(context.Context, *sluice.Run) (*sluice.LifecycleResult, error) { return nil, nil }
	run(t, &sluice.Integration{Name: "Test", Flows: []sluice.Flow{hooked, waiting}}, func(t *testing.T, h *sluicetest.Harness) {
		refused := func(want, id string, options runtime.ReplayOptions) {
			t.Helper()
			before := len(h.Executions())
			_, err := h.Runtime.Replay(t.Context(), id, options)
			require.ErrorContains(t, err, want)
			require.Len(t, h.Executions(), before)
		}
		refused("it is a run of a hook (onInstanceDeploy)", h.Executions()[0].ID, runtime.ReplayOptions{})
		refused("not found", "0190a3b0-0000-7000-8000-000000000000", runtime.ReplayOptions{})

		waits := executionID(t, h.Post("Waiting", `{}`))
		refused("it is waiting: what is not over cannot be replayed", waits, runtime.ReplayOptions{})

		id := executionID(t, h.Post("Flow", `{"N":1}`))
		h.Advance(0)
		refused(`it has no step "gone" on record, nor did it fail in one`, id, runtime.ReplayOptions{FromStep: "gone"})
		misfit := h.Execution(id).Payload
		misfit.Body = sluice.NewBody(json.RawMessage(`{"N":"x"}`))
		refused("N", id, runtime.ReplayOptions{Input: &misfit})

		for _, body := range []string{`{"N":"no number"}`, `{`} {
			response := h.Post("Flow", body)
			require.Equal(t, http.StatusBadRequest, response.StatusCode)
			id := response.Header.Get("prismatic-executionid")
			h.Advance(0)
			refused("its body was not kept: give another input", id, runtime.ReplayOptions{})
			input := h.Execution(id).Payload
			input.Body = sluice.NewBody(json.RawMessage(`{"N":7}`))
			require.JSONEq(t, `7`, string(replay(t, h, id, runtime.ReplayOptions{Input: &input}).Result.Data))
		}
	})
}

// TestReplayAll replays what failed, in order, and never twice what succeeded then.
func TestReplayAll(t *testing.T) {
	t.Parallel()
	const count = 50 // More than are read at once.
	broken, order := true, []string{}
	flow := func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
		body, err := run.Payload.Body.Bytes()
		if err == nil && broken {
			err = errors.New("broken")
		}
		order = append(order, string(body))
		return nil, err
	}
	run(t, integrationOf(flow), func(t *testing.T, h *sluicetest.Harness) {
		replayAll := func() (replayed []runtime.Replayed) {
			t.Helper()
			order = order[:0]
			for r, err := range h.Runtime.ReplayAll(t.Context(), store.Filter{Status: store.StatusFailed}, runtime.ReplayOptions{}) {
				require.NoError(t, err)
				replayed = append(replayed, r)
				h.Advance(0)
			}
			return replayed
		}
		var ids, bodies []string
		for n := range count {
			bodies = append(bodies, strconv.Itoa(n))
			ids = append(ids, executionID(t, h.Post("Flow", bodies[n])))
			h.Advance(1)
		}
		require.Len(t, replayAll(), count)
		require.Equal(t, bodies, order)
		broken = false
		replayed := replayAll()
		require.Equal(t, bodies, order, "replays that failed leave the originals to be replayed")
		for n, r := range replayed {
			require.Equal(t, ids[n], r.Original)
			require.Equal(t, r.Original, h.Execution(r.ID).Original)
		}
		require.Empty(t, replayAll(), "all have been replayed")

		for r, err := range h.Runtime.ReplayAll(t.Context(), store.Filter{Flow: "flow", To: h.Execution(ids[2]).AcceptedAt}, runtime.ReplayOptions{FromStep: "gone"}) {
			require.Fail(t, "all of these were replayed", r, err)
		}
		broken = true
		lost := executionID(t, h.Post("Flow", `"lost"`))
		h.Advance(0)
		for r, err := range h.Runtime.ReplayAll(t.Context(), store.Filter{Status: store.StatusFailed}, runtime.ReplayOptions{FromStep: "gone"}) {
			require.ErrorContains(t, err, `it has no step "gone"`)
			require.Equal(t, runtime.Replayed{Original: lost}, r)
		}
	})
}

// TestReplayAllInTheOrderOfTheirLane replays callees, whose ids say nothing of their order, while
// others come.
func TestReplayAllInTheOrderOfTheirLane(t *testing.T) {
	t.Parallel()
	const before, after = 20, 20 // More than are read at once.
	var order []int
	callee := sluice.Flow{
		Name: "Callee", StableKey: "callee", QueueConfig: sluice.SequentialQueueConfig{},
		OnExecution: func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
			var n int
			err := run.Payload.Body.Decode(&n)
			order = append(order, n)
			return nil, errors.Join(err, errors.New("broken"))
		},
	}
	integration := integrationOf(func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
		for n := range before + after {
			if _, err := sluice.FlowRef[int, any]("callee").InvokeAsync(ctx, n); err != nil {
				return nil, err
			}
			time.Sleep(time.Second)
		}
		return nil, nil
	})
	integration.Flows = append(integration.Flows, callee)
	run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		h.Post("Flow", `{}`)
		h.Advance(before*time.Second - time.Millisecond)
		require.Len(t, order, before)
		order = nil
		for _, err := range h.Runtime.ReplayAll(t.Context(), store.Filter{Flow: "callee", Status: store.StatusFailed}, runtime.ReplayOptions{}) {
			require.NoError(t, err)
			h.Advance(time.Second)
		}
		h.Drain()
		var replayed, later []int
		for _, n := range order {
			if n < before {
				replayed = append(replayed, n)
			} else {
				later = append(later, n)
			}
		}
		require.Len(t, replayed, before)
		require.IsIncreasing(t, replayed)
		require.Len(t, later, after, "what came later is not replayed")
	})
}
