package storetest

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/store"
)

func testSchedules(t *testing.T, s *suite) {
	testPutSchedules(t, s)
	testClaimSchedules(t, s)
	testAdvanceSchedule(t, s)
	testScheduledAcceptance(t, s)
}

// past is a due time that has come, ago before start.
func past(ago time.Duration) time.Time { return start.Add(-ago) }

// soon is a due time that comes while a test waits for it.
func soon() time.Time { return time.Now().Add(100 * time.Millisecond).UTC().Truncate(time.Microsecond) }

func schedule(instance, flow string, due time.Time) *store.Schedule {
	return &store.Schedule{Instance: instance, Flow: flow, Spec: "spec of " + flow, Due: due}
}

func (h *harness) put(instance string, schedules ...*store.Schedule) {
	h.t.Helper()
	require.NoError(h.t, h.PutSchedules(h.ctx(), instance, schedules))
}

// schedules reads those of an instance back.
func (h *harness) schedules(instance string) []*store.Schedule {
	h.t.Helper()
	schedules, err := h.Schedules(h.ctx(), instance)
	require.NoError(h.t, err)
	return schedules
}

func (h *harness) claimSchedules(limit int) []*store.Schedule {
	h.t.Helper()
	schedules, err := h.ClaimSchedules(h.ctx(), worker("w1"), limit)
	require.NoError(h.t, err)
	return schedules
}

// nothingDue asserts that no schedule can be claimed.
func (h *harness) nothingDue() {
	h.t.Helper()
	h.nothingDueFor(worker("w2"))
}

func (h *harness) nothingDueFor(worker store.Worker) {
	h.t.Helper()
	ctx, cancel := context.WithTimeoutCause(h.ctx(), 30*time.Millisecond, errPatience)
	defer cancel()
	schedules, err := h.ClaimSchedules(ctx, worker, 1)
	require.ErrorIs(h.t, err, errPatience)
	require.Empty(h.t, schedules)
}

// claiming claims one schedule in the background.
func (h *harness) claiming() <-chan []*store.Schedule {
	claimed := make(chan []*store.Schedule, 1)
	go func() {
		schedules, err := h.ClaimSchedules(h.ctx(), worker("w2"), 1)
		if err != nil {
			h.t.Error(err)
		}
		claimed <- schedules
	}()
	return claimed
}

func testPutSchedules(t *testing.T, s *suite) {
	s.test(t, "put", func(t *testing.T, h *harness) {
		require.Empty(t, h.schedules("a"))
		b, a, never := schedule("a", "b", past(0)), schedule("a", "a", soon()), schedule("a", "c", time.Time{})
		b.Last = newID(t)
		h.put("a", b, a, never)
		other := schedule("b", "a", past(0))
		h.put("b", other)
		require.Equal(t, []*store.Schedule{a, b, never}, h.schedules("a"))
		h.put("a")
		require.Empty(t, h.schedules("a"))
		require.Equal(t, []*store.Schedule{other}, h.schedules("b"))
	})
	s.test(t, "put again", func(t *testing.T, h *harness) {
		kept, changed, removed := schedule("a", "kept", past(0)), schedule("a", "changed", past(0)), schedule("a", "removed", past(0))
		kept.Last, changed.Last = newID(t), newID(t)
		h.put("a", kept, changed, removed)
		same, next, added := *kept, *changed, schedule("a", "added", past(0))
		same.Due, same.Last = past(time.Hour), newID(t)
		next.Spec, next.Due, next.Last = "another", past(time.Hour), ""
		h.put("a", &same, &next, added)
		require.Equal(t, []*store.Schedule{added, &next, kept}, h.schedules("a"))
	})
	s.crashTest(t, "put and killed", func(t *testing.T, h *harness) {
		due := schedule("a", "a", past(0))
		due.Last = newID(t)
		h.put("a", due)
		_, err := h.ClaimSchedules(h.ctx(), store.Worker{ID: "dead", Lease: 200 * time.Millisecond}, 1)
		require.NoError(t, err)
		h.crash()
		require.Equal(t, []*store.Schedule{due}, h.schedules("a"))
		require.Equal(t, []*store.Schedule{due}, h.claimSchedules(1))
	})
}

func testClaimSchedules(t *testing.T, s *suite) {
	s.test(t, "claim the longest due first", func(t *testing.T, h *harness) {
		first, second, third := schedule("b", "a", past(3)), schedule("a", "b", past(2)), schedule("a", "a", past(1))
		h.put("a", third, second, schedule("a", "c", time.Now().Add(time.Hour)), schedule("a", "d", time.Time{}))
		h.put("b", first)
		require.Equal(t, []*store.Schedule{first, second}, h.claimSchedules(2))
		require.Equal(t, []*store.Schedule{third}, h.claimSchedules(2))
		h.nothingDue()
	})
	s.test(t, "claim waits for the due time", func(t *testing.T, h *harness) {
		due := schedule("a", "a", soon())
		h.put("a", due)
		require.Equal(t, []*store.Schedule{due}, h.claimSchedules(1))
		require.False(t, time.Now().Before(due.Due))
	})
	s.test(t, "claim wakes for what is put", func(t *testing.T, h *harness) {
		h.put("a", schedule("a", "a", time.Now().Add(time.Hour)))
		claimed := h.claiming()
		h.nothingDue()
		due := schedule("b", "a", past(0))
		h.put("b", due)
		require.Equal(t, []*store.Schedule{due}, <-claimed)
	})
	s.test(t, "claim ends with the lease", func(t *testing.T, h *harness) {
		due := schedule("a", "a", past(0))
		h.put("a", due)
		begin := time.Now()
		lease := 200 * time.Millisecond
		_, err := h.ClaimSchedules(h.ctx(), store.Worker{ID: "dead", Lease: lease}, 1)
		require.NoError(t, err)
		require.Equal(t, []*store.Schedule{due}, h.claimSchedules(1))
		require.GreaterOrEqual(t, time.Since(begin), lease)
		h.nothingDue()
	})
	s.test(t, "claimed once by many", func(t *testing.T, h *harness) {
		const instances, workers = 40, 4
		for i := range instances {
			h.put("i"+strconv.Itoa(i), schedule("i"+strconv.Itoa(i), "a", past(time.Duration(i))))
		}
		var mu sync.Mutex
		var claimed []string
		var wait sync.WaitGroup
		ctx, cancel := context.WithCancel(h.ctx())
		defer cancel()
		for w := range workers {
			wait.Go(func() {
				for ctx.Err() == nil {
					schedules, err := h.ClaimSchedules(ctx, worker("w"+strconv.Itoa(w)), 3)
					mu.Lock()
					for _, schedule := range schedules {
						claimed = append(claimed, schedule.Instance)
					}
					if len(claimed) >= instances {
						cancel()
					}
					mu.Unlock()
					if err != nil && ctx.Err() == nil {
						t.Error(err)
						return
					}
				}
			})
		}
		wait.Wait()
		slices.Sort(claimed)
		require.Len(t, slices.Compact(claimed), instances)
		h.nothingDue()
	})
}

func testAdvanceSchedule(t *testing.T, s *suite) {
	s.test(t, "advance", func(t *testing.T, h *harness) {
		due := schedule("a", "a", past(time.Second))
		due.Last = newID(t)
		h.put("a", due)
		h.claimSchedules(1)
		step := store.ScheduleAdvance{Instance: "a", Flow: "a", From: due.Due, To: past(0)}
		require.NoError(t, h.AdvanceSchedule(h.ctx(), step))
		require.ErrorIs(t, h.AdvanceSchedule(h.ctx(), step), store.ErrConflict, "moved already")
		due.Due = past(0)
		require.Equal(t, []*store.Schedule{due}, h.claimSchedules(1), "due again")
		never := store.ScheduleAdvance{Instance: "a", Flow: "a", From: past(0)}
		require.NoError(t, h.AdvanceSchedule(h.ctx(), never))
		h.nothingDue()
		due.Due = time.Time{}
		require.Equal(t, []*store.Schedule{due}, h.schedules("a"))
		step.Flow = "unknown"
		require.ErrorIs(t, h.AdvanceSchedule(h.ctx(), step), store.ErrConflict)
	})
	s.test(t, "advance wakes", func(t *testing.T, h *harness) {
		h.put("a", schedule("a", "a", past(time.Second)))
		h.claimSchedules(1)
		claimed := h.claiming()
		h.nothingDue()
		require.NoError(t, h.AdvanceSchedule(h.ctx(), store.ScheduleAdvance{
			Instance: "a", Flow: "a", From: past(time.Second), To: past(0),
		}))
		require.Equal(t, []*store.Schedule{schedule("a", "a", past(0))}, <-claimed)
	})
}

// scheduled asks for an execution of a flow whose schedule is due and moves on to next.
func scheduled(t *testing.T, due *store.Schedule, next time.Time) *store.Acceptance {
	t.Helper()
	return &store.Acceptance{Execution: execution(t, due.Instance), Schedule: &store.ScheduleAdvance{
		Instance: due.Instance, Flow: due.Flow, From: due.Due, To: next,
	}}
}

func testScheduledAcceptance(t *testing.T, s *suite) {
	s.test(t, "accept moves the schedule", func(t *testing.T, h *harness) {
		due := schedule("a", "a", past(time.Second))
		h.put("a", due)
		first := scheduled(t, due, past(0))
		h.acceptAs(first)
		again := scheduled(t, due, past(0))
		_, err := h.Accept(h.ctx(), again)
		require.ErrorIs(t, err, store.ErrConflict)
		_, err = h.Execution(h.ctx(), again.Execution.ID)
		require.ErrorIs(t, err, store.ErrNotFound)
		due.Due, due.Last = past(0), first.Execution.ID
		require.Equal(t, []*store.Schedule{due}, h.claimSchedules(1))

		over := scheduled(t, due, soon())
		over.Outcome = outcome(1, store.StatusSkipped)
		h.acceptAs(over)
		due.Due = over.Schedule.To
		require.Equal(t, []*store.Schedule{due}, h.claimSchedules(1), "what is over at once is not the last")
		require.Equal(t, []string{first.Execution.ID}, ids(h.claim(1)))
	})
	s.test(t, "a duplicate moves no schedule", func(t *testing.T, h *harness) {
		due := schedule("a", "a", past(0))
		h.put("a", due)
		original := &store.Acceptance{Execution: execution(t, "a"), DedupeKey: "k", DedupeUntil: start.Add(time.Hour)}
		h.acceptAs(original)
		repeated := scheduled(t, due, time.Time{})
		repeated.DedupeKey, repeated.DedupeUntil = "k", start.Add(time.Hour)
		require.Equal(t, original.Execution.ID, h.acceptAs(repeated).DuplicateOf)
		require.Equal(t, []*store.Schedule{due}, h.claimSchedules(1))
	})
	s.test(t, "a schedule that moved refuses all", func(t *testing.T, h *harness) {
		due := schedule("a", "a", past(0))
		h.put("a", due)
		moved := scheduled(t, due, time.Time{})
		moved.Schedule.From = past(time.Second)
		_, err := h.AcceptAll(h.ctx(), []*store.Acceptance{{Execution: execution(t, "a")}, moved})
		require.ErrorIs(t, err, store.ErrConflict)
		h.nothingReady()
		accepted, err := h.AcceptAll(h.ctx(), []*store.Acceptance{{Execution: execution(t, "a")}, scheduled(t, due, time.Time{})})
		require.NoError(t, err)
		require.Len(t, accepted, 2)
		h.nothingDue()
	})
	s.test(t, "accepted once by many", func(t *testing.T, h *harness) {
		due := schedule("a", "a", past(0))
		h.put("a", due)
		results := make([]error, 8)
		var wait sync.WaitGroup
		for i := range results {
			acceptance := scheduled(t, due, time.Time{})
			wait.Go(func() { _, results[i] = h.Accept(h.ctx(), acceptance) })
		}
		wait.Wait()
		accepted := 0
		for _, err := range results {
			if err == nil {
				accepted++
			} else {
				require.ErrorIs(t, err, store.ErrConflict)
			}
		}
		require.Equal(t, 1, accepted)
		require.Len(t, h.claim(1), 1)
		h.nothingReady()
	})
}
