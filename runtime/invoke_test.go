package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	sluicetest "github.com/sluice-go/sluice/testing"
)

type question struct {
	N int `json:"n"`
}

type reckoned struct {
	N    int    `json:"n"`
	Text string `json:"text,omitempty"`
}

// calling is an integration with a flow that calls, and one that is called: by its stable key
// "callee", named "The callee".
func calling(caller, callee sluice.ExecutionFunc, change ...func(caller, callee *sluice.Flow)) *sluice.Integration {
	flows := []sluice.Flow{
		{Name: "Flow", StableKey: "flow", OnExecution: caller},
		{Name: "The callee", StableKey: "callee", OnExecution: callee},
	}
	for _, c := range change {
		c(&flows[0], &flows[1])
	}
	return &sluice.Integration{Name: "Test", Flows: flows}
}

const calleeRef = sluice.FlowRef[question, reckoned]("callee")

// double answers with twice the number.
func double(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
	var in question
	if err := run.Payload.Body.Decode(&in); err != nil {
		return nil, err
	}
	return &sluice.Result{Data: reckoned{N: 2 * in.N}}, nil
}

// ask calls the callee and hands its answer back.
func ask(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
	out, err := calleeRef.Invoke(ctx, question{N: 21})
	return &sluice.Result{Data: out}, err
}

// executionOf is the only execution of the flow on record.
func executionOf(t *testing.T, h *sluicetest.Harness, flow string) *sluicetest.Execution {
	t.Helper()
	found := executionsOf(h, flow)
	require.Len(t, found, 1)
	return found[0]
}

func executionsOf(h *sluicetest.Harness, flow string) (found []*sluicetest.Execution) {
	for _, x := range h.Executions() {
		if x.Flow == flow {
			found = append(found, x)
		}
	}
	return found
}

// TestInvokeWaitsForTheResult, also with one slot for both, and with both lanes held.
func TestInvokeWaitsForTheResult(t *testing.T) {
	t.Parallel()
	sequential := func(caller, callee *sluice.Flow) {
		caller.QueueConfig, callee.QueueConfig = sluice.SequentialQueueConfig{}, sluice.SequentialQueueConfig{}
	}
	for name, change := range map[string]func(caller, callee *sluice.Flow){
		"sequential":   sequential,
		"asynchronous": func(_, _ *sluice.Flow) {},
		"synchronous":  func(caller, _ *sluice.Flow) { caller.IsSynchronous = true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options := runtime.Options{Integrations: []*sluice.Integration{calling(ask, double, change)}, Concurrency: 1}
			sluicetest.RunOptions(t, sluicetest.Options{Runtime: options}, func(t *testing.T, h *sluicetest.Harness) {
				h.Deploy(runtime.Deployment{})
				began := time.Now()
				for range 3 {
					require.Equal(t, http.StatusOK, h.Post("Flow", "{}").StatusCode)
				}
				h.Drain()
				require.LessOrEqual(t, time.Since(began), time.Second)
				for _, x := range executionsOf(h, "flow") {
					require.Equal(t, store.StatusSucceeded, x.Status, x.Error)
					require.JSONEq(t, `{"n":42}`, string(x.Result.Data))
				}
				callees := executionsOf(h, "callee")
				require.Len(t, callees, 3)
				for _, x := range callees {
					require.Equal(t, sluice.InvokeCrossFlow, x.InvokeType)
					caller := h.Execution(x.InvokedBy.ExecutionID)
					require.Equal(t, "flow", caller.Flow)
					require.Equal(t, runtime.InvokedBy{ExecutionID: caller.ID, Attempt: 1, Step: "invoke callee", Depth: 1}, *x.InvokedBy)
					require.Equal(t, caller.ID, x.Payload.Headers.Get("prismatic-executionid"))
				}
			})
		})
	}
}

func TestInvokeAsyncDoesNotWait(t *testing.T) {
	t.Parallel()
	ask := func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
		id, err := calleeRef.InvokeAsync(ctx, question{N: 1})
		return &sluice.Result{Data: id}, err
	}
	slow := func(context.Context, *sluice.Run) (*sluice.Result, error) {
		time.Sleep(time.Minute) // Virtual.
		return nil, nil
	}
	sluicetest.Run(t, calling(ask, slow, func(caller, _ *sluice.Flow) { caller.IsSynchronous = true }), func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		began := time.Now()
		id := strings.Trim(h.Post("Flow", "{}").Text, `"`)
		require.Zero(t, time.Since(began))
		h.Drain()
		require.Equal(t, store.StatusSucceeded, h.Execution(id).Status)
		require.Equal(t, "callee", h.Execution(id).Flow)
	})
}

// TestInvokeFlowIsLikeACallOverHTTP: by name, with headers, answered as the flow answers.
func TestInvokeFlowIsLikeACallOverHTTP(t *testing.T) {
	t.Parallel()
	callee := func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
		return &sluice.Result{
			Data: run.Payload.Headers.Get("X-Mine") + " " + run.Payload.Headers.Get("prismatic-executionid"), ContentType: "text/plain", StatusCode: 201,
		}, nil
	}
	for name, test := range map[string]struct {
		headers map[string]string
		status  int
		body    string
	}{
		"as the flow says":   {map[string]string{"X-Mine": "hello", "Prismatic-ExecutionID": "forged"}, 201, "hello "},
		"as the header says": {map[string]string{"prismatic-synchronous": "false"}, 200, `{"executionId":"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got *sluice.InvokeResponse
			caller := func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
				var err error
				got, err = sluice.InvokeFlow(ctx, "The callee", nil, sluice.InvokeConfig{Headers: test.headers, Source: "the test"})
				return nil, err
			}
			integration := calling(caller, callee, func(_, callee *sluice.Flow) { callee.IsSynchronous = true })
			sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
				h.Deploy(runtime.Deployment{})
				id := executionID(t, h.Post("Flow", "{}"))
				h.Drain()
				x := executionOf(t, h, "callee")
				require.Equal(t, test.status, got.StatusCode)
				require.Equal(t, x.ID, got.ExecutionID)
				require.Equal(t, "the test", x.InvokedBy.Source)
				text, err := got.Body.Bytes()
				require.NoError(t, err)
				require.Contains(t, string(text), test.body)
				require.NotContains(t, string(text), "forged")
				require.Equal(t, id, x.Payload.Headers.Get("prismatic-executionid"))
			})
		})
	}
}

// TestAPollWithoutChangesAnswersNull: it is no failure, and no reason to poll again.
func TestAPollWithoutChangesAnswersNull(t *testing.T) {
	t.Parallel()
	polls := 0
	poll := func(_ context.Context, _ *sluice.Run, payload *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
		polls++
		return &sluice.TriggerResult{Payload: payload, PolledNoChanges: true}, nil
	}
	caller := func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		out, err := calleeRef.Invoke(ctx, question{N: 21})
		if err == nil && run.Attempt == 1 {
			err = errors.New("broken")
		}
		return &sluice.Result{Data: out}, err
	}
	integration := calling(caller, double, func(caller, callee *sluice.Flow) {
		caller.RetryConfig = &sluice.RetryConfig{MaxAttempts: 1, DelayMinutes: 1}
		callee.TriggerType, callee.Schedule, callee.OnTrigger = sluice.TriggerTypePolling, &sluice.Schedule{Value: "0 0 1 1 *"}, poll
	})
	run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		answer := h.Post("Flow", `{}`)
		h.Drain()
		answer.Execution().RequireSucceeded().RequireResult(reckoned{})
		require.Equal(t, 1, polls)
		require.Equal(t, store.StatusSkipped, executionOf(t, h, "callee").Status)
	})
}

// TestAFailedCalleeIsNamed, with its execution, and another try starts it anew.
func TestAFailedCalleeIsNamed(t *testing.T) {
	t.Parallel()
	var callees atomic.Int32
	var told sync.Map
	ask := func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		out, err := calleeRef.Invoke(ctx, question{N: 21})
		if failed, ok := errors.AsType[*sluice.InvokeError](err); ok {
			told.Store(run.Attempt, *failed)
		}
		return &sluice.Result{Data: out}, err
	}
	callee := func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		if callees.Add(1) < 3 {
			return nil, sluice.Reject(422, "billing is down")
		}
		return double(ctx, run)
	}
	integration := calling(ask, callee, func(caller, _ *sluice.Flow) {
		caller.RetryConfig = &sluice.RetryConfig{MaxAttempts: 3, DelayMinutes: 1}
	})
	sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		id := executionID(t, h.Post("Flow", "{}"))
		h.Drain()
		x := h.Execution(id)
		require.Equal(t, store.StatusSucceeded, x.Status)
		require.Len(t, x.Attempts, 3)
		require.EqualValues(t, 3, callees.Load())
		for _, callee := range executionsOf(h, "callee") {
			if callee.Status == store.StatusSucceeded {
				continue
			}
			attempt := callee.InvokedBy.Attempt
			require.Equal(t, "execution "+callee.ID+` of flow "The callee": billing is down`, x.Attempts[attempt-1].Error)
			failed, _ := told.Load(attempt)
			require.Equal(t, sluice.InvokeError{Flow: "The callee", ExecutionID: callee.ID, Message: "billing is down"}, failed)
		}
	})
}

// TestACalleeIsStartedOnce: who is interrupted while it waits finds it again.
func TestACalleeIsStartedOnce(t *testing.T) {
	t.Parallel()
	var callers, callees atomic.Int32
	ask := func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		callers.Add(1)
		return ask(ctx, run)
	}
	callee := func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		callees.Add(1)
		select {
		case <-time.After(time.Minute):
			return double(ctx, run)
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	inMemory(t, func(t *testing.T, database store.Store) {
		integration := calling(ask, callee)
		rt := shared(t, database, integration)
		id := deliver(t, rt, http.StatusOK)
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.NoError(t, rt.Stop(ctx))
		rt = shared(t, database, integration)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		require.Equal(t, store.StatusSucceeded, execution(t, rt, id).Status)
		require.EqualValues(t, 2, callers.Load(), "the caller began again")
		all, err := rt.Executions(t.Context(), store.Filter{Flow: "callee"}, "", 10)
		require.NoError(t, err)
		require.Len(t, all, 1)
		require.EqualValues(t, 2, callees.Load(), "the callee was interrupted too")
		require.NoError(t, rt.Stop(t.Context()))
	})
}

// TestALaterAttemptFindsTheResult: a call that succeeded is a step.
func TestALaterAttemptFindsTheResult(t *testing.T) {
	t.Parallel()
	var callees atomic.Int32
	caller := func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		result, err := ask(ctx, run)
		if err == nil && run.Attempt == 1 {
			err = errors.New("later")
		}
		return result, err
	}
	callee := func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		callees.Add(1)
		return double(ctx, run)
	}
	integration := calling(caller, callee, func(caller, _ *sluice.Flow) {
		caller.RetryConfig = &sluice.RetryConfig{MaxAttempts: 1, DelayMinutes: 1}
	})
	sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		id := executionID(t, h.Post("Flow", "{}"))
		h.Drain()
		require.JSONEq(t, `{"n":42}`, string(h.Execution(id).Result.Data))
		require.EqualValues(t, 1, callees.Load())
	})
}

// TestACallerThatEndsDoesNotEndItsCallee: it goes on after the caller's time-out.
func TestACallerThatEndsDoesNotEndItsCallee(t *testing.T) {
	t.Parallel()
	callee := func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		time.Sleep(30 * time.Second) // Virtual.
		return double(ctx, run)
	}
	caller := func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
		_, err := calleeRef.Invoke(ctx, question{}, sluice.WithTimeout(10*time.Second))
		return nil, err
	}
	options := runtime.Options{Integrations: []*sluice.Integration{calling(caller, callee)}, Concurrency: 1}
	sluicetest.RunOptions(t, sluicetest.Options{Runtime: options}, func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		for range 2 { // The slot that was lent is not given back twice.
			h.Post("Flow", "{}")
			h.Drain()
		}
		for _, x := range executionsOf(h, "callee") {
			require.Equal(t, store.StatusSucceeded, x.Status)
		}
		for _, x := range executionsOf(h, "flow") {
			require.Equal(t, store.StatusFailed, x.Status)
			require.Contains(t, x.Error, "took longer than 10s")
		}
	})
}

// TestCallsThatCannotEndAreRefused: of its own queue, of itself without end (threat 23).
func TestCallsThatCannotEndAreRefused(t *testing.T) {
	t.Parallel()
	self := func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
		_, err := sluice.FlowRef[question, reckoned]("flow").Invoke(ctx, question{})
		return nil, err
	}
	back := func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
		_, err := sluice.FlowRef[question, reckoned]("flow").Invoke(ctx, question{})
		return nil, err
	}
	ask := func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) { return ask(ctx, run) }
	for name, test := range map[string]struct {
		caller sluice.ExecutionFunc
		queue  sluice.QueueConfig
		want   error
		count  int
	}{
		"itself in its sequential lane": {self, sluice.SequentialQueueConfig{}, sluice.ErrWouldDeadlock, 1},
		"itself in its throttled lane":  {self, sluice.ThrottledQueueConfig{ConcurrencyLimit: 3}, sluice.ErrWouldDeadlock, 1},
		"a caller that waits above":     {ask, sluice.SequentialQueueConfig{}, sluice.ErrWouldDeadlock, 2},
		"one after the other, no end":   {ask, nil, sluice.ErrInvokeDepth, 33},
		"itself, no end":                {self, nil, sluice.ErrInvokeDepth, 33},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			integration := calling(test.caller, back, func(caller, _ *sluice.Flow) { caller.QueueConfig = test.queue })
			options := runtime.Options{Integrations: []*sluice.Integration{integration}, Concurrency: 1}
			sluicetest.RunOptions(t, sluicetest.Options{Runtime: options}, func(t *testing.T, h *sluicetest.Harness) {
				h.Deploy(runtime.Deployment{})
				id := executionID(t, h.Post("Flow", "{}"))
				h.Drain()
				require.Contains(t, h.Execution(id).Error, test.want.Error())
				require.Len(t, h.Executions(), test.count)
			})
		})
	}
}

// TestOnlyFlowsAreCalled, by their names: no URL is dialed (threat 27).
func TestOnlyFlowsAreCalled(t *testing.T) {
	t.Parallel()
	const metadata = "http://169.254.169.254/latest"
	call := func(flow string) sluice.ExecutionFunc {
		return func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
			_, err := sluice.InvokeFlow(ctx, flow, nil, sluice.InvokeConfig{})
			return nil, err
		}
	}
	for flow, want := range map[string]string{
		metadata:   `integration "Test" has no flow named "` + metadata + `"`,
		"callee":   `has no flow named "callee"`,
		"Deployed": "is started by the deployment",
	} {
		t.Run(flow, func(t *testing.T) {
			t.Parallel()
			integration := calling(call(flow), double)
			integration.Flows = append(integration.Flows, sluice.Flow{
				Name: "Deployed", StableKey: "deployed", OnExecution: nothing, Trigger: sluice.InstanceRemoveTrigger{},
			})
			transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
				t.Error("something was dialed")
				return nil, errors.New("refused")
			}}
			options := runtime.Options{Integrations: []*sluice.Integration{integration}, Transport: transport}
			sluicetest.RunOptions(t, sluicetest.Options{Runtime: options}, func(t *testing.T, h *sluicetest.Harness) {
				h.Deploy(runtime.Deployment{})
				id := executionID(t, h.Post("Flow", "{}"))
				h.Drain()
				require.Contains(t, h.Execution(id).Error, want)
			})
		})
	}
}

// TestACallIsATriggerOfTheFlow: its trigger sees the call, its input is checked, its deduplication
// holds.
func TestACallIsATriggerOfTheFlow(t *testing.T) {
	t.Parallel()
	type result struct {
		first, second error
	}
	run := func(t *testing.T, change func(caller, callee *sluice.Flow), in any) (got result, callees []*sluicetest.Execution) {
		t.Helper()
		caller := func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
			_, got.first = sluice.FlowRef[any, any]("callee").Invoke(ctx, in)
			_, got.second = sluice.FlowRef[any, any]("callee").Invoke(ctx, in)
			return nil, nil
		}
		sluicetest.Run(t, calling(caller, double, change), func(t *testing.T, h *sluicetest.Harness) {
			h.Deploy(runtime.Deployment{})
			h.Post("Flow", "{}")
			h.Drain()
			callees = executionsOf(h, "callee")
		})
		return got, callees
	}
	got, callees := run(t, func(_, callee *sluice.Flow) {
		callee.QueueConfig = sluice.SequentialQueueConfig{DedupeIDField: "body.data.n"}
	}, question{N: 7})
	require.NoError(t, got.first)
	require.NoError(t, got.second, "a duplicate is answered by the first")
	require.Len(t, callees, 1)

	got, callees = run(t, func(_, callee *sluice.Flow) {
		callee.OnTrigger = func(_ context.Context, _ *sluice.Run, payload *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
			changed := *payload
			changed.Body = sluice.NewBody(question{N: 50})
			return &sluice.TriggerResult{Payload: &changed}, nil
		}
	}, question{N: 7})
	require.NoError(t, got.first)
	require.JSONEq(t, `{"n":100}`, string(callees[0].Result.Data))

	got, callees = run(t, func(_, callee *sluice.Flow) {
		callee.OnTrigger = func(context.Context, *sluice.Run, *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
			return nil, sluice.Reject(403, "not you")
		}
	}, question{N: 7})
	require.ErrorContains(t, got.first, `flow "The callee" did not take the call: not you`)
	require.True(t, sluice.IsPermanent(got.first))
	require.Empty(t, callees)

	got, callees = run(t, func(_, callee *sluice.Flow) {
		*callee = sluice.Define(sluice.Flow{Name: callee.Name, StableKey: callee.StableKey},
			func(context.Context, *sluice.Run, question) (reckoned, error) { return reckoned{}, nil }).Flow
	}, map[string]string{"n": "many"})
	require.ErrorContains(t, got.first, "does not fit the flow's input")
	require.True(t, sluice.IsPermanent(got.first))
	require.Empty(t, callees)

	got, callees = run(t, func(_, callee *sluice.Flow) {
		callee.Trigger = sluice.HMACTrigger{Signature: sluice.HMAC("x-hmac", sluice.HMACSHA256), Secrets: []string{"a secret of some length"}}
		callee.EndpointSecurityType = sluice.EndpointSecurityCustomerRequired
	}, question{N: 7})
	require.NoError(t, got.first, "calls in process need neither signature nor key")
	require.Len(t, callees, 2)
}

// TestCallsAreNotForTriggers.
func TestCallsAreNotForTriggers(t *testing.T) {
	t.Parallel()
	var got error
	integration := calling(nothing, double, func(caller, _ *sluice.Flow) {
		caller.OnTrigger = func(ctx context.Context, _ *sluice.Run, _ *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
			_, got = calleeRef.Invoke(ctx, question{})
			return nil, nil
		}
	})
	sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		h.Post("Flow", "{}")
		require.ErrorIs(t, got, sluice.ErrNotAccepted)
		_, err := calleeRef.Invoke(t.Context(), question{})
		require.ErrorContains(t, err, "the context is not that of a run")
	})
}

// TestCallsAtTheSameTime: each has its key, and with one slot all of them end.
func TestCallsAtTheSameTime(t *testing.T) {
	t.Parallel()
	const calls = 5
	caller := func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
		sums, err := sluice.ForEach(ctx, "ask", []int{1, 2, 3, 4, 5}, func(ctx context.Context, n, _ int) (int, error) {
			out, err := calleeRef.Invoke(ctx, question{N: n})
			return out.N, err
		}, sluice.WithConcurrency(calls))
		return &sluice.Result{Data: sums}, err
	}
	options := runtime.Options{Integrations: []*sluice.Integration{calling(caller, double)}, Concurrency: 1}
	sluicetest.RunOptions(t, sluicetest.Options{Runtime: options}, func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		id := executionID(t, h.Post("Flow", "{}"))
		h.Drain()
		require.JSONEq(t, `[2,4,6,8,10]`, string(h.Execution(id).Result.Data))
		require.Len(t, executionsOf(h, "callee"), calls)
	})
}

// TestAFailureIsHeardBeforeAnotherTry: a callee that failed while nobody waited is not started
// anew before its caller knows.
func TestAFailureIsHeardBeforeAnotherTry(t *testing.T) {
	t.Parallel()
	var callees atomic.Int32
	var heard []string
	caller := func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
		for range 3 {
			_, err := calleeRef.Invoke(ctx, question{}, sluice.WithTimeout(10*time.Second))
			heard = append(heard, fmt.Sprintf("%d callees: %v", callees.Load(), err))
			time.Sleep(time.Minute) // Virtual.
		}
		return nil, nil
	}
	callee := func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		if callees.Add(1) == 1 {
			time.Sleep(30 * time.Second) // Virtual.
			return nil, errors.New("billing is down")
		}
		return double(ctx, run)
	}
	sluicetest.Run(t, calling(caller, callee), func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		h.Post("Flow", "{}")
		h.Drain()
		require.Len(t, heard, 3)
		require.Contains(t, heard[0], "1 callees: ")
		require.Contains(t, heard[0], "took longer than 10s")
		require.Contains(t, heard[1], "1 callees: ")
		require.Contains(t, heard[1], "billing is down")
		require.Equal(t, "2 callees: <nil>", heard[2])
	})
}
