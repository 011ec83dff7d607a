package runtime_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
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

// numbers is a batch trigger whose pages count up to last, three at a time.
func numbers(last int) sluice.BatchFunc[int, int] {
	return func(_ context.Context, _ *sluice.Run, _ *sluice.TriggerPayload, cursor *int) (*sluice.BatchPage[int, int], error) {
		page := &sluice.BatchPage[int, int]{}
		from := 1
		if cursor != nil {
			from = *cursor
		}
		for n := from; n < from+3 && n <= last; n++ {
			page.Items = append(page.Items, n)
		}
		if next := from + 3; next <= last {
			page.PaginationState = &next
		}
		return page, nil
	}
}

// batched gives a flow a batch trigger.
func batched(trigger sluice.BatchTrigger[int, int], config sluice.BatchConfig) func(*sluice.Flow) {
	return func(f *sluice.Flow) { f.Trigger, f.BatchConfig = trigger, &config }
}

// batchNotes notes the batches that a flow receives.
func (n *notes) batch(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
	n.add(fmt.Sprintf("%d/%d %s", run.Batch.Page, run.Batch.Index, encoded(run.Payload.Body)))
	return nil, nil
}

func encoded(body sluice.Body) string {
	data, _ := json.Marshal(body.Data())
	return string(data)
}

// in order of their pages.
func (n *notes) sorted() []string {
	lines := n.list()
	slices.Sort(lines)
	return lines
}

func TestBatches(t *testing.T) {
	t.Parallel()
	for size, want := range map[int][]string{
		1: {"1/0 1", "1/1 2", "1/2 3", "2/0 4", "2/1 5", "2/2 6", "3/0 7"},
		2: {"1/0 [1,2]", "1/1 [3]", "2/0 [4,5]", "2/1 [6]", "3/0 [7]"},
		9: {"1/0 [1,2,3]", "2/0 [4,5,6]", "3/0 [7]"},
	} {
		t.Run(strconv.Itoa(size), func(t *testing.T) {
			t.Parallel()
			var got notes
			integration := integrationOf(got.batch, batched(sluice.BatchTrigger[int, int]{OnTrigger: numbers(7)}, sluice.BatchConfig{BatchSize: size}))
			run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
				id := executionID(t, h.Post("Flow", `{"why":"test"}`))
				h.Drain()
				require.Equal(t, want, got.sorted())
				pages, batches := 0, 0
				for _, x := range h.Executions() {
					require.Equal(t, store.StatusSucceeded, x.Status, x.Error)
					if x.InvokeType == sluice.InvokeBatch {
						batches++
					} else {
						pages++
						require.Equal(t, sluice.InvokeWebhook, x.InvokeType)
					}
				}
				require.Equal(t, 3, pages)
				require.Len(t, want, batches)
				require.Contains(t, string(h.Execution(id).Result.Data), `"items":3`)
			})
		})
	}
}

// TestFailedBatch is tried again alone.
func TestFailedBatch(t *testing.T) {
	t.Parallel()
	var got notes
	var failures atomic.Int64
	integration := integrationOf(func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		_, err := got.batch(ctx, run)
		if run.Batch.Page == 2 && failures.Add(1) == 1 {
			return nil, errors.New("not yet")
		}
		return nil, err
	}, batched(sluice.BatchTrigger[int, int]{OnTrigger: numbers(7)}, sluice.BatchConfig{BatchSize: 3}), func(f *sluice.Flow) {
		f.RetryConfig = &sluice.RetryConfig{MaxAttempts: 1, DelayMinutes: 1}
	})
	run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		h.Post("Flow", `{}`)
		h.Drain()
		require.Equal(t, []string{"1/0 [1,2,3]", "2/0 [4,5,6]", "2/0 [4,5,6]", "3/0 [7]"}, got.sorted())
	})
}

// TestBatchLimit bounds how many batches run at once, and so does the flow's queue.
func TestBatchLimit(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		limit int
		queue sluice.QueueConfig
		most  int
	}{
		"of the batches":             {2, nil, 2},
		"beside a sequential queue":  {3, sluice.SequentialQueueConfig{}, 1},
		"below that of the queue":    {2, sluice.ThrottledQueueConfig{ConcurrencyLimit: 4}, 2},
		"beyond that of the queue":   {4, sluice.ThrottledQueueConfig{ConcurrencyLimit: 3}, 3},
		"beside a queue without one": {2, sluice.ParallelQueueConfig{}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var running, most atomic.Int64
			integration := integrationOf(func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
				most.Store(max(most.Load(), running.Add(1)))
				pass(ctx, time.Second)
				running.Add(-1)
				return nil, nil
			}, batched(sluice.BatchTrigger[int, int]{OnTrigger: numbers(12)}, sluice.BatchConfig{BatchSize: 1, ConcurrentBatchLimit: &test.limit}),
				queued(test.queue))
			run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
				began := time.Now()
				h.Post("Flow", `{}`)
				h.Drain()
				require.EqualValues(t, test.most, most.Load())
				require.Equal(t, time.Duration(12/test.most)*time.Second, time.Since(began).Truncate(time.Second))
			})
		})
	}
}

// TestBatchesThatDoNotFitTheSchema fail alone, and are not tried again.
func TestBatchesThatDoNotFitTheSchema(t *testing.T) {
	t.Parallel()
	type item = map[string]any
	var got notes
	page := func(context.Context, *sluice.Run, *sluice.TriggerPayload, *int) (*sluice.BatchPage[item, int], error) {
		return &sluice.BatchPage[item, int]{Items: []item{{"id": 1}, {"id": "x"}, {"id": 3}}}, nil
	}
	integration := integrationOf(got.batch, retried(3, 1), func(f *sluice.Flow) {
		f.Trigger, f.BatchConfig = sluice.BatchTrigger[item, int]{OnTrigger: page}, &sluice.BatchConfig{BatchSize: 1}
		f.Schemas = &sluice.FlowSchemas{Invoke: &sluice.FlowSchema{
			Properties: map[string]sluice.SchemaProperty{"id": {Description: "Id", Type: "integer"}},
		}}
	})
	run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		h.Post("Flow", `{}`)
		h.Drain()
		require.Equal(t, []string{`1/0 {"id":1}`, `1/2 {"id":3}`}, got.sorted())
		failed := h.Find(store.Filter{Status: store.StatusFailed})
		require.Len(t, failed, 1)
		require.Contains(t, failed[0].Error, "id")
		require.Len(t, failed[0].Attempts, 1)
	})
}

// TestEndlessPages ends with an error where a cursor comes back.
func TestEndlessPages(t *testing.T) {
	t.Parallel()
	var got notes
	circle := func(_ context.Context, _ *sluice.Run, _ *sluice.TriggerPayload, cursor *int) (*sluice.BatchPage[int, int], error) {
		next := 1
		if cursor != nil {
			next = *cursor%3 + 1
		}
		return &sluice.BatchPage[int, int]{Items: []int{next}, PaginationState: &next}, nil
	}
	integration := integrationOf(got.batch, batched(sluice.BatchTrigger[int, int]{OnTrigger: circle}, sluice.BatchConfig{BatchSize: 1}))
	run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		h.Post("Flow", `{}`)
		h.Drain()
		require.Equal(t, []string{"1/0 1", "2/0 2", "3/0 3", "4/0 1"}, got.sorted())
		var failed []string
		for _, x := range h.Executions() {
			if x.Status == store.StatusFailed {
				failed = append(failed, x.Error)
			}
		}
		require.Len(t, failed, 1)
		require.Contains(t, failed[0], "the cursor 1 leads back to a page that was fetched before")
	})
}

// TestFailedPage is fetched again by the flow's RetryConfig; what it accepted before, it does
// not accept again.
func TestFailedPage(t *testing.T) {
	t.Parallel()
	var got notes
	fetched := 0
	trigger := func(ctx context.Context, run *sluice.Run, payload *sluice.TriggerPayload, cursor *int) (*sluice.BatchPage[int, int], error) {
		if fetched++; fetched == 2 {
			return nil, errors.New("rate limit")
		}
		require.JSONEq(t, `{"since":"yesterday"}`, encoded(payload.Body))
		return numbers(7)(ctx, run, payload, cursor)
	}
	integration := integrationOf(got.batch, batched(sluice.BatchTrigger[int, int]{OnTrigger: trigger}, sluice.BatchConfig{BatchSize: 3}), func(f *sluice.Flow) {
		f.RetryConfig = &sluice.RetryConfig{MaxAttempts: 1, DelayMinutes: 1}
	})
	run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		id := executionID(t, h.Post("Flow", `{"since":"yesterday"}`))
		h.Drain()
		require.Equal(t, []string{"1/0 [1,2,3]", "2/0 [4,5,6]", "3/0 [7]"}, got.sorted())
		require.Equal(t, "page 2: rate limit", h.Execution(id).Attempts[0].Error)
	})
}

// TestReplayedPages are spread again, with all that come after them; a batch is that batch,
// and heeds the limit of batches.
func TestReplayedPages(t *testing.T) {
	t.Parallel()
	var got notes
	limit := 1
	slowly := func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		pass(ctx, time.Second)
		return got.batch(ctx, run)
	}
	config := sluice.BatchConfig{BatchSize: 2, ConcurrentBatchLimit: &limit}
	run(t, integrationOf(slowly, batched(sluice.BatchTrigger[int, int]{OnTrigger: numbers(7)}, config)), func(t *testing.T, h *sluicetest.Harness) {
		page := executionID(t, h.Post("Flow", `{}`))
		h.Drain()
		first := []string{"1/0 [1,2]", "1/1 [3]", "2/0 [4,5]", "2/1 [6]", "3/0 [7]"}
		require.Equal(t, first, got.list())
		var second string
		var batches []string
		for _, x := range h.Executions() {
			if x.InvokeType == sluice.InvokeBatch {
				batches = append(batches, x.ID)
			} else if strings.Contains(string(x.Result.Data), `"page":2`) {
				second = x.ID
			}
		}
		replay(t, h, page, runtime.ReplayOptions{})
		require.Equal(t, first, got.list()[5:])
		replay(t, h, second, runtime.ReplayOptions{})
		require.Equal(t, first[2:], got.list()[10:])
		began := time.Now()
		for _, id := range batches {
			_, err := h.Runtime.Replay(t.Context(), id, runtime.ReplayOptions{})
			require.NoError(t, err)
		}
		h.Drain()
		require.ElementsMatch(t, first, got.list()[13:])
		require.Equal(t, 5*time.Second, time.Since(began).Truncate(time.Second))
	})
}

// TestBatchesOnDeploy runs the initial sync once, when an instance is first deployed.
func TestBatchesOnDeploy(t *testing.T) {
	t.Parallel()
	var got notes
	trigger := sluice.BatchTrigger[int, int]{OnTrigger: numbers(0), OnDeploy: numbers(4)}
	integration := integrationOf(got.batch, batched(trigger, sluice.BatchConfig{BatchSize: 2}))
	integration.ConfigPages = []sluice.ConfigPage{{Name: "Page", Elements: []sluice.ConfigElement{sluice.StringVar{Key: "Any", StableKey: "any"}}}}
	sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		h.Drain()
		want := []string{"1/0 [1,2]", "1/1 [3]", "2/0 [4]"}
		require.Equal(t, want, got.sorted())
		h.Deploy(runtime.Deployment{Config: map[string]any{"Any": "changed"}})
		h.Drain()
		require.Equal(t, want, got.sorted())
		h.Post("Flow", `{}`)
		h.Drain()
		require.Equal(t, want, got.sorted())
	})
}

// TestOnDeployTrigger starts the flow with what the trigger makes of the first deployment.
func TestOnDeployTrigger(t *testing.T) {
	t.Parallel()
	var got notes
	integration := integrationOf(func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
		got.add(string(run.InvokeType) + " " + encoded(run.Payload.Body))
		return nil, nil
	}, func(f *sluice.Flow) {
		f.OnTrigger = func(context.Context, *sluice.Run, *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
			return nil, nil
		}
		f.OnDeployTrigger = func(_ context.Context, _ *sluice.Run, payload *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
			payload.Body = sluice.NewBody("backfill")
			return &sluice.TriggerResult{Payload: payload}, nil
		}
	})
	run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		h.Post("Flow", `1`)
		h.Drain()
		require.Equal(t, []string{`deploy "backfill"`, "webhook 1"}, got.sorted())
	})
}

// TestOnDeployTriggerOfADeploymentThatFailed is not called again by the next one.
func TestOnDeployTriggerOfADeploymentThatFailed(t *testing.T) {
	t.Parallel()
	down := true
	var got notes
	integration := integrationOf(func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
		got.add(string(run.InvokeType))
		return nil, nil
	}, func(f *sluice.Flow) {
		f.OnTrigger = func(context.Context, *sluice.Run, *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
			return nil, nil
		}
		f.OnDeployTrigger = func(context.Context, *sluice.Run, *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
			got.add("initial sync")
			return nil, nil
		}
		f.WebhookLifecycleHandlers = &sluice.WebhookLifecycleHandlers{
			Create: func(context.Context, *sluice.Run) (*sluice.LifecycleResult, error) {
				if down {
					return nil, errors.New("the provider is down")
				}
				return nil, nil
			},
			Delete: func(context.Context, *sluice.Run) (*sluice.LifecycleResult, error) { return nil, nil },
		}
	})
	sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		_, err := h.Runtime.Deploy(t.Context(), runtime.Deployment{})
		require.Error(t, err)
		down = false
		h.Deploy(runtime.Deployment{})
		h.Drain()
		require.Equal(t, []string{"deploy", "initial sync"}, got.sorted())
	})
}

// TestStopBetweenPages ends a runtime while it fetches a page: the next one goes on, and
// every batch runs once.
func TestStopBetweenPages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		database := sharedDatabase(t)
		var got notes
		trigger := func(ctx context.Context, run *sluice.Run, payload *sluice.TriggerPayload, cursor *int) (*sluice.BatchPage[int, int], error) {
			if cursor != nil {
				pass(ctx, 20*time.Second)
			}
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			return numbers(30)(ctx, run, payload, cursor)
		}
		integration := integrationOf(got.batch, scheduled(sluice.Schedule{Value: "0 0 * * *"}),
			batched(sluice.BatchTrigger[int, int]{OnTrigger: trigger}, sluice.BatchConfig{BatchSize: 2}))
		rt := startOn(t, database, integration)
		_, err := rt.Deploy(t.Context(), runtime.Deployment{})
		require.NoError(t, err)
		time.Sleep(24 * time.Hour)
		for range 8 {
			time.Sleep(50 * time.Second)
			ended, cancel := context.WithCancel(t.Context())
			cancel()
			require.NoError(t, rt.Stop(ended))
			rt = startOn(t, database, integration)
		}
		time.Sleep(time.Hour)
		require.NoError(t, rt.Stop(t.Context()))
		require.NoError(t, database.Close())
		ran := got.sorted()
		require.Len(t, ran, 20)
		require.Len(t, slices.Compact(ran), 20, "a batch ran twice")
	})
}

// TestBatchTriggerAnswers the request with the page's response.
func TestBatchTriggerAnswers(t *testing.T) {
	t.Parallel()
	var got notes
	trigger := func(context.Context, *sluice.Run, *sluice.TriggerPayload, *int) (*sluice.BatchPage[int, int], error) {
		return &sluice.BatchPage[int, int]{Items: []int{1}, Response: &sluice.HTTPResponse{StatusCode: 202, Body: "thanks", ContentType: "text/plain"}}, nil
	}
	integration := integrationOf(got.batch, batched(sluice.BatchTrigger[int, int]{OnTrigger: trigger}, sluice.BatchConfig{BatchSize: 1}))
	run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		response := h.Post("Flow", `{}`)
		require.Equal(t, 202, response.StatusCode)
		require.Equal(t, "thanks", response.Text)
		h.Drain()
		require.Equal(t, []string{"1/0 1"}, got.list())
	})
}
