package simulation

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sluice-go/sluice/store"
)

// check returns what of the guarantees (docs/guarantees.md, by number) does not hold of what
// happened.
func check(h *history, records []*store.Record, state func(scope store.Scope, key string) int) error {
	byID := map[string]*store.Record{}
	for _, r := range records {
		byID[r.ID] = r
	}
	c := &checker{history: h, records: records, byID: byID, state: state}
	for _, property := range []func(){
		c.accepted, c.ended, c.steps, c.states, c.overlaps, c.order, c.retries, c.superseded, c.duplicates, c.ticks, c.tenants,
	} {
		property()
	}
	return errors.Join(c.faults...)
}

type checker struct {
	history *history
	records []*store.Record
	byID    map[string]*store.Record
	state   func(scope store.Scope, key string) int
	faults  []error
}

func (c *checker) fault(property int, format string, args ...any) {
	c.faults = append(c.faults, fmt.Errorf("property %d: %s", property, fmt.Sprintf(format, args...)))
}

// accepted: what a caller was told is on record.
func (c *checker) accepted() {
	for _, id := range append(slices.Collect(maps.Keys(c.history.accepted)), c.history.duplicates...) {
		if c.byID[id] == nil {
			c.fault(1, "execution %s was answered 200 and is not on record", id)
		}
	}
}

// ended: every execution has one outcome an attempt, and the last one is final.
func (c *checker) ended() {
	for _, r := range c.records {
		if !r.Status.Final() {
			c.fault(2, "execution %s is %s", r.ID, r.Status)
		}
		for i, attempt := range r.Attempts {
			if attempt.Attempt != i+1 || attempt.Status.Final() != (i == len(r.Attempts)-1) {
				c.fault(3, "execution %s: outcome %d of %d is that of attempt %d: %s", r.ID, i+1, len(r.Attempts), attempt.Attempt, attempt.Status)
			}
		}
	}
}

// steps: none runs after it was journalled. A process that wakes up after its lease may begin
// one before it learns that, in much less time than a lease: nothing of it counts.
func (c *checker) steps() {
	ended := map[string]time.Time{}
	for _, r := range c.records {
		for _, step := range r.Steps {
			ended[r.ID+" "+step.Name] = step.EndedAt
		}
	}
	for _, step := range c.history.steps {
		if at, ok := ended[step.Execution+" "+step.Key]; ok && step.At.After(at) && !c.wokeUp(step.Node, step.At) {
			c.fault(5, "step %s of execution %s ran at %v, after its record of %v", step.Key, step.Execution, step.At, at)
		}
	}
}

// wokeUp tells whether a process was paused less than a lease ago.
func (c *checker) wokeUp(node string, at time.Time) bool {
	return slices.ContainsFunc(c.history.resumes[node], func(resumed time.Time) bool {
		return !resumed.After(at) && at.Sub(resumed) < lease
	})
}

// states: a state changes with the outcome, once, and never with a failure.
func (c *checker) states() {
	want := map[store.Scope]int{}
	for _, r := range c.records {
		if r.Instance != "" && r.Status == store.StatusSucceeded {
			want[flowScope(r)]++
		}
	}
	for scope, n := range want {
		if got := c.state(scope, "started"); got != n {
			c.fault(6, "flow %s of instance %s succeeded %d times and its state says %d", scope.Flow, scope.ID, n, got)
		}
	}
}

func flowScope(r *store.Record) store.Scope {
	return store.Scope{Kind: store.ScopeFlow, ID: r.Instance, Flow: r.Flow}
}

// lanes are the records of a flow by instance, in the order of their ids.
func (c *checker) lanes(flow string) map[string][]*store.Record {
	lanes := map[string][]*store.Record{}
	for _, r := range c.records {
		if r.Flow == flow && r.Instance != "" {
			lanes[r.Instance] = append(lanes[r.Instance], r)
		}
	}
	return lanes
}

// overlaps: no more recorded attempts run at once than the lane allows.
func (c *checker) overlaps() {
	for flow, limit := range map[string]int{flowSequential: 1, flowThrottled: throttle} {
		for instance, lane := range c.lanes(flow) {
			type edge struct {
				at   time.Time
				step int
			}
			var edges []edge
			for _, r := range lane {
				for _, attempt := range r.Attempts {
					if !attempt.StartedAt.IsZero() {
						edges = append(edges, edge{attempt.StartedAt, 1}, edge{attempt.EndedAt, -1})
					}
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
				if running += e.step; running > limit {
					c.fault(7, "%d executions of flow %s of instance %s ran at once at %v", running, flow, instance, e.at)
				}
			}
		}
	}
}

// order: in a sequential lane, what was answered before another was sent starts before it.
func (c *checker) order() {
	first := map[string]time.Time{}
	for _, run := range c.history.runs {
		if at, ok := first[run.Execution]; !ok || run.Started.Before(at) {
			first[run.Execution] = run.Started
		}
	}
	for _, lane := range c.lanes(flowSequential) {
		for _, a := range lane {
			for _, b := range lane {
				ra, rb := c.history.accepted[a.ID], c.history.accepted[b.ID]
				if ra.Answered.IsZero() || rb.At.IsZero() || !ra.Answered.Before(rb.At) {
					continue
				}
				if startA, startB := first[a.ID], first[b.ID]; !startA.IsZero() && !startB.IsZero() && startB.Before(startA) {
					c.fault(7, "execution %s was accepted before %s was sent, and started after it", a.ID, b.ID)
				}
			}
		}
	}
}

// retries: as many as asked for, each after its delay.
func (c *checker) retries() {
	for _, r := range c.records {
		for i, attempt := range r.Attempts {
			if attempt.Status != store.StatusWaiting {
				continue
			}
			if i+1 > retries.MaxAttempts {
				c.fault(9, "execution %s: a retry after attempt %d", r.ID, attempt.Attempt)
			}
			if delay := attempt.NextAttempt.Sub(attempt.EndedAt); delay != retries.Delay(attempt.Attempt) {
				c.fault(9, "execution %s: retry %d after %v", r.ID, attempt.Attempt, delay)
			}
			if next := r.Attempts[i+1]; !next.StartedAt.IsZero() && next.StartedAt.Before(attempt.NextAttempt) {
				c.fault(9, "execution %s: attempt %d started early", r.ID, next.Attempt)
			}
		}
		if asked, known := c.history.accepted[r.ID]; known && r.Status == store.StatusFailed && asked.Body.Fail < len(r.Attempts) && !c.crashed(r) {
			c.fault(2, "execution %s failed: %s", r.ID, r.Attempts[len(r.Attempts)-1].Error)
		}
	}
}

// crashed tells whether an execution was given up for the processes that died under it.
func (c *checker) crashed(r *store.Record) bool {
	const limit = 3
	last := r.Attempts[len(r.Attempts)-1]
	died := 0
	for _, at := range c.history.deaths {
		if !at.Before(r.AcceptedAt) && !at.After(last.EndedAt) {
			died++
		}
	}
	return died >= limit && strings.HasPrefix(last.Error, fmt.Sprintf("the process died %d times", limit))
}

// superseded: no retry that comes due after a newer execution about the same was answered starts.
func (c *checker) superseded() {
	for _, lane := range c.lanes(flowUnique) {
		for _, a := range lane {
			for _, b := range lane {
				ra, rb := c.history.accepted[a.ID], c.history.accepted[b.ID]
				if ra.Answered.IsZero() || rb.Answered.IsZero() || ra.Body.About != rb.Body.About || !ra.Answered.Before(rb.At) {
					continue
				}
				for i, attempt := range a.Attempts[1:] {
					if due := a.Attempts[i].NextAttempt; due.After(rb.Answered) && !attempt.StartedAt.IsZero() {
						c.fault(10, "execution %s was retried at %v, %s had superseded it", a.ID, attempt.StartedAt, b.ID)
					}
				}
			}
		}
	}
}

// duplicates: within ten minutes an id is accepted once.
func (c *checker) duplicates() {
	for _, flow := range []string{flowSequential, flowThrottled} {
		for _, lane := range c.lanes(flow) {
			last := map[int]*store.Record{}
			for _, r := range lane {
				asked, known := c.history.accepted[r.ID]
				if !known {
					continue
				}
				if first := last[asked.Body.ID]; first != nil && r.AcceptedAt.Sub(first.AcceptedAt) < 10*time.Minute {
					c.fault(11, "executions %s and %s have the same id", first.ID, r.ID)
				}
				last[asked.Body.ID] = r
			}
		}
	}
}

// ticks: a schedule fires at most once a due time, most times it does, and its cursor counts
// its firings.
func (c *checker) ticks() {
	for flow, every := range map[string]time.Duration{flowTick: 24 * time.Hour, flowPoll: 12 * time.Hour} {
		for instance, lane := range c.lanes(flow) {
			seen := map[time.Time]string{}
			for _, r := range lane {
				// No delay is near an hour, and no time zone of a schedule off by parts of one.
				due := r.AcceptedAt.Truncate(time.Hour)
				if first := seen[due]; first != "" {
					c.fault(13, "flow %s of instance %s fired twice for %v: %s and %s", flow, instance, due, first, r.ID)
				}
				seen[due] = r.ID
			}
			if n := int(month / every); len(lane) < n*8/10 {
				c.fault(13, "flow %s of instance %s fired %d times instead of about %d", flow, instance, len(lane), n)
			}
		}
	}
}

// tenants: everybody's request runs for them.
func (c *checker) tenants() {
	for id, asked := range c.history.accepted {
		if r := c.byID[id]; r != nil && (r.Customer != asked.Customer || r.Flow != asked.Flow) {
			c.fault(14, "the request of %s to %s runs as %s of %s", asked.Customer, asked.Flow, r.Flow, r.Customer)
		}
	}
}
