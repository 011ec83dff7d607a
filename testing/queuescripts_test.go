package sluicetest_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// item is the body of requests.
type item struct {
	ID int `json:"id"`
	// Fail is how many attempts fail.
	Fail int `json:"fail"`
}

// work is a flow of two steps, with a second after each.
func (n *notes) work(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
	var body item
	if err := run.Payload.Body.Decode(&body); err != nil {
		return nil, err
	}
	if err := run.CrossFlowState().Increment(ctx, "done", 1); err != nil {
		return nil, err
	}
	for _, name := range []string{"first", "second"} {
		if _, err := sluice.Step(ctx, name, func(context.Context) (string, error) {
			n.step(run.ExecutionID + " " + name)
			return name, nil
		}); err != nil {
			return nil, err
		}
		timer := time.NewTimer(time.Second)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	if run.Attempt <= body.Fail {
		return nil, fmt.Errorf("attempt %d fails as it should", run.Attempt)
	}
	return &sluice.Result{Data: body}, nil
}

func scripts() []script {
	limit := 2
	var all []script
	for name, queue := range map[string]sluice.QueueConfig{
		"parallel":   nil,
		"throttled":  sluice.ThrottledQueueConfig{ConcurrencyLimit: limit, DedupeIDField: "body.data.id"},
		"sequential": sluice.SequentialQueueConfig{DedupeIDField: "body.data.id"},
		"blocking":   sluice.SequentialQueueConfig{DedupeIDField: "body.data.id", BlockOnRetry: true},
		"standard":   sluice.StandardQueueConfig{UsesFIFOQueue: true, ConcurrencyLimit: &limit, DedupeIDField: "body.data.id"},
	} {
		all = append(all, asynchronous(name, queue))
		if name != "blocking" && name != "standard" { // Of those, callers would see nothing new.
			all = append(all, synchronous(name, queue))
		}
	}
	return append(all, lostAnswers(), calls(), routes(), times())
}

// asynchronous has requests run in a queue. One of them is retried, and one canceled while it
// waits for that.
func asynchronous(name string, queue sluice.QueueConfig) script {
	return script{
		name: name + ", asynchronous",
		options: func(n *notes) runtime.Options {
			return optionsOf(sluice.Flow{
				Name: "Work", StableKey: "work", OnExecution: n.work, QueueConfig: queue,
				RetryConfig: &sluice.RetryConfig{MaxAttempts: 2, DelayMinutes: 1},
			})
		},
		run: func(s *stage) {
			s.deploy(runtime.Deployment{})
			for id := range 5 {
				fail := 0
				if id == 1 {
					fail = 1
				}
				s.send("Work", fmt.Sprintf(`{"id": %d, "fail": %d}`, id, fail))
			}
			s.settle()
			s.requireQueue(queue)
		},
	}
}

// lostAnswers has the answer to an acceptance lost: the runtime looks for what it may have
// claimed with it.
func lostAnswers() script {
	lost := asynchronous("lost answers", nil)
	run := lost.run
	lost.run = func(s *stage) {
		s.h.Fail(store.ErrUnavailable, sluicetest.After("Accept"))
		run(s)
	}
	return lost
}

// synchronous has callers wait for their results, and fetch them where they are redirected to.
func synchronous(name string, queue sluice.QueueConfig) script {
	return script{
		name: name + ", synchronous",
		options: func(n *notes) runtime.Options {
			options := optionsOf(sluice.Flow{
				Name: "Work", StableKey: "work", OnExecution: n.work, QueueConfig: queue,
			})
			options.SyncResponse = runtime.SyncResponseRedirect
			return options
		},
		run: func(s *stage) {
			s.deploy(runtime.Deployment{})
			for id := range 3 {
				s.send("Work", fmt.Sprintf(`{"id": %d}`, id), "prismatic-synchronous", "true")
			}
			s.settle()
			s.requireQueue(queue)
		},
	}
}

func optionsOf(flows ...sluice.Flow) runtime.Options {
	return runtime.Options{Integrations: []*sluice.Integration{{Name: "Shop", Version: "1", Flows: flows}}}
}

// requireQueue holds what is on record to the promises of a queue.
func (s *stage) requireQueue(queue sluice.QueueConfig) {
	s.Helper()
	limit, deduped := 1<<30, true
	switch queue.(type) {
	case nil:
		deduped = false
	case sluice.SequentialQueueConfig:
		limit = 1
	default:
		limit = 2
	}
	executions := s.h.Executions()
	var succeeded int
	seen := map[int]bool{}
	for _, x := range executions {
		if x.Status == store.StatusSucceeded {
			succeeded++
		} else {
			x.RequireFailed(store.ErrUnavailable.Error()) // The caller was told, or it is not retried any more.
		}
		var body item
		require.NoError(s, x.Payload.Body.Decode(&body))
		require.False(s, deduped && seen[body.ID], "item %d was executed twice", body.ID)
		seen[body.ID] = true
		for _, step := range x.Steps {
			require.NotEmpty(s, s.notes.steps[x.ID+" "+step.Name])
		}
	}
	done, err := s.h.Store.State(s.Context(), store.Scope{Kind: store.ScopeInstance, ID: executions[0].Instance}, "done")
	require.NoError(s, err)
	require.Equal(s, strconv.Itoa(succeeded), string(done), "state changes with the outcome, once")
	s.requireOrder(executions, limit)
}

// requireOrder holds recorded attempts to the limit of a lane and to its order.
func (s *stage) requireOrder(executions []*sluicetest.Execution, limit int) {
	s.Helper()
	type edge struct {
		at   time.Time
		step int
	}
	var edges []edge
	for i, x := range executions {
		if i > 0 && limit == 1 {
			require.False(s, x.Attempts[0].StartedAt.Before(executions[i-1].Attempts[0].StartedAt), "execution %d started before the one before", i)
		}
		for _, attempt := range x.Attempts {
			edges = append(edges, edge{attempt.StartedAt, 1}, edge{attempt.EndedAt, -1})
		}
	}
	slices.SortFunc(edges, func(a, b edge) int {
		if order := a.at.Compare(b.at); order != 0 {
			return order
		}
		return a.step - b.step
	})
	running := 0
	for _, e := range edges {
		running += e.step
		require.LessOrEqual(s, running, limit)
	}
}
