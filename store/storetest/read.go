package storetest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/store"
)

func testRead(t *testing.T, s *suite) {
	s.test(t, "not found", func(t *testing.T, h *harness) {
		h.accept("a")
		for _, id := range []string{newID(t), "", "42"} {
			_, err := h.Execution(h.ctx(), id)
			require.ErrorIs(t, err, store.ErrNotFound)
		}
	})
	s.test(t, "none", func(t *testing.T, h *harness) {
		records, err := h.Executions(h.ctx(), store.Filter{}, "", 10)
		require.NoError(t, err)
		require.Empty(t, records)
	})
	s.test(t, "in pages, in the order of acceptance, whatever the ids", func(t *testing.T, h *harness) {
		want := make([]string, 25)
		for i := range want {
			want[i] = newID(t)
		}
		slices.SortFunc(want, func(a, b string) int { return strings.Compare(a[24:], b[24:]) })
		for _, id := range want {
			e := execution(t, "a")
			e.ID = id
			h.acceptAs(&store.Acceptance{Execution: e})
		}
		for _, size := range []int{7, 25} {
			require.Equal(t, want, pages(t, h, store.Filter{OldestFirst: true}, size))
			newest := slices.Clone(want)
			slices.Reverse(newest)
			require.Equal(t, newest, pages(t, h, store.Filter{}, size))
		}
	})
	s.test(t, "after one that is not there", func(t *testing.T, h *harness) {
		h.accept("a")
		_, err := h.Executions(h.ctx(), store.Filter{}, newID(t), 10)
		require.ErrorIs(t, err, store.ErrNotFound)
	})
	s.test(t, "filtered", testFilter)
	s.test(t, "filtered by what started them", testFilterFields)
	s.test(t, "whole", func(t *testing.T, h *harness) {
		claim := h.run("a")
		require.NoError(t, h.RecordStep(h.ctx(), claim, step("a", 1)))
		require.NoError(t, h.Finish(h.ctx(), claim, retry(1, start)))
		claim = h.claim(1)[0]
		require.NoError(t, h.RecordStep(h.ctx(), claim, step("b", 2)))
		h.finish(claim, store.StatusSucceeded)
		records, err := h.Executions(h.ctx(), store.Filter{}, "", 10)
		require.NoError(t, err)
		require.Equal(t, []*store.Record{{
			Execution: *claim.Execution, Status: store.StatusSucceeded,
			Attempts: []*store.Outcome{retry(1, start), outcome(2, store.StatusSucceeded)},
			Steps:    []*store.Step{step("a", 1), step("b", 2)},
		}}, records)
		require.Equal(t, records[0], h.record(claim.Execution.ID))
	})
}

// testFilter has one execution in each status, for two instances and flows.
func testFilter(t *testing.T, h *harness) {
	byStatus := map[store.Status][]string{}
	byInstance, byFlow := map[string][]string{}, map[string][]string{}
	add := func(e *store.Execution, status store.Status) {
		byStatus[status] = append(byStatus[status], e.ID)
		byInstance[e.Instance] = append(byInstance[e.Instance], e.ID)
		byFlow[e.Flow] = append(byFlow[e.Flow], e.ID)
	}
	for i, name := range []string{"a", "b", "a"} {
		for _, status := range []store.Status{
			store.StatusSucceeded, store.StatusFailed, store.StatusCanceled, store.StatusSkipped,
			store.StatusRunning, store.StatusWaiting, store.StatusQueued,
		} {
			e := execution(t, name)
			if i == 2 {
				e.Flow = "export"
			}
			a := &store.Acceptance{Execution: e, Worker: worker("w1")}
			if status == store.StatusQueued {
				a.Worker = store.Worker{}
			}
			claim := h.acceptAs(a).Claim
			switch {
			case status == store.StatusWaiting:
				require.NoError(t, h.Finish(h.ctx(), claim, retry(1, time.Now().Add(time.Hour))))
			case status.Final():
				h.finish(claim, status)
			}
			add(e, status)
		}
	}
	for status, want := range byStatus {
		slices.Reverse(want)
		require.Equal(t, want, pages(t, h, store.Filter{Status: status}, 2), status)
	}
	for name, want := range byInstance {
		slices.Reverse(want)
		require.Equal(t, want, pages(t, h, store.Filter{Instance: name}, 3), name)
	}
	for flow, want := range byFlow {
		slices.Reverse(want)
		require.Equal(t, want, pages(t, h, store.Filter{Flow: flow}, 3), flow)
	}
	require.Len(t, pages(t, h, store.Filter{Instance: "a", Flow: "export", Status: store.StatusFailed}, 3), 1)
	require.Empty(t, pages(t, h, store.Filter{Instance: "b", Flow: "export"}, 3))
}

// testFilterFields filters by how executions began, and when.
func testFilterFields(t *testing.T, h *harness) {
	var all []*store.Execution
	for i := range 4 {
		e := execution(t, "a")
		e.InvokeType = []string{"webhook", "schedule"}[i%2]
		e.AcceptedAt = start.Add(time.Duration(i) * time.Minute)
		if i == 3 {
			e.Parent, e.Original = all[0].Parent, all[1].Original
		}
		all = append(all, e)
		h.acceptAs(&store.Acceptance{Execution: e})
	}
	for name, test := range map[string]struct {
		filter store.Filter
		want   []int
	}{
		"invoke type":     {store.Filter{InvokeType: "schedule"}, []int{3, 1}},
		"parent":          {store.Filter{Parent: all[0].Parent}, []int{3, 0}},
		"original":        {store.Filter{Original: all[1].Original}, []int{3, 1}},
		"from":            {store.Filter{From: all[2].AcceptedAt}, []int{3, 2}},
		"after":           {store.Filter{From: all[2].AcceptedAt.Add(time.Microsecond)}, []int{3}},
		"to":              {store.Filter{To: all[2].AcceptedAt}, []int{1, 0}},
		"between":         {store.Filter{From: all[1].AcceptedAt, To: all[3].AcceptedAt}, []int{2, 1}},
		"all of them":     {store.Filter{Parent: all[0].Parent, Original: all[1].Original, InvokeType: "schedule"}, []int{3}},
		"none of another": {store.Filter{Parent: all[0].Original}, nil},
	} {
		var want []string
		for _, i := range test.want {
			want = append(want, all[i].ID)
		}
		require.Equal(t, want, pages(t, h, test.filter, 3), name)
	}
}

// pages reads a list to its end.
func pages(t *testing.T, h *harness, filter store.Filter, size int) []string {
	t.Helper()
	var list []string
	after := ""
	for {
		records, err := h.Executions(h.ctx(), filter, after, size)
		require.NoError(t, err)
		require.LessOrEqual(t, len(records), size)
		for _, record := range records {
			list = append(list, record.ID)
		}
		if len(records) < size {
			return list
		}
		after = list[len(list)-1]
	}
}
