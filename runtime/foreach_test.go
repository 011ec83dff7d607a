package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/store"
)

// retriesAtOnce runs a failed execution again, several times, without a delay.
func retriesAtOnce(f *sluice.Flow) { f.RetryConfig = &sluice.RetryConfig{MaxAttempts: 5} }

// TestForEach: every item is a step, also when a later attempt finds another order, and the
// results stand where their items do.
func TestForEach(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("long ", 100)
	ran := map[string]int{}
	x, _ := attempts(t, func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		items := []string{"a", "b", long, "c", "d"}
		if run.Attempt > 1 {
			items = []string{"d", long, "new", "c", "b", "a"}
		}
		results, err := sluice.ForEach(ctx, "items", items, func(_ context.Context, item string, index int) (string, error) {
			require.Equal(t, items[index], item)
			ran[item]++
			if item == "c" && run.Attempt == 1 {
				return "", errors.New("c is down")
			}
			return strings.ToUpper(item), nil
		})
		for i := range results {
			require.Equal(t, strings.ToUpper(items[i]), results[i])
		}
		return &sluice.Result{Data: len(results)}, err
	}, retriesAtOnce)
	require.Equal(t, store.StatusSucceeded, x.Status)
	require.Equal(t, "items: item 3: c is down", x.Attempts[0].Error)
	require.Equal(t, "6", string(x.Result.Data))
	require.Equal(t, map[string]int{"a": 1, "b": 1, long: 1, "c": 2, "d": 1, "new": 1}, ran)
	require.Len(t, x.Steps, 6)
}

// TestForEachKnowsItems draws lists of few values, so that equal ones occur, in which items
// fail and which a later attempt finds in another order: no item that was journalled runs
// again, and every result is that of its item.
func TestForEachKnowsItems(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		items := rapid.SliceOfN(rapid.IntRange(0, 3), 0, 6).Draw(rt, "items")
		order := rapid.Permutation(items).Draw(rt, "order")
		concurrency := rapid.IntRange(1, 4).Draw(rt, "concurrency")
		fails := rapid.IntRange(0, 8).Draw(rt, "fails")
		var mu sync.Mutex
		ran, calls := map[int]int{}, 0
		x, _ := attempts(t, func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
			list := items
			if run.Attempt > 1 {
				list = order
			}
			results, err := sluice.ForEach(ctx, "items", list, func(_ context.Context, item, _ int) (int, error) {
				mu.Lock()
				defer mu.Unlock()
				if calls++; calls == fails {
					return 0, errors.New("no")
				}
				ran[item]++
				return 10 * item, nil
			}, sluice.WithConcurrency(concurrency))
			for i := range results {
				require.Equal(t, 10*list[i], results[i])
			}
			return nil, err
		}, retriesAtOnce)
		require.Equal(t, store.StatusSucceeded, x.Status)
		want := map[int]int{}
		for _, item := range items {
			want[item]++
		}
		require.Equal(t, want, ran)
	})
}

func TestForEachConcurrency(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	running, most := 0, 0
	items := make([]int, 10)
	for i := range items {
		items[i] = i
	}
	x, took := attempts(t, func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
		results, err := sluice.ForEach(ctx, "items", items, func(_ context.Context, item, _ int) (int, error) {
			mu.Lock()
			running++
			most = max(most, running)
			mu.Unlock()
			time.Sleep(time.Second) // Virtual.
			mu.Lock()
			defer mu.Unlock()
			running--
			return item, nil
		}, sluice.WithConcurrency(3))
		return &sluice.Result{Data: slices.Equal(results, items)}, err
	})
	require.Equal(t, "true", string(x.Result.Data))
	require.Equal(t, 3, most)
	require.Equal(t, 4*time.Second, took)
}

// TestForEachStopsAtTheFirstError: what runs beside it comes to its end and is kept.
func TestForEachStopsAtTheFirstError(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var ended []int
	x, _ := attempts(t, func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
		_, err := sluice.ForEach(ctx, "items", []int{0, 1, 2, 3, 4}, func(_ context.Context, item, _ int) (int, error) {
			if item == 1 {
				time.Sleep(time.Second) // Virtual, as the others' time.
				return 0, errors.New("no")
			}
			time.Sleep(2 * time.Second)
			mu.Lock()
			defer mu.Unlock()
			ended = append(ended, item)
			return item, nil
		}, sluice.WithConcurrency(3))
		failed, ok := errors.AsType[*sluice.ItemError](err)
		require.True(t, ok)
		require.Equal(t, 1, failed.Index)
		return nil, err
	})
	require.Equal(t, "items: item 1: no", x.Error)
	require.ElementsMatch(t, []int{0, 2}, ended)
	require.Len(t, x.Steps, 2)
}

// TestForEachErrors: the error config holds for each item.
func TestForEachErrors(t *testing.T) {
	t.Parallel()
	x, _ := attempts(t, func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
		results, err := sluice.ForEach(ctx, "items", []int{1, 2, 3}, func(_ context.Context, item, _ int) (int, error) {
			if item == 2 {
				return 0, errors.New("two is down")
			}
			return item, nil
		}, sluice.WithErrorConfig(ignoring))
		return &sluice.Result{Data: results}, err
	})
	require.Equal(t, "[1,0,3]", string(x.Result.Data))
	require.Equal(t, "two is down", x.Steps[1].Error)
}

// TestLoopsOfOneName: one after the other they are told apart, and so are the steps of items.
func TestLoopsOfOneName(t *testing.T) {
	t.Parallel()
	calls := 0
	pages := func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
		var all []string
		for page := range 2 {
			results, err := sluice.ForEach(ctx, "items", []string{"a", "b"}, func(ctx context.Context, item string, _ int) (string, error) {
				return sluice.Step(ctx, "send", func(context.Context) (string, error) {
					if calls++; calls == 2 || calls == 4 {
						return "", errors.New("again")
					}
					return fmt.Sprint(item, page), nil
				})
			})
			if err != nil {
				return nil, err
			}
			all = append(all, results...)
		}
		return &sluice.Result{Data: all}, nil
	}
	x, _ := attempts(t, pages, retriesAtOnce)
	require.JSONEq(t, `["a0","b0","a1","b1"]`, string(x.Result.Data))
	require.Equal(t, 6, calls)
}

func TestForEachMisuse(t *testing.T) {
	t.Parallel()
	nothing := func(context.Context, any, int) (any, error) { return nil, nil }
	tests := map[string]struct {
		flow func(ctx context.Context) error
		want string
	}{
		"two at the same time": {func(ctx context.Context) error {
			_, err := sluice.ForEach(ctx, "a", []int{1}, func(context.Context, int, int) (any, error) {
				return sluice.ForEach(ctx, "a", []any{1}, nothing)
			})
			return err
		}, `loop "a": sluice: two steps of one name at the same time`},
		"two at the same time, with keys": {func(ctx context.Context) error {
			_, err := sluice.ForEach(ctx, "a", []int{1}, func(context.Context, int, int) (any, error) {
				return sluice.ForEach(ctx, "a", []any{1}, nothing, sluice.WithKey("k"))
			})
			return err
		}, ""},
		"items that are no JSON": {func(ctx context.Context) error {
			_, err := sluice.ForEach(ctx, "a", []any{func() {}}, nothing)
			return err
		}, `loop "a": item 0 cannot be told from others`},
		"no concurrency": {func(ctx context.Context) error {
			_, err := sluice.ForEach(ctx, "a", nil, nothing, sluice.WithConcurrency(0))
			return err
		}, "WithConcurrency needs at least 1"},
		"a panic": {func(ctx context.Context) error {
			_, err := sluice.ForEach(ctx, "a", []int{1, 2}, func(context.Context, int, int) (any, error) { panic("boom") }, sluice.WithConcurrency(2))
			return err
		}, "a: item 0: panic: boom"},
		"no items": {func(ctx context.Context) error {
			results, err := sluice.ForEach(ctx, "a", nil, nothing)
			require.NotNil(t, results)
			return err
		}, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x, _ := attempts(t, func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) { return nil, test.flow(ctx) })
			if test.want == "" {
				require.Empty(t, x.Error)
				return
			}
			require.Contains(t, x.Error, test.want)
		})
	}
}

// TestParallelSteps: steps under an errgroup, some of which fail at first.
func TestParallelSteps(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	ran := map[int]int{}
	x, _ := attempts(t, func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		var group errgroup.Group
		for n := range 20 {
			group.Go(func() error {
				got, err := sluice.Step(ctx, "step", func(context.Context) (int, error) {
					mu.Lock()
					defer mu.Unlock()
					if run.Attempt == 1 && n%3 == 0 {
						return 0, errors.New("no")
					}
					ran[n]++
					return n, nil
				}, sluice.WithKey(strconv.Itoa(n)))
				if err == nil && got != n {
					return fmt.Errorf("step %d got the result of step %d", n, got)
				}
				return err
			})
		}
		return nil, group.Wait()
	}, retriesAtOnce)
	require.Equal(t, store.StatusSucceeded, x.Status)
	require.Len(t, ran, 20)
	for n, times := range ran {
		require.Equal(t, 1, times, "step %d", n)
	}
}
