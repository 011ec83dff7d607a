package sluicetest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
)

// Timeline tells what happened to the execution, an event a line, each with the time since it
// was accepted.
func (x *Execution) Timeline() string {
	t := timeline{zero: x.AcceptedAt}
	t.addLogs(x.Logs)
	t.add(x.AcceptedAt, "accepted")
	for _, step := range x.Steps {
		t.addStep(step)
	}
	for _, attempt := range x.Attempts {
		t.addAttempt(attempt)
	}
	slices.SortStableFunc(t.events, func(a, b event) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.attempt, b.attempt), cmp.Compare(a.rank, b.rank))
	})
	text := strings.Builder{}
	fmt.Fprintf(&text, "execution %s of flow %q (%s), accepted at %s:", x.ID, x.Flow, x.InvokeType, x.AcceptedAt.Format(time.RFC3339))
	for _, e := range t.events {
		fmt.Fprintf(&text, "\n  %-8s %s", "+"+e.at.Sub(x.AcceptedAt).String(), strings.ReplaceAll(e.text, "\n", "\n           "))
	}
	switch {
	case x.Status == store.StatusWaiting:
		fmt.Fprintf(&text, "\n  waits until +%v", x.Due.Sub(x.AcceptedAt))
	case !x.Status.Final():
		fmt.Fprintf(&text, "\n  is %s", x.Status)
	}
	return text.String()
}

// timelineOf is the timeline of an execution, or why there is none.
func (h *Harness) timelineOf(id string) string {
	x, err := h.Runtime.Execution(h.observing(), id)
	if err != nil {
		return err.Error()
	}
	return (&Execution{x, h}).Timeline()
}

// event is a line of a timeline.
type event struct {
	at time.Time
	// attempt that it is of; rank orders what happens at one time: first the begin of an
	// attempt, last its end.
	attempt, rank int
	text          string
}

const (
	rankBegin = iota
	rankWithin
	rankEnd
)

type timeline struct {
	zero   time.Time
	events []event
}

func (t *timeline) add(at time.Time, text string) {
	t.events = append(t.events, event{at: at, text: text, rank: rankEnd})
}

func (t *timeline) addLogs(lines []runtime.LogLine) {
	for _, line := range lines {
		t.events = append(t.events, event{at: line.Time, rank: rankWithin, text: logText(line)})
	}
}

func (t *timeline) addAttempt(a runtime.Attempt) {
	if a.StartedAt.IsZero() {
		t.events = append(t.events, event{a.EndedAt, a.Number, rankEnd, ended(string(a.Status), a.Error)})
		return
	}
	t.events = append(t.events, event{a.StartedAt, a.Number, rankBegin, fmt.Sprintf("attempt %d began", a.Number)})
	for _, line := range a.Logs {
		if !tellsEnd(line, a) {
			t.events = append(t.events, event{line.Time, a.Number, rankWithin, logText(line)})
		}
	}
	text := fmt.Sprintf("attempt %d ", a.Number)
	if a.Status == store.StatusWaiting {
		text += ended("ended", a.Error) + fmt.Sprintf("; the next is due at +%v", a.NextAttempt.Sub(t.zero))
	} else {
		text += ended(string(a.Status), a.Error)
	}
	t.events = append(t.events, event{a.EndedAt, a.Number, rankEnd, text})
}

// tellsEnd tells whether the line is the runtime's own about the end of the attempt.
func tellsEnd(line runtime.LogLine, a runtime.Attempt) bool {
	return a.Error != "" && line.Attributes["error"] == a.Error && fmt.Sprint(line.Attributes["attempt"]) == strconv.Itoa(a.Number)
}

func (t *timeline) addStep(s runtime.Step) {
	text := fmt.Sprintf("step %q: %s", s.Name, abridge(string(s.Result)))
	if s.Error != "" {
		text = fmt.Sprintf("step %q failed: %s", s.Name, s.Error)
	}
	t.events = append(t.events, event{s.EndedAt, s.Attempt, rankWithin, text})
}

func ended(how, message string) string {
	if message == "" {
		return how
	}
	return how + ": " + message
}

func logText(line runtime.LogLine) string {
	var text strings.Builder
	text.WriteString("log " + line.Level + " " + strconv.Quote(line.Message))
	for _, name := range slices.Sorted(maps.Keys(line.Attributes)) {
		fmt.Fprintf(&text, " %s=%v", name, line.Attributes[name])
	}
	return text.String()
}

// abridge shortens what is too long for a line.
func abridge(text string) string {
	const limit = 200
	if len(text) <= limit {
		return text
	}
	return fmt.Sprintf("%s… (%d bytes)", strings.ToValidUTF8(text[:limit], ""), len(text))
}

func indent(text string) string { return "  " + strings.ReplaceAll(text, "\n", "\n  ") }
