package sluicetest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
)

// Execution is what is on record of an execution at one moment. What it requires ends the test
// with its timeline, if it is not so.
type Execution struct {
	*runtime.Execution

	h *Harness
}

// Execution is what is on record by now of the execution with the id.
func (h *Harness) Execution(id string) *Execution {
	h.t.Helper()
	h.settle()
	x, err := h.Runtime.Execution(h.observing(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	return &Execution{x, h}
}

// Executions are all that are on record by now, oldest first.
func (h *Harness) Executions() []*Execution {
	h.t.Helper()
	h.settle()
	return h.executions(store.Filter{})
}

// Find are those of [Harness.Executions] that match the filter, such as
// store.Filter{Flow: "new-order"}.
func (h *Harness) Find(filter store.Filter) []*Execution {
	h.t.Helper()
	h.settle()
	return h.executions(filter)
}

// Pending are the executions that are not over: queued, running or waiting; oldest first.
func (h *Harness) Pending() []*Execution {
	h.t.Helper()
	h.settle()
	var pending []*Execution
	for _, status := range unfinishedStatuses {
		pending = append(pending, h.executions(store.Filter{Status: status})...)
	}
	slices.SortFunc(pending, byAge)
	return pending
}

// LeaveUnfinished says that the test leaves executions unfinished on purpose: it does not fail
// for them when it ends.
func (h *Harness) LeaveUnfinished() { h.unfinished = true }

// requireFinished fails the test if executions are unfinished.
func (h *Harness) requireFinished() {
	h.t.Helper()
	if h.unfinished || h.t.Failed() {
		return
	}
	pending := h.Pending()
	if len(pending) == 0 {
		return
	}
	const shown = 5
	var text strings.Builder
	for _, x := range pending[:min(shown, len(pending))] {
		text.WriteString("\n" + x.Timeline())
	}
	h.t.Errorf("executions are unfinished when the test ends: %d; call Drain, or LeaveUnfinished if that is meant; the oldest:%s", len(pending), text.String())
}

// executions are those that match the filter, oldest first.
func (h *Harness) executions(filter store.Filter) (all []*Execution) {
	h.t.Helper()
	filter.OldestFirst = true
	for after := ""; ; after = all[len(all)-1].ID {
		page, err := h.Runtime.Executions(h.observing(), filter, after, recordsPage)
		if err != nil {
			h.t.Fatal(err)
		}
		for _, x := range page {
			all = append(all, &Execution{x, h})
		}
		if len(page) < recordsPage {
			break
		}
	}
	slices.SortFunc(all, byAge)
	return all
}

// byAge orders executions by their acceptance. Ids do not always: on the virtual clock all that
// a process draws at one real moment follow each other, whatever time has passed in the test,
// and those that are derived, of what a deployment starts, stand anywhere among them.
func byAge(a, b *Execution) int {
	return cmp.Or(a.AcceptedAt.Compare(b.AcceptedAt), cmp.Compare(a.ID, b.ID))
}

// recordsPage is how many records are read at once.
const recordsPage = 100

// records are those in the store that match the filter, as it orders them.
func (h *Harness) records(filter store.Filter) iter.Seq[*store.Record] {
	return func(yield func(*store.Record) bool) {
		h.t.Helper()
		for after := ""; ; {
			page, err := h.Store.Executions(h.t.Context(), filter, after, recordsPage)
			if err != nil {
				h.t.Fatal(err)
			}
			for _, x := range page {
				if !yield(x) {
					return
				}
			}
			if len(page) < recordsPage {
				return
			}
			after = page[len(page)-1].ID
		}
	}
}

// RequireStatus ends the test unless the execution has the status.
func (x *Execution) RequireStatus(status store.Status) *Execution {
	x.h.t.Helper()
	if x.Status != status {
		x.fail("the execution is " + string(x.Status) + ", not " + string(status) + x.remedy())
	}
	return x
}

// remedy says what may be missing in the test.
func (x *Execution) remedy() string {
	if x.Status.Final() {
		return ""
	}
	return "; it is not over: call Drain before the execution is read"
}

// RequireSucceeded ends the test unless the execution succeeded.
func (x *Execution) RequireSucceeded() *Execution {
	x.h.t.Helper()
	return x.RequireStatus(store.StatusSucceeded)
}

// RequireFailed ends the test unless the execution failed, for good, with an error that
// contains the message.
func (x *Execution) RequireFailed(message string) *Execution {
	x.h.t.Helper()
	x.RequireStatus(store.StatusFailed)
	if !strings.Contains(x.Error, message) {
		x.fail("the execution failed with " + strconv.Quote(x.Error) + ", which does not contain " + strconv.Quote(message))
	}
	return x
}

// RequireAttempts ends the test unless that many attempts have ended, the last one included.
func (x *Execution) RequireAttempts(n int) *Execution {
	x.h.t.Helper()
	if len(x.Attempts) != n {
		x.failf("the execution had %d attempts, not %d", len(x.Attempts), n)
	}
	return x
}

// RequireResult ends the test unless the execution's result is the JSON of want.
func (x *Execution) RequireResult(want any) *Execution {
	x.h.t.Helper()
	if x.Result == nil {
		x.fail("the execution has no result" + x.remedy())
	}
	if difference := differentJSON(want, x.Result.Data); difference != "" {
		x.fail("the result " + difference)
	}
	return x
}

// RequireSteps ends the test unless exactly these steps are on record, by name, in this order.
func (x *Execution) RequireSteps(names ...string) *Execution {
	x.h.t.Helper()
	recorded := make([]string, 0, len(x.Steps))
	for _, step := range x.Steps {
		recorded = append(recorded, step.Name)
	}
	if !slices.Equal(recorded, names) {
		x.failf("the execution has the steps %q on record, not %q", recorded, names)
	}
	return x
}

// RequireStep ends the test unless the last step of the name is on record with the JSON of want
// as its result.
func (x *Execution) RequireStep(name string, want any) *Execution {
	x.h.t.Helper()
	for _, step := range slices.Backward(x.Steps) {
		if step.Name != name {
			continue
		}
		if step.Error != "" {
			x.failf("step %q failed: %s", name, step.Error)
		}
		if difference := differentJSON(want, step.Result); difference != "" {
			x.failf("step %q %s", name, difference)
		}
		return x
	}
	x.failf("no step %q is on record%s", name, x.remedy())
	return x
}

// RequireLog ends the test unless the execution logged a line whose message contains the text.
func (x *Execution) RequireLog(text string) *Execution {
	x.h.t.Helper()
	lines := slices.Clone(x.Logs)
	for _, attempt := range x.Attempts {
		lines = append(lines, attempt.Logs...)
	}
	if !slices.ContainsFunc(lines, func(line runtime.LogLine) bool { return strings.Contains(line.Message, text) }) {
		x.fail("no line of the log contains " + strconv.Quote(text) + x.remedy())
	}
	return x
}

// DecodeResult reads the execution's result into what v points to.
func (x *Execution) DecodeResult(v any) {
	x.h.t.Helper()
	if x.Result == nil {
		x.fail("the execution has no result" + x.remedy())
	}
	if err := json.Unmarshal(x.Result.Data, v); err != nil {
		x.failf("the result cannot be read into %T: %v", v, err)
	}
}

func (x *Execution) fail(message string) {
	x.h.t.Helper()
	x.h.t.Fatalf("%s:\n%s", message, x.Timeline())
}

func (x *Execution) failf(format string, args ...any) {
	x.h.t.Helper()
	x.fail(fmt.Sprintf(format, args...))
}
