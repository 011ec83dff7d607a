package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
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

// recorder is a flow that takes a second and keeps what started, and how many at once.
type recorder struct {
	fails func(body string, attempt int) bool

	mu            sync.Mutex
	started       []string // bodies, each with its attempt
	running, most int
}

func (r *recorder) flow(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
	body, err := run.Payload.Body.Bytes()
	if err != nil {
		return nil, err
	}
	r.count(1, fmt.Sprintf("%s/%d", body, run.Attempt))
	defer r.count(-1, "")
	timer := time.NewTimer(time.Second)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if r.fails != nil && r.fails(string(body), run.Attempt) {
		return nil, errors.New("no")
	}
	return &sluice.Result{Data: string(body)}, nil
}

func (r *recorder) count(by int, started string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running += by
	r.most = max(r.most, r.running)
	if started != "" {
		r.started = append(r.started, started)
	}
}

// firsts are the bodies whose first attempt started, in that order.
func (r *recorder) firsts() (bodies []string) {
	for _, started := range r.started {
		if body, first := strings.CutSuffix(started, "/1"); first {
			bodies = append(bodies, body)
		}
	}
	return bodies
}

func queued(queue sluice.QueueConfig) func(*sluice.Flow) {
	return func(f *sluice.Flow) { f.QueueConfig = queue }
}

func retried(attempts, minutes int) func(*sluice.Flow) {
	return func(f *sluice.Flow) {
		f.RetryConfig = &sluice.RetryConfig{MaxAttempts: attempts, DelayMinutes: minutes}
	}
}

// TestSequentialKeepsTheOrder posts many webhooks of which some fail and are retried.
func TestSequentialKeepsTheOrder(t *testing.T) {
	t.Parallel()
	const count = 1000
	r := &recorder{fails: func(body string, attempt int) bool { return strings.HasSuffix(body, "7") && attempt == 1 }}
	run(t, integrationOf(r.flow, queued(sluice.SequentialQueueConfig{}), retried(1, 1)), func(t *testing.T, h *sluicetest.Harness) {
		var bodies []string
		for n := range count {
			bodies = append(bodies, strconv.Itoa(n))
			require.Equal(t, http.StatusOK, h.Post("Flow", bodies[n]).StatusCode)
		}
		h.Advance(2 * count * time.Second)
		require.Equal(t, bodies, r.firsts())
		require.Equal(t, 1, r.most)
		require.Len(t, r.started, count+count/10)
		for _, x := range h.Executions() {
			require.Equal(t, store.StatusSucceeded, x.Status)
			if len(x.Attempts) > 1 {
				late := x.Attempts[1].StartedAt.Sub(x.Attempts[0].NextAttempt)
				require.LessOrEqual(t, late, time.Second, "a due retry goes ahead of what has not started")
			}
		}
	})
}

func TestQueues(t *testing.T) {
	t.Parallel()
	two := 2
	tests := map[string]struct {
		queue sluice.QueueConfig
		most  int
	}{
		"sequential":             {sluice.SequentialQueueConfig{}, 1},
		"throttled":              {sluice.ThrottledQueueConfig{ConcurrencyLimit: 3}, 3},
		"throttled, a pointer":   {&sluice.ThrottledQueueConfig{ConcurrencyLimit: 15}, 15},
		"standard, in order":     {sluice.StandardQueueConfig{UsesFIFOQueue: true}, 1},
		"standard, two at once":  {sluice.StandardQueueConfig{UsesFIFOQueue: true, ConcurrencyLimit: &two}, 2},
		"standard, without fifo": {sluice.StandardQueueConfig{}, 100},
		"parallel":               {sluice.ParallelQueueConfig{}, 100},
		"none":                   {nil, 100},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &recorder{}
			run(t, integrationOf(r.flow, queued(test.queue)), func(t *testing.T, h *sluicetest.Harness) {
				var bodies []string
				for n := range 100 {
					bodies = append(bodies, strconv.Itoa(n))
					require.Equal(t, http.StatusOK, h.Post("Flow", bodies[n]).StatusCode)
				}
				h.Advance(2 * time.Minute)
				require.Equal(t, test.most, r.most)
				if test.most == 1 {
					require.Equal(t, bodies, r.firsts())
				}
				ended := h.Executions()
				for i := range ended[1:] {
					require.False(t, ended[i+1].Attempts[0].StartedAt.Before(ended[i].Attempts[0].StartedAt), "they start in their order")
				}
			})
		})
	}
}

// TestLanesAreOfOneFlowOfOneInstance: neither another flow nor another customer waits.
func TestLanesAreOfOneFlowOfOneInstance(t *testing.T) {
	t.Parallel()
	r := &recorder{}
	integration := integrationOf(r.flow, queued(sluice.SequentialQueueConfig{}))
	other := integration.Flows[0]
	other.Name, other.StableKey = "Other", "other"
	integration.Flows = append(integration.Flows, other)
	sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		for _, instance := range deployFor(h, "a", "b") {
			for range 3 {
				for _, url := range instance.WebhookURLs {
					require.Equal(t, http.StatusOK, call(t, h, url, `{}`).StatusCode)
				}
			}
		}
		began := time.Now()
		h.Drain()
		require.Equal(t, 4, r.most)
		require.Less(t, time.Since(began), 5*time.Second)
	})
}

func TestBlockOnRetry(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		queue sluice.QueueConfig
		want  []string
	}{
		"sequential":           {sluice.SequentialQueueConfig{}, []string{"0/1", "1/1", "2/1", "3/1", "0/2"}},
		"sequential, blocking": {sluice.SequentialQueueConfig{BlockOnRetry: true}, []string{"0/1", "0/2", "1/1", "2/1", "3/1"}},
		"throttled":            {sluice.ThrottledQueueConfig{ConcurrencyLimit: 2}, []string{"0/1", "1/1", "2/1", "3/1", "0/2"}},
		"throttled, blocking":  {sluice.ThrottledQueueConfig{ConcurrencyLimit: 2, BlockOnRetry: true}, []string{"0/1", "1/1", "2/1", "3/1", "0/2"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &recorder{fails: func(body string, attempt int) bool { return body == "0" && attempt == 1 }}
			run(t, integrationOf(r.flow, queued(test.queue), retried(1, 1)), func(t *testing.T, h *sluicetest.Harness) {
				for n := range 4 {
					h.Post("Flow", strconv.Itoa(n))
					h.Advance(1)
				}
				h.Drain()
				require.Equal(t, test.want, r.started)
				if name == "throttled, blocking" {
					all := h.Executions()
					require.Equal(t, time.Second, all[3].Attempts[0].StartedAt.Sub(all[2].Attempts[0].StartedAt), "one seat of two is kept")
				}
			})
		})
	}
}

// TestDedupeByTheTrigger names requests in the trigger, whatever the queue.
func TestDedupeByTheTrigger(t *testing.T) {
	t.Parallel()
	trigger := func(_ context.Context, _ *sluice.Run, payload *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
		body, err := payload.Body.Bytes()
		return &sluice.TriggerResult{DedupeID: string(body)}, err
	}
	for name, queue := range map[string]sluice.QueueConfig{
		"none": nil, "parallel": sluice.ParallelQueueConfig{}, "throttled": sluice.ThrottledQueueConfig{ConcurrencyLimit: 2},
		"sequential": sluice.SequentialQueueConfig{}, "standard": sluice.StandardQueueConfig{UsesFIFOQueue: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &recorder{}
			integration := integrationOf(r.flow, queued(queue), func(f *sluice.Flow) { f.OnTrigger = trigger })
			run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
				ids := map[string]string{}
				for _, body := range []string{"1", "2", "1", "3", "2", "1"} {
					answer := h.Post("Flow", body)
					if first, again := ids[body]; again {
						require.JSONEq(t, `{"executionId":"`+first+`","duplicate":true}`, answer.Text)
					}
					ids[body] = executionID(t, answer)
				}
				h.Drain()
				slices.Sort(r.started)
				require.Equal(t, []string{"1/1", "2/1", "3/1"}, r.started)
			})
		})
	}
}

// TestFullQueueEmpties: what a queued flow's executions take of the queue they give back.
func TestFullQueueEmpties(t *testing.T) {
	t.Parallel()
	r := &recorder{}
	options := runtime.Options{MaxQueued: 8}
	runWith(t, options, integrationOf(r.flow, queued(sluice.SequentialQueueConfig{})), func(t *testing.T, h *sluicetest.Harness) {
		for range 5 {
			accepted := 0
			for h.Post("Flow", `{}`).StatusCode == http.StatusOK {
				accepted++
			}
			require.Equal(t, 1+4, accepted, "one runs, and alone an instance gets half of the queue")
			h.Advance(time.Minute)
		}
	})
}

// TestRemovedInstanceLeavesTheQueue to others.
func TestRemovedInstanceLeavesTheQueue(t *testing.T) {
	t.Parallel()
	r := &recorder{}
	options := runtime.Options{MaxQueued: 8}
	runWith(t, options, integrationOf(r.flow, queued(sluice.SequentialQueueConfig{})), func(t *testing.T, h *sluicetest.Harness) {
		for range 3 {
			instance := h.Deploy(runtime.Deployment{})
			accepted := 0
			for h.Post("Flow", `{}`).StatusCode == http.StatusOK {
				accepted++
			}
			require.Equal(t, 1+4, accepted)
			require.NoError(t, h.Runtime.Delete(t.Context(), instance.ID))
			h.Advance(time.Minute)
		}
	})
}

// TestSynchronousCallersWaitForTheirSeat: behind what was accepted before them.
func TestSynchronousCallersWaitForTheirSeat(t *testing.T) {
	t.Parallel()
	r := &recorder{}
	answers := map[string]struct {
		result *sluice.Result
		err    error
		status int
		body   string
	}{
		`"json"`:    {&sluice.Result{Data: map[string]int{"a": 1}}, nil, 200, `{"a":1}`},
		`"text"`:    {&sluice.Result{Data: `"plain"`, ContentType: "text/plain", StatusCode: 201}, nil, 201, `"plain"`},
		`"binary"`:  {&sluice.Result{Data: []byte{0, 255}, StatusCode: 200}, nil, 200, "\x00\xff"},
		`"header"`:  {&sluice.Result{Headers: map[string]string{"X-A": "b"}}, nil, 200, `null`},
		`"reject"`:  {nil, fmt.Errorf("wrapped: %w", sluice.Reject(409, "taken")), 409, `{"error":"taken"}`},
		`"fails"`:   {nil, errors.New("no"), 400, `{"error":"no"}`},
		`"panics"`:  {nil, nil, 500, `{"error":"The flow panicked."}`},
		`"too big"`: {&sluice.Result{Data: strings.Repeat("x", 6_000_000)}, nil, 303, ``},
	}
	flow := func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		if _, err := r.flow(ctx, run); err != nil {
			return nil, err
		}
		body, err := run.Payload.Body.Bytes()
		if err != nil || string(body) == `{}` {
			return nil, err
		}
		answer := answers[string(body)]
		if answer.status == 500 {
			panic("boom")
		}
		return answer.result, answer.err
	}
	run(t, integrationOf(flow, queued(sluice.SequentialQueueConfig{}), retried(3, 1)), func(t *testing.T, h *sluicetest.Harness) {
		for body, want := range answers {
			began := time.Now()
			before := h.Post("Flow", `{}`)
			answer := h.Post("Flow", body, "prismatic-synchronous", "true")
			id := answer.Header.Get("prismatic-executionid")
			require.Equal(t, want.status, answer.StatusCode, answer.Text)
			require.Equal(t, want.body, answer.Text)
			require.Equal(t, 2*time.Second, time.Since(began))
			require.Equal(t, store.StatusSucceeded, h.Execution(executionID(t, before)).Status)
			require.Len(t, h.Execution(id).Attempts, 1, "a synchronous execution is never retried")
			if body == `"header"` {
				require.Equal(t, "b", answer.Header.Get("X-A"))
			}
		}
		for range 40 {
			h.Post("Flow", `{}`)
		}
		answer := h.Post("Flow", `"json"`, "prismatic-synchronous", "true")
		require.Equal(t, http.StatusGatewayTimeout, answer.StatusCode)
		h.Advance(time.Minute)
		require.Equal(t, store.StatusSucceeded, h.Execution(executionID(t, answer)).Status, "it goes on")
	})
}

// TestSynchronousCallersWaitForOtherProcesses: the seat is taken by one runtime, the caller
// waits at another.
func TestSynchronousCallersWaitForOtherProcesses(t *testing.T) {
	t.Parallel()
	r := &recorder{}
	inMemory(t, func(t *testing.T, database store.Store) {
		one := startOn(t, database, integrationOf(r.flow, queued(sluice.SequentialQueueConfig{})))
		two := startOn(t, database, integrationOf(r.flow, queued(sluice.SequentialQueueConfig{})))
		require.Equal(t, http.StatusOK, send(t, one, `1`).Code)
		began := time.Now()
		answer := send(t, two, `2`, "prismatic-synchronous", "true")
		require.Equal(t, http.StatusOK, answer.Code)
		require.Equal(t, `"2"`, answer.Body.String())
		require.Equal(t, 2*time.Second, time.Since(began))
		require.NoError(t, errors.Join(one.Stop(t.Context()), two.Stop(t.Context())))
	})
}

// TestSynchronousIsKeptWithTheExecution: it is not retried when another runtime goes on.
func TestSynchronousIsKeptWithTheExecution(t *testing.T) {
	t.Parallel()
	flow := func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
		runs := 0
		if _, err := counter(ctx, &runs, "step"); err != nil {
			return nil, err
		}
		if runs == 1 {
			<-ctx.Done()
		}
		return nil, errors.New("no")
	}
	inMemory(t, func(t *testing.T, database store.Store) {
		rt := startOn(t, database, integrationOf(flow, retried(3, 1)))
		var id string
		go func() { id = idOf(send(t, rt, `{}`, "prismatic-synchronous", "true")) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.NoError(t, rt.Stop(ctx))
		synctest.Wait()
		rt = startOn(t, database, integrationOf(flow, retried(3, 1)))
		synctest.Wait()
		require.Equal(t, store.StatusFailed, execution(t, rt, id).Status)
		require.NoError(t, errors.Join(rt.Stop(t.Context())))
	})
}

// TestNoTenantStarves has customers queue hundreds of webhooks before and after another sends one.
func TestNoTenantStarves(t *testing.T) {
	t.Parallel()
	flow := func(context.Context, *sluice.Run) (*sluice.Result, error) {
		time.Sleep(time.Second) // Virtual.
		return nil, nil
	}
	options := runtime.Options{Integrations: []*sluice.Integration{integrationOf(flow)}, Concurrency: 2}
	sluicetest.RunOptions(t, sluicetest.Options{Runtime: options}, func(t *testing.T, h *sluicetest.Harness) {
		var id string
		for i, instance := range deployFor(h, "busy", "quiet", "busy too") {
			for range []int{100, 1, 100}[i] {
				answer := call(t, h, instance.WebhookURLs["Flow"], `{}`)
				if i == 1 {
					id = executionID(t, answer)
				}
			}
		}
		began := time.Now()
		h.Advance(10 * time.Second)
		x := h.Execution(id)
		require.Equal(t, store.StatusSucceeded, x.Status)
		require.LessOrEqual(t, x.Attempts[0].StartedAt.Sub(began), 4*time.Second)
		h.Advance(time.Hour)
	})
}
