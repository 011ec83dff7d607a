package storetest

import (
	"bytes"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/store"
)

// ofInstance, ofFlow and ofExecution are scopes.
func ofInstance(id string) store.Scope { return store.Scope{Kind: store.ScopeInstance, ID: id} }

func ofFlow(id, flow string) store.Scope {
	return store.Scope{Kind: store.ScopeFlow, ID: id, Flow: flow}
}
func ofExecution(id string) store.Scope { return store.Scope{Kind: store.ScopeExecution, ID: id} }

func change(scope store.Scope, key string, op store.StateOp, value string) store.StateChange {
	c := store.StateChange{Scope: scope, Key: key, Op: op}
	if value != "" {
		c.Value = []byte(value)
	}
	return c
}

func set(scope store.Scope, key, value string) store.StateChange {
	return change(scope, key, store.StateSet, value)
}

// changing is the outcome of a first attempt that changes state.
func changing(status store.Status, changes ...store.StateChange) *store.Outcome {
	o := outcome(1, status)
	o.State = changes
	return o
}

// change commits changes with an execution that is over at once.
func (h *harness) change(changes ...store.StateChange) {
	h.t.Helper()
	h.acceptAs(&store.Acceptance{
		Execution: execution(h.t, "changes"), Outcome: outcome(1, store.StatusSucceeded), State: changes,
	})
}

// requireState asserts what a scope has; an empty value is a missing key.
func (h *harness) requireState(scope store.Scope, want map[string]string) {
	h.t.Helper()
	n := 0
	for key, value := range want {
		got, err := h.State(h.ctx(), scope, key)
		if value == "" {
			require.ErrorIs(h.t, err, store.ErrNotFound, key)
			continue
		}
		n++
		require.NoError(h.t, err, key)
		require.Equal(h.t, value, string(got), key)
	}
	keys, err := h.StateKeys(h.ctx(), scope)
	require.NoError(h.t, err)
	require.Len(h.t, keys, n)
}

func testState(t *testing.T, s *suite) {
	t.Helper()
	s.test(t, "of nothing", func(t *testing.T, h *harness) {
		h.requireState(ofInstance("a"), map[string]string{"k": ""})
	})
	s.test(t, "in scopes of its own", func(t *testing.T, h *harness) {
		scopes := []store.Scope{
			ofInstance("a"), ofInstance("b"), ofInstance("A"), ofExecution("a"), ofFlow("a", "import"), ofFlow("a", "export"),
			{Kind: store.ScopeIntegration, ID: "a"},
		}
		for i, scope := range scopes {
			h.change(set(scope, "k", strconv.Itoa(i)))
		}
		for i, scope := range scopes {
			h.requireState(scope, map[string]string{"k": strconv.Itoa(i), "K": "", "k ": ""})
		}
	})
	s.test(t, "keys are sorted", func(t *testing.T, h *harness) {
		h.change(set(ofInstance("a"), "b", "1"), set(ofInstance("a"), "é", "1"), set(ofInstance("a"), "B", "1"), set(ofInstance("a"), "a%_", "1"))
		keys, err := h.StateKeys(h.ctx(), ofInstance("a"))
		require.NoError(t, err)
		require.Equal(t, []string{"B", "a%_", "b", "é"}, keys)
	})
	s.test(t, "changed with every write", testStateChanges)
	s.test(t, "several changes of one key", func(t *testing.T, h *harness) {
		scope := ofInstance("a")
		h.change(change(scope, "n", store.StateIncrement, "1"), change(scope, "n", store.StateExpect, "1.0"),
			change(scope, "n", store.StateIncrement, "2"), change(scope, "m", store.StateExpect, ""),
			set(scope, "m", "1"), change(scope, "m", store.StateDelete, ""), change(scope, "m", store.StateDelete, ""))
		h.requireState(scope, map[string]string{"n": "3", "m": ""})
	})
	s.test(t, "expected to be missing or null", func(t *testing.T, h *harness) {
		scope := ofInstance("a")
		h.change(change(scope, "n", store.StateExpect, "null"), set(scope, "m", "null"))
		h.change(change(scope, "m", store.StateExpect, ""), change(scope, "m", store.StateExpect, "null"))
		h.requireState(scope, map[string]string{"n": "", "m": "null"})
	})
	s.test(t, "cleared", func(t *testing.T, h *harness) {
		h.change(set(ofInstance("a"), "k", "1"), set(ofInstance("a"), "l", "1"), set(ofFlow("a", "f"), "k", "1"))
		h.change(change(ofInstance("a"), "", store.StateClear, ""), change(ofInstance("b"), "", store.StateClear, ""))
		h.requireState(ofInstance("a"), map[string]string{"k": "", "l": ""})
		h.requireState(ofFlow("a", "f"), map[string]string{"k": "1"})
		h.change(set(ofInstance("a"), "k", "2"), change(ofInstance("a"), "", store.StateClear, ""), set(ofInstance("a"), "l", "3"))
		h.requireState(ofInstance("a"), map[string]string{"k": "", "l": "3"})
	})
	s.test(t, "not with a duplicate", func(t *testing.T, h *harness) {
		for range 2 {
			h.acceptAs(&store.Acceptance{
				Execution: execution(t, "a"), DedupeKey: "k", DedupeUntil: start.Add(time.Minute),
				State: []store.StateChange{
					change(ofInstance("a"), "n", store.StateExpect, ""), // The duplicate is none, not refused.
					change(ofInstance("a"), "n", store.StateIncrement, "1"),
				},
			})
		}
		h.requireState(ofInstance("a"), map[string]string{"n": "1"})
	})
	s.test(t, "counted by many", testStateCounter)
	s.crashTest(t, "after a crash", func(t *testing.T, h *harness) {
		claim := h.run("a")
		require.NoError(t, h.Finish(h.ctx(), claim, changing(store.StatusSucceeded, set(ofInstance("a"), "k", "1"))))
		h.crash()
		h.requireState(ofInstance("a"), map[string]string{"k": "1"})
		require.Equal(t, store.StatusSucceeded, h.record(claim.Execution.ID).Status)
	})
	testStateRefused(t, s)
}

// testStateChanges changes one value with an acceptance, its steps, a step and outcomes.
func testStateChanges(t *testing.T, h *harness) {
	scope := ofInstance("a")
	add := func(element string) []store.StateChange {
		return []store.StateChange{change(scope, "l", store.StateAppend, "["+element+"]")}
	}
	before := step("before", 0)
	before.Commit = add("2")
	claim := h.acceptAs(&store.Acceptance{
		Execution: execution(t, "a"), State: add("1"), Steps: []*store.Step{before}, Worker: worker("w1"),
	}).Claim
	h.requireState(scope, map[string]string{"l": "[1,2]"})
	during := step("during", 1)
	during.Commit = add("3")
	for range 2 { // A step that is on record changes nothing.
		require.NoError(t, h.RecordStep(h.ctx(), claim, during))
		h.requireState(scope, map[string]string{"l": "[1,2,3]"})
	}
	again := retry(1, start)
	again.State = add("4")
	require.NoError(t, h.Finish(h.ctx(), claim, again))
	over := changing(store.StatusFailed, add("5")...)
	over.Attempt = 2
	claim = h.claim(1)[0]
	require.NoError(t, h.Finish(h.ctx(), claim, over))
	require.ErrorIs(t, h.Finish(h.ctx(), claim, over), store.ErrLeaseLost)
	h.acceptAs(&store.Acceptance{Execution: execution(t, "a"), Outcome: changing(store.StatusFailed, add("6")...)})
	h.requireState(scope, map[string]string{"l": "[1,2,3,4,5,6]"})

	record := h.record(claim.Execution.ID)
	require.Equal(t, []*store.Step{step("before", 0), step("during", 1)}, record.Steps, "changes are not read back")
	require.Equal(t, outcome(2, store.StatusFailed), record.Attempts[1])
}

// testStateCounter counts from many executions at once.
func testStateCounter(t *testing.T, h *harness) {
	const n = 64
	var all sync.WaitGroup
	for range n {
		claim := h.run("a")
		all.Go(func() {
			err := h.Finish(h.ctx(), claim, changing(store.StatusSucceeded,
				change(ofInstance("a"), "n", store.StateIncrement, "1"), change(ofInstance("a"), "l", store.StateAppend, "[1]")))
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	list, err := h.State(h.ctx(), ofInstance("a"), "l")
	require.NoError(t, err)
	require.Equal(t, n, bytes.Count(list, []byte("1")))
	h.requireState(ofInstance("a"), map[string]string{"n": strconv.Itoa(n), "l": string(list)})
}

func testStateRefused(t *testing.T, s *suite) {
	t.Helper()
	s.test(t, "refused with an outcome", func(t *testing.T, h *harness) {
		scope := ofInstance("a")
		h.change(set(scope, "text", `"1"`), set(scope, "list", "[]"))
		claim := h.run("a")
		for _, refused := range []struct {
			change store.StateChange
			err    error
		}{
			{change(scope, "text", store.StateExpect, "1"), store.ErrStateConflict},
			{change(scope, "none", store.StateExpect, "1"), store.ErrStateConflict},
			{change(scope, "list", store.StateExpect, ""), store.ErrStateConflict},
			{change(scope, "text", store.StateIncrement, "1"), store.ErrStateType},
			{change(scope, "text", store.StateAppend, "[1]"), store.ErrStateType},
			{change(scope, "text", store.StateRemove, "[1]"), store.ErrStateType},
			{change(scope, "list", store.StateIncrement, "1"), store.ErrStateType},
		} {
			o := changing(store.StatusSucceeded, set(scope, "new", "1"), set(scope, "text", `"1"`),
				change(ofFlow("a", "f"), "n", store.StateIncrement, "1"), refused.change, set(scope, "newer", "1"))
			require.ErrorIs(t, h.Finish(h.ctx(), claim, o), refused.err)
			h.requireState(scope, map[string]string{"text": `"1"`, "list": "[]", "new": "", "newer": ""})
			h.requireState(ofFlow("a", "f"), map[string]string{"n": ""})
			require.Equal(t, store.StatusRunning, h.record(claim.Execution.ID).Status)
		}
		h.finish(claim, store.StatusFailed)
		require.Equal(t, []*store.Outcome{outcome(1, store.StatusFailed)}, h.record(claim.Execution.ID).Attempts)
	})
	s.test(t, "refused with a step", func(t *testing.T, h *harness) {
		claim := h.run("a")
		refused := step("a", 1)
		refused.Commit = []store.StateChange{set(ofInstance("a"), "l", "1"), change(ofInstance("a"), "k", store.StateExpect, "1")}
		require.ErrorIs(t, h.RecordStep(h.ctx(), claim, refused), store.ErrStateConflict)
		h.requireState(ofInstance("a"), map[string]string{"l": ""})
		require.Empty(t, h.record(claim.Execution.ID).Steps)
		refused.Commit = nil
		require.NoError(t, h.RecordStep(h.ctx(), claim, refused))
		require.Len(t, h.record(claim.Execution.ID).Steps, 1)
	})
	s.test(t, "refused with an acceptance", func(t *testing.T, h *harness) {
		refused := &store.Acceptance{
			Execution: execution(t, "a"), Worker: worker("w1"), DedupeKey: "k", DedupeUntil: start.Add(time.Minute),
			State: []store.StateChange{change(ofInstance("a"), "k", store.StateExpect, "1")},
		}
		_, err := h.Accept(h.ctx(), refused)
		require.ErrorIs(t, err, store.ErrStateConflict)
		_, err = h.AcceptAll(h.ctx(), []*store.Acceptance{{Execution: execution(t, "a")}, refused, {Execution: execution(t, "a")}})
		require.ErrorIs(t, err, store.ErrStateConflict)
		records, err := h.Executions(h.ctx(), store.Filter{}, "", 9)
		require.NoError(t, err)
		require.Empty(t, records)
		h.nothingReady()
		refused.State = nil
		require.NotNil(t, h.acceptAs(refused).Claim, "its keys are not taken")
	})
	s.test(t, "refused changes", func(t *testing.T, h *harness) {
		claim := h.run("a")
		none := []store.StateChange{change(ofInstance("a"), "k", "none", "")}
		require.Error(t, h.Finish(h.ctx(), claim, changing(store.StatusSucceeded, none...)))
		bad := step("a", 1)
		bad.Commit = none
		require.Error(t, h.RecordStep(h.ctx(), claim, bad))
		for _, a := range []*store.Acceptance{
			{State: none}, {Steps: []*store.Step{bad}}, {Outcome: changing(store.StatusFailed, none...)},
		} {
			a.Execution = execution(t, "a")
			_, err := h.Accept(h.ctx(), a)
			require.Error(t, err)
		}
		h.finish(claim, store.StatusSucceeded)
	})
	s.test(t, "refused among others", testRefusedNeighbour)
	s.test(t, "too large", testStateTooLarge)
}

// testRefusedNeighbour refuses some of many writes at once: the others are written.
func testRefusedNeighbour(t *testing.T, h *harness) {
	const n = 64
	claims, errs := make([]*store.Claim, n), make([]error, n)
	for i := range n {
		claims[i] = h.run("a")
	}
	var all sync.WaitGroup
	for i := range n {
		o := changing(store.StatusSucceeded, change(ofInstance("a"), "n", store.StateIncrement, "1"))
		if i%8 == 0 {
			o.State = append(o.State, change(ofInstance("a"), "n", store.StateExpect, "0"))
		}
		all.Go(func() { errs[i] = h.Finish(h.ctx(), claims[i], o) })
	}
	all.Wait()
	for i, err := range errs {
		if i%8 == 0 {
			require.ErrorIs(t, err, store.ErrStateConflict)
			h.finish(claims[i], store.StatusFailed)
		} else {
			require.NoError(t, err)
		}
	}
	h.requireState(ofInstance("a"), map[string]string{"n": strconv.Itoa(n * 7 / 8)})
}

// testStateTooLarge fills a scope to its last byte.
func testStateTooLarge(t *testing.T, h *harness) {
	if testing.Short() {
		t.Skip("writes 100 MB")
	}
	scope := ofInstance("a")
	text := func(n int) string { return `"` + string(bytes.Repeat([]byte("x"), n-2)) + `"` }
	const half = store.MaxStateBytes / 2
	h.change(set(scope, "a", text(half-1)))
	h.change(set(scope, "b", text(half-1)))
	claim := h.run("a")
	for _, tooMuch := range [][]store.StateChange{
		{set(scope, "c", "1")}, {set(scope, "b", text(half))}, {change(scope, "c", store.StateIncrement, "1")},
	} {
		require.ErrorIs(t, h.Finish(h.ctx(), claim, changing(store.StatusSucceeded, tooMuch...)), store.ErrStateTooLarge)
	}
	h.change(set(ofInstance("b"), "c", "1"))
	h.change(set(scope, "b", text(half-3)), set(scope, "c", "1"))
	h.change(set(scope, "b", text(half-1)), change(scope, "c", store.StateDelete, ""))
	h.change(change(scope, "", store.StateClear, ""))
	h.change(set(scope, "c", "1"))
	h.requireState(scope, map[string]string{"a": "", "b": "", "c": "1"})
}
