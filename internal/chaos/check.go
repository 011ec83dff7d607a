//go:build unix

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/sluice-go/sluice/store"
)

// evidence is what is known from outside: what callers were told, what the database holds, and
// what the workers noted beside it.
type evidence struct {
	accepted map[string]order
	records  []*store.Record
	notes    []note
	gone     map[int]time.Time
	// done is what the state of each flow counts.
	done map[string]int
}

// tally is what chaos prints.
type tally struct {
	accepted, executed, kills                     int
	lost, duplicated, repeated, disorder, crowded int
}

func (t *tally) add(o *tally) {
	t.accepted += o.accepted
	t.executed += o.executed
	t.kills += o.kills
	t.lost += o.lost
	t.duplicated += o.duplicated
	t.repeated += o.repeated
	t.disorder += o.disorder
	t.crowded += o.crowded
}

func (t *tally) print(w io.Writer) {
	fmt.Fprintf(w, "accepted: %d\nexecuted: %d\nkills: %d\nlost: %d\nduplicated outcomes: %d\njournalled steps run again: %d\n"+
		"order violations: %d\ncap violations: %d\n",
		t.accepted, t.executed, t.kills, t.lost, t.duplicated, t.repeated, t.disorder, t.crowded)
}

// verdict is an error unless everything held, and something happened.
func (t *tally) verdict() error {
	if t.accepted == 0 || t.executed == 0 || t.kills == 0 {
		return errors.New("too little happened to say anything: give it more time")
	}
	if t.lost+t.duplicated+t.repeated+t.disorder+t.crowded > 0 {
		return errors.New("a guarantee was broken")
	}
	return nil
}

func count(e *evidence) *tally {
	t := &tally{accepted: len(e.accepted), disorder: e.disorder(), crowded: e.crowded(), repeated: e.repeated()}
	byID := map[string]*store.Record{}
	succeeded := map[string]int{}
	for _, r := range e.records {
		byID[r.ID] = r
		for i, outcome := range r.Attempts {
			if outcome.Attempt != i+1 || outcome.Status.Final() != (i == len(r.Attempts)-1) {
				t.duplicated++
			}
		}
		if r.Status == store.StatusSucceeded {
			succeeded[r.Flow]++
		}
	}
	for id := range e.accepted {
		if r := byID[id]; r == nil || r.Status != store.StatusSucceeded {
			t.lost++
		}
	}
	t.executed = len(e.records)
	for flow, n := range succeeded {
		if e.done[flow] != n { // Each success counts once, in the commit of its outcome.
			t.duplicated++
		}
	}
	return t
}

// repeated counts steps that ran although an earlier run was journalled: one that noted, in the
// flow, that the step had returned, while its process was there.
func (e *evidence) repeated() (n int) {
	stepped := map[string]time.Time{}
	for _, note := range e.notes {
		if note.Event == "stepped" && e.counts(note.pid, note.At) {
			if at, ok := stepped[note.Execution]; !ok || note.At.Before(at) {
				stepped[note.Execution] = note.At
			}
		}
	}
	for _, note := range e.notes {
		if at, ok := stepped[note.Execution]; note.Event == "step" && ok && note.At.After(at) {
			n++
		}
	}
	return n
}

// counts tells whether what a process noted then was before it was killed or paused.
func (e *evidence) counts(pid int, at time.Time) bool {
	gone, ok := e.gone[pid]
	return !ok || at.Before(gone)
}

// stay is the time that a run was under way.
type stay struct{ started, ended time.Time }

// stays are the runs of a flow, each until its end, or until its process was gone.
func (e *evidence) stays(flow string) (all []*stay) {
	type key struct {
		pid       int
		execution string
	}
	open := map[key]*stay{}
	for _, note := range e.notes {
		k := key{note.pid, note.Execution}
		switch {
		case note.Flow != flow || !e.counts(note.pid, note.At):
		case note.Event == "start":
			open[k] = &stay{started: note.At, ended: e.gone[note.pid]}
			all = append(all, open[k])
		case note.Event == "end":
			open[k].ended = note.At
		}
	}
	return all
}

// disorder counts first starts that came before the one of an earlier request of the lane.
// Starts count that a process noted while it was killed, too: they came first all the same.
func (e *evidence) disorder() (n int) {
	starts := slices.DeleteFunc(slices.Clone(e.notes), func(n note) bool { return n.Flow != "sequential" || n.Event != "start" })
	slices.SortFunc(starts, func(a, b note) int { return a.At.Compare(b.At) })
	seen := map[string]bool{}
	last := 0
	for _, start := range starts {
		if _, acknowledged := e.accepted[start.Execution]; seen[start.Execution] || !acknowledged {
			continue // A caller who was told nothing sent the next one all the same.
		}
		seen[start.Execution] = true
		if start.Number < last {
			n++
		}
		last = max(last, start.Number)
	}
	return n
}

// crowded counts moments at which more ran than the lane allows.
func (e *evidence) crowded() (n int) {
	for flow, limit := range map[string]int{"sequential": 1, "throttled": throttle} {
		type edge struct {
			at   time.Time
			step int
		}
		var edges []edge
		for _, s := range e.stays(flow) {
			edges = append(edges, edge{s.started, 1}, edge{s.ended, -1})
		}
		slices.SortFunc(edges, func(a, b edge) int { return cmp.Or(a.at.Compare(b.at), a.step-b.step) })
		running := 0
		for _, edge := range edges {
			if running += edge.step; edge.step > 0 && running > limit {
				n++
			}
		}
	}
	return n
}

// doneCounts reads what the states of the flows count.
func doneCounts(ctx context.Context, db store.Store, records []*store.Record) (map[string]int, error) {
	done := map[string]int{}
	for _, flow := range flows {
		if len(records) == 0 {
			break
		}
		data, err := db.State(ctx, doneScope(records[0].Instance, flow), "done")
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		var n int
		if err := json.Unmarshal(data, &n); err != nil {
			return nil, err
		}
		done[flow] = n
	}
	return done, nil
}
