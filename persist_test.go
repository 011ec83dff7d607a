package sluice_test

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// inRun calls code in a run of a flow, as often as it is called.
func inRun(t *testing.T, code func(ctx context.Context, run *sluice.Run) error, test func(again func())) {
	t.Helper()
	integration := &sluice.Integration{Name: "Test", Flows: []sluice.Flow{{
		Name: "Flow", StableKey: "flow", IsSynchronous: true,
		OnExecution: func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) { return nil, code(ctx, run) },
	}}}
	sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		test(func() {
			t.Helper()
			require.Equal(t, "null", h.Post("Flow", `{}`).Text)
		})
	})
}

// TestSeed003_DeDuplicate follows a list that grows at its beginning, and forgets its end, as
// the pages of another system do: every item is new once.
func TestSeed003_DeDuplicate(t *testing.T) {
	t.Parallel()
	type order struct {
		ID int `json:"orderid"`
	}
	rapid.Check(t, func(rt *rapid.T) {
		runs := rapid.SliceOfN(rapid.IntRange(0, 3), 1, 5).Draw(rt, "new orders of each run")
		keep := rapid.IntRange(3, 6).Draw(rt, "length of the list")
		var list []order
		var got, want []int
		inRun(t, func(ctx context.Context, run *sluice.Run) error {
			fresh, err := sluice.DeDuplicate(ctx, run.InstanceState(), "orders", list, func(o order) int { return o.ID })
			for _, o := range slices.Backward(fresh) {
				got = append(got, o.ID)
			}
			return err
		}, func(again func()) {
			for _, added := range runs {
				for range added {
					want = append(want, len(want)+1)
					list = slices.Insert(list, 0, order{len(want)})
				}
				list = list[:min(len(list), keep)]
				again()
				require.Equal(t, want, got)
			}
		})
	})
}

func TestDeDuplicateWithoutTheLastItem(t *testing.T) {
	t.Parallel()
	lists := [][]string{{"b", "a"}, {}, {"d", "c"}, {"d", "c"}}
	var got [][]string
	inRun(t, func(ctx context.Context, run *sluice.Run) error {
		fresh, err := sluice.DeDuplicate(ctx, run.InstanceState(), "k", lists[len(got)], func(s string) string { return s })
		got = append(got, fresh)
		return err
	}, func(again func()) {
		for range lists {
			again()
		}
		require.Equal(t, [][]string{{"b", "a"}, nil, {"d", "c"}, {}}, got)
	})
}

// TestDeDuplicateByIDsOfAnyType knows ids again that JSON gives back as another type or value.
func TestDeDuplicateByIDsOfAnyType(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 7, 1, 12, 0, 0, 1, time.FixedZone("CEST", 7200))
	for name, ids := range map[string][]any{
		"numbers of a body": {json.Number("124"), json.Number("123")},
		"integers":          {124, 123},
		"times":             {at.Add(1), at},
		"texts":             {"<b>", "a"},
		"structs":           {struct{ A, B int }{1, 2}, struct{ A, B int }{1, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []int
			inRun(t, func(ctx context.Context, run *sluice.Run) error {
				fresh, err := sluice.DeDuplicate(ctx, run.InstanceState(), "k", ids, func(id any) any { return id })
				got = append(got, len(fresh))
				return err
			}, func(again func()) {
				again()
				again()
				require.Equal(t, []int{2, 0}, got)
			})
		})
	}
}

func TestSeed003_SaveCurrentTime(t *testing.T) {
	t.Parallel()
	var last []time.Time
	inRun(t, func(ctx context.Context, run *sluice.Run) error {
		at, _, err := sluice.GetState[time.Time](ctx, run.InstanceState(), "last run")
		last = append(last, at)
		if err != nil {
			return err
		}
		return run.InstanceState().SaveCurrentTime(ctx, "last run")
	}, func(again func()) {
		began := time.Now().UTC()
		again()
		time.Sleep(time.Hour) // Virtual.
		again()
		require.Equal(t, []time.Time{{}, began}, last)
	})
}
