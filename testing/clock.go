package sluicetest

import (
	"context"
	"testing/synctest"
	"time"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/store"
)

// Advance lets time pass, with everything that falls due in it.
func (h *Harness) Advance(d time.Duration) {
	time.Sleep(d)
	h.settle()
}

// settle waits until everything in the bubble waits for something that is not there yet.
func (h *Harness) settle() {
	if !h.options.RealTime {
		synctest.Wait()
	}
}

// Tick lets time pass until the next schedule of a deployed instance, or the next waiting
// execution, is due, runs it, and returns when that was.
func (h *Harness) Tick() time.Time {
	h.t.Helper()
	h.settle()
	due := h.nextDue()
	if due.IsZero() {
		h.t.Fatal("nothing is due: no execution waits for its time, and no flow of a deployed instance has a schedule")
	}
	h.Advance(max(0, time.Until(due)))
	return due
}

// nextDue is when something is due next; zero if nothing is.
func (h *Harness) nextDue() (next time.Time) {
	h.t.Helper()
	earlier := func(due time.Time) {
		if !due.IsZero() && (next.IsZero() || due.Before(next)) {
			next = due
		}
	}
	for x := range h.records(store.Filter{Status: store.StatusWaiting}) {
		earlier(x.Due)
	}
	for _, deployed := range h.instances {
		instance, err := h.Store.Instance(h.t.Context(), deployed.ID)
		if err != nil {
			h.t.Fatal(err)
		}
		if instance.Paused {
			continue
		}
		schedules, err := h.Store.Schedules(h.t.Context(), deployed.ID)
		if err != nil {
			h.t.Fatal(err)
		}
		for _, schedule := range schedules {
			earlier(schedule.Due)
		}
	}
	return next
}

// How long Drain waits at most.
const (
	drainLimit     = 365 * 24 * time.Hour
	drainLimitReal = time.Minute
)

// Drain lets time pass until all executions are over, with their retries and what they
// invoke; what schedules start meanwhile is not waited for. It ends the test if that takes
// longer than a virtual year, or, in real time, a minute.
func (h *Harness) Drain() {
	h.t.Helper()
	limit := drainLimit
	if h.options.RealTime {
		limit = drainLimitReal
	}
	began := time.Now()
	ctx, cancel := context.WithTimeout(h.t.Context(), limit)
	defer cancel()
	for {
		h.settle()
		unfinished := h.newestUnfinished(began)
		if len(unfinished) == 0 {
			return
		}
		for _, id := range unfinished {
			if _, err := h.Store.Await(ctx, id); ctx.Err() != nil {
				h.t.Fatalf("executions are unfinished after %v; one of them:\n%s", limit, h.timelineOf(id))
			} else if err != nil {
				h.t.Fatal(err)
			}
		}
	}
}

// newestUnfinished are ids of executions that are not over, of each status the newest ones: in
// a queue they are the last. What a schedule started after began does not count.
func (h *Harness) newestUnfinished(began time.Time) (ids []string) {
	h.t.Helper()
	for _, status := range unfinishedStatuses {
		found := 0
		for x := range h.records(store.Filter{Status: status}) {
			scheduled := x.InvokeType == string(sluice.InvokeSchedule) || x.InvokeType == string(sluice.InvokePoll)
			if scheduled && x.AcceptedAt.After(began) {
				continue
			}
			ids = append(ids, x.ID)
			if found++; found == recordsPage {
				break
			}
		}
	}
	return ids
}

// unfinishedStatuses are those that are not final.
var unfinishedStatuses = []store.Status{store.StatusQueued, store.StatusRunning, store.StatusWaiting}
