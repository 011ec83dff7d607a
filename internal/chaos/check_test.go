//go:build unix

package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/store"
)

var noon = time.Date(2026, time.March, 4, 12, 0, 0, 0, time.UTC)

// at is so many seconds after noon.
func at(seconds int) time.Time { return noon.Add(time.Duration(seconds) * time.Second) }

// flawless is the evidence of two sequential executions in which nothing went wrong: process
// 1 was killed during the second one, which process 2 ran to its end.
func flawless() *evidence {
	noted := func(pid int, execution string, number int, event string, second int) note {
		return note{Execution: execution, Flow: "sequential", Number: number, Attempt: 1, Event: event, At: at(second), pid: pid}
	}
	record := func(id string) *store.Record {
		return &store.Record{
			Execution: store.Execution{ID: id, Flow: "sequential"}, Status: store.StatusSucceeded,
			Attempts: []*store.Outcome{{Attempt: 1, Status: store.StatusSucceeded}},
		}
	}
	return &evidence{
		accepted: map[string]order{"a": {Number: 1}, "b": {Number: 2}},
		records:  []*store.Record{record("a"), record("b")},
		notes: []note{
			noted(1, "a", 1, "start", 0), noted(1, "a", 1, "step", 1), noted(1, "a", 1, "stepped", 2), noted(1, "a", 1, "end", 3),
			noted(1, "b", 2, "start", 4), noted(1, "b", 2, "step", 5),
			noted(2, "b", 2, "start", 8), noted(2, "b", 2, "step", 9), noted(2, "b", 2, "stepped", 10), noted(2, "b", 2, "end", 11),
		},
		gone: map[int]time.Time{1: at(6)},
		done: map[string]int{"sequential": 2},
	}
}

func TestCount(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		spoil func(e *evidence)
		want  tally
	}{
		"nothing":              {func(*evidence) {}, tally{}},
		"lost":                 {func(e *evidence) { e.accepted["c"] = order{Number: 3} }, tally{accepted: 1, lost: 1}},
		"failed for no reason": {func(e *evidence) { e.records[1].Status, e.done["sequential"] = store.StatusFailed, 1 }, tally{lost: 1}},
		"two final outcomes": {func(e *evidence) {
			e.records[0].Attempts = append(e.records[0].Attempts, &store.Outcome{Attempt: 2, Status: store.StatusSucceeded})
		}, tally{duplicated: 1}},
		"counted twice":  {func(e *evidence) { e.done["sequential"] = 3 }, tally{duplicated: 1}},
		"step run again": {func(e *evidence) { e.gone[1], e.notes[2].Execution = at(7), "b" }, tally{repeated: 2}},
		"out of order":   {func(e *evidence) { e.accepted["a"], e.notes[0].Number = order{Number: 9}, 9 }, tally{disorder: 1}},
		"overlap":        {func(e *evidence) { e.notes[3].At = at(5) }, tally{crowded: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := flawless()
			test.spoil(e)
			test.want.accepted += 2
			test.want.executed = 2
			require.Equal(t, &test.want, count(e))
		})
	}
}

func TestVerdict(t *testing.T) {
	t.Parallel()
	good := tally{accepted: 1, executed: 1, kills: 1}
	require.NoError(t, good.verdict())
	bad := good
	bad.crowded = 1
	require.ErrorContains(t, bad.verdict(), "broken")
	require.ErrorContains(t, (&tally{}).verdict(), "too little")
}
