package storetest

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluice-go/sluice/store"
)

// testModel runs random operations on a store and on a model of it, and compares.
func testModel(t *testing.T, s *suite) {
	rapid.Check(t, func(r *rapid.T) {
		m := &model{t: t, driver: s.driver, store: s.driver.Open(t), keys: map[string]*modeled{}, state: map[string][]byte{}}
		m.instance = instance(t, "acme", "main")
		m.pause(r)
		defer func() { require.NoError(r, m.store.Close()) }()
		actions := map[string]func(*rapid.T){
			"":        m.compareOne,
			"accept":  m.accept,
			"claim":   m.claim,
			"finish":  m.finish,
			"pause":   m.pause,
			"record":  m.recordStep,
			"release": m.release,
			"cancel":  m.cancel,
			"stale":   m.staleClaim,
		}
		if s.driver.Crash != nil {
			actions["crash"] = m.crash
		}
		r.Repeat(actions)
		m.compareAll(r)
	})
}

// model is what a store must look like.
type model struct {
	t      *testing.T
	driver Driver
	store  store.Store
	// all is in the order of acceptance, keys are the dedupe keys in use.
	all  []*modeled
	keys map[string]*modeled
	// instance may be paused.
	instance *store.Instance
	// state is that of instance a, by key.
	state map[string][]byte
	// lost are claims that ended.
	lost []*store.Claim
}

// modeled is an execution as it must be. One that is due became ready at a moment that the
// model does not know.
type modeled struct {
	store.Record
	due   bool
	claim *store.Claim
	// canceled says why it is to be canceled.
	canceled string
	last     int64
	// crashes is what its next claim says; deaths counts since its last outcome. If it may
	// have been ready when the process died, they may be 1 instead of 0.
	crashes, deaths int
	perhapsCrashed  bool
	// kept says whether it has its seat while it is not claimed.
	kept seat
	// released says that a claim ended without an outcome, in this attempt.
	released bool
}

// seat says whether an execution has one that it kept. Whether one that has resumed still
// keeps it over a crash is up to the driver.
type seat int

const (
	none seat = iota
	perhaps
	kept
)

// keeps draws whether a seat is kept.
func (e *modeled) keeps(r *rapid.T) bool {
	keep := rapid.Bool().Draw(r, "keep seat")
	if e.kept = none; keep && e.Lane.Limit > 0 {
		e.kept = kept
	}
	return keep
}

func (m *model) accept(r *rapid.T) {
	e := execution(m.t, rapid.SampledFrom([]string{"a", "", m.instance.ID}).Draw(r, "instance"))
	e.Lane = rapid.SampledFrom([]store.Lane{{}, {Key: "k"}, {Key: "k", Limit: 1}, {Key: "l", Limit: 2}, {Key: "k", Limit: 2}}).Draw(r, "lane")
	a := &store.Acceptance{Execution: e, DedupeKey: rapid.SampledFrom([]string{"", "k", "l"}).Draw(r, "key")}
	a.DedupeUntil = e.AcceptedAt.Add(time.Hour)
	e.UniqueKey = rapid.SampledFrom([]string{"", "u"}).Draw(r, "unique key")
	next := &modeled{Record: store.Record{Execution: *e, Status: store.StatusQueued}}
	switch rapid.SampledFrom([]string{"ready", "claimed", "over"}).Draw(r, "as") {
	case "claimed":
		a.Worker = worker("w")
	case "over":
		a.Outcome = outcome(1, store.StatusSkipped)
		next.Status, next.Attempts = store.StatusSkipped, []*store.Outcome{a.Outcome}
	}
	accepted, err := m.store.Accept(m.t.Context(), a)
	require.NoError(r, err)
	key := e.Instance + "/" + a.DedupeKey
	if first := m.keys[key]; a.DedupeKey != "" && first != nil {
		require.Equal(r, first.ID, accepted.DuplicateOf)
		require.Nil(r, accepted.Claim)
		return
	}
	m.keys[key] = next
	require.Empty(r, accepted.DuplicateOf)
	var superseded []string
	for _, o := range m.all {
		if m.supersedes(next, o) && o.claim == nil && len(o.Attempts) > 0 && !o.Status.Final() {
			if m.newer(o) != nil && !slices.Contains(accepted.Canceled, o.ID) {
				continue // Its next claim says so.
			}
			superseded = append(superseded, o.ID)
			o.end("superseded by execution " + next.ID)
		}
	}
	require.Equal(r, superseded, accepted.Canceled)
	m.all = append(m.all, next)
	switch {
	case a.Worker.ID == "":
		require.Nil(r, accepted.Claim)
	case accepted.Claim != nil:
		if e.Lane.Limit > 0 {
			m.requireTurn(r, next)
		}
		next.Status, next.claim = store.StatusRunning, accepted.Claim
	default:
		require.True(r, e.Lane.Limit > 0 || m.paused(next), "nothing holds it up")
	}
}

func (m *model) claim(r *rapid.T) {
	must := m.mustRun()
	patience := time.Millisecond
	if must {
		patience = 10 * time.Second
	}
	limit := rapid.IntRange(1, 3).Draw(r, "limit")
	ctx, cancel := context.WithTimeoutCause(m.t.Context(), patience, errPatience)
	defer cancel()
	claims, err := m.store.Claim(ctx, worker("w"), limit)
	if err != nil {
		require.ErrorIs(r, err, errPatience)
		require.False(r, must, "something is ready")
		return
	}
	require.NotEmpty(r, claims)
	require.LessOrEqual(r, len(claims), limit)
	for _, claim := range claims {
		m.claimed(r, claim)
	}
}

func (m *model) claimed(r *rapid.T, claim *store.Claim) {
	e := m.find(claim.Execution.ID)
	require.Equal(r, e.Execution, *claim.Execution)
	if e.perhapsCrashed && e.crashes == 0 && claim.Crashes == 1 {
		e.crashes, e.deaths = 1, max(e.deaths, 1)
	}
	m.requireTurn(r, e)
	if newer := m.newer(e); e.canceled == "" && len(e.Attempts) > 0 && newer != nil {
		e.canceled = "superseded by execution " + newer.ID
	}
	require.Equal(r, e.crashes, claim.Crashes)
	require.Equal(r, e.canceled, claim.Canceled)
	require.Equal(r, len(e.Attempts)+1, claim.Attempt)
	require.Greater(r, claim.Token, e.last)
	if len(e.Steps) > 0 && len(e.Attempts) == 0 || e.released {
		require.True(r, claim.Recovered)
	}
	e.Status, e.Due, e.due, e.perhapsCrashed = store.StatusRunning, time.Time{}, false, false
	e.claim, e.last = claim, claim.Token
	if e.kept != none {
		e.kept = perhaps
	}
}

func (m *model) find(id string) *modeled {
	return m.all[slices.IndexFunc(m.all, func(e *modeled) bool { return e.ID == id })]
}

// running draws one that is claimed.
func (m *model) running(r *rapid.T) *modeled {
	var list []*modeled
	for _, e := range m.all {
		if e.claim != nil {
			list = append(list, e)
		}
	}
	if len(list) == 0 {
		r.Skip("nothing is claimed")
	}
	return rapid.SampledFrom(list).Draw(r, "claimed")
}

func (m *model) finish(r *rapid.T) {
	e := m.running(r)
	o := outcome(e.claim.Attempt, rapid.SampledFrom([]store.Status{
		store.StatusSucceeded, store.StatusFailed, store.StatusWaiting,
	}).Draw(r, "status"))
	before := e.kept
	e.kept = none
	if o.Status == store.StatusWaiting {
		o.KeepSeat = e.keeps(r)
		e.due = rapid.Bool().Draw(r, "due")
		o.NextAttempt = time.Now().Add(time.Hour).UTC()
		if e.due {
			o.NextAttempt = start
		}
	}
	want := m.recorded(e, *o)
	if !m.commits(r, &o.State, func() error { return m.store.Finish(m.t.Context(), e.claim, o) }) {
		e.due, e.kept = false, before
		return
	}
	require.Equal(r, want, *o)
	if o.Status != store.StatusWaiting {
		e.due, e.kept = false, none
	}
	o.KeepSeat = false
	e.Status, e.Due, e.Attempts, e.crashes = o.Status, o.NextAttempt, append(e.Attempts, o), 0
	e.deaths, e.released = 0, false
	m.lose(e)
}

// supersedes tells whether an execution is newer than another one with the same unique key.
func (m *model) supersedes(e, other *modeled) bool {
	return e.ID > other.ID && e.UniqueKey != "" && e.UniqueKey == other.UniqueKey && e.Instance == other.Instance
}

// newer is the newest execution that supersedes one, nil if none does.
func (m *model) newer(e *modeled) (newest *modeled) {
	for _, other := range m.all {
		if m.supersedes(other, e) {
			newest = other
		}
	}
	return newest
}

// recorded is what becomes of an outcome: what is to be canceled, or superseded, does not
// wait.
func (m *model) recorded(e *modeled, o store.Outcome) store.Outcome {
	reason := e.canceled
	if newer := m.newer(e); reason == "" && newer != nil {
		reason = "superseded by execution " + newer.ID
	}
	if o.Status == store.StatusWaiting && reason != "" {
		o.Status, o.NextAttempt, o.Error = store.StatusCanceled, time.Time{}, reason+": "+o.Error
	}
	return o
}

// end cancels an execution that does not run.
func (e *modeled) end(reason string) {
	e.Attempts = append(e.Attempts, &store.Outcome{Attempt: len(e.Attempts) + 1, Status: store.StatusCanceled, Error: reason})
	e.Status, e.Due, e.due, e.deaths, e.kept = store.StatusCanceled, time.Time{}, false, 0, none
}

func (m *model) cancel(r *rapid.T) {
	if len(m.all) == 0 {
		r.Skip("nothing is there")
	}
	e := rapid.SampledFrom(m.all).Draw(r, "canceled")
	reason := rapid.SampledFrom([]string{"one", "two"}).Draw(r, "reason")
	status, err := m.store.Cancel(m.t.Context(), e.ID, reason)
	switch {
	case e.Status.Final():
		require.ErrorIs(r, err, store.ErrConflict)
		return
	case e.claim != nil:
		e.canceled = cmp.Or(e.canceled, reason)
	default:
		e.end(reason)
	}
	require.NoError(r, err)
	require.Equal(r, e.Status, status)
}

func (m *model) lose(e *modeled) {
	m.lost = append(m.lost, e.claim)
	e.claim = nil
}

func (m *model) recordStep(r *rapid.T) {
	e := m.running(r)
	next := step(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(r, "key"), e.claim.Attempt)
	if slices.ContainsFunc(e.Steps, func(s *store.Step) bool { return s.Key == next.Key }) {
		next.Commit = []store.StateChange{set(ofInstance("a"), "k", "1"), change(ofInstance("a"), "k", store.StateExpect, "2")}
		require.NoError(r, m.store.RecordStep(m.t.Context(), e.claim, next))
	} else if m.commits(r, &next.Commit, func() error { return m.store.RecordStep(m.t.Context(), e.claim, next) }) {
		e.Steps = append(e.Steps, next)
	} else {
		return
	}
	e.crashes = 0
}

func (m *model) release(r *rapid.T) {
	e := m.running(r)
	pause := store.Pause{KeepSeat: e.keeps(r)}
	switch rapid.SampledFrom([]string{"at once", "due", "later"}).Draw(r, "until") {
	case "due":
		pause.Until, e.due = start, true
	case "later":
		pause.Until = time.Now().Add(time.Hour).UTC()
	}
	require.NoError(r, m.store.Release(m.t.Context(), e.claim, pause))
	if e.canceled != "" {
		pause.Until, e.due = time.Time{}, false // It does not wait for its end.
	}
	e.Status, e.Due, e.released = store.StatusQueued, pause.Until, true
	if !pause.Until.IsZero() {
		e.Status = store.StatusWaiting
	}
	m.lose(e)
}

func (m *model) staleClaim(r *rapid.T) {
	if len(m.lost) == 0 {
		r.Skip("no claim was lost")
	}
	claim := rapid.SampledFrom(m.lost).Draw(r, "lost")
	require.ErrorIs(r, m.store.Finish(m.t.Context(), claim, outcome(claim.Attempt, store.StatusFailed)), store.ErrLeaseLost)
	require.ErrorIs(r, m.store.RecordStep(m.t.Context(), claim, step("stale", 1)), store.ErrLeaseLost)
	require.ErrorIs(r, m.store.Release(m.t.Context(), claim, store.Pause{}), store.ErrLeaseLost)
}

func (m *model) crash(*rapid.T) {
	m.store = m.driver.Crash(m.t, m.store)
	for _, e := range m.all {
		switch {
		case e.claim != nil:
			e.crashes, e.deaths = e.crashes+1, e.deaths+1
			e.Status, e.released = store.StatusQueued, true
			m.lose(e)
		case e.due:
			e.perhapsCrashed = true
		case e.Status == store.StatusQueued:
			if e.perhapsCrashed = true; e.kept == kept {
				e.kept = perhaps
			}
		}
	}
}

// commits draws the state changes of a write and tells whether it was committed.
func (m *model) commits(r *rapid.T, changes *[]store.StateChange, write func() error) bool {
	after, refused := maps.Clone(m.state), error(nil)
	for range rapid.IntRange(0, 3).Draw(r, "changes") {
		c := rapid.SampledFrom([]store.StateChange{
			set(ofInstance("a"), "", "1"), set(ofInstance("a"), "", "[]"),
			change(ofInstance("a"), "", store.StateIncrement, "0.5"), change(ofInstance("a"), "", store.StateAppend, "[1,2]"),
			change(ofInstance("a"), "", store.StateRemove, "[1]"), change(ofInstance("a"), "", store.StateExpect, "1"),
			change(ofInstance("a"), "", store.StateDelete, ""), change(ofInstance("a"), "", store.StateClear, ""),
		}).Draw(r, "change")
		c.Key = rapid.SampledFrom([]string{"k", "l"}).Draw(r, "state key")
		*changes = append(*changes, c)
		value, err := c.Apply(after[c.Key])
		switch {
		case refused != nil:
		case err != nil:
			refused = err
		case c.Op == store.StateClear:
			clear(after)
		case value == nil:
			delete(after, c.Key)
		default:
			after[c.Key] = value
		}
	}
	err := write()
	*changes = nil // They are not read back.
	if refused != nil {
		for cause := refused; cause != nil; cause = errors.Unwrap(cause) {
			refused = cause
		}
		require.ErrorIs(r, err, refused)
		return false
	}
	require.NoError(r, err)
	m.state = after
	return true
}

func (m *model) compareState(r *rapid.T) {
	keys, err := m.store.StateKeys(m.t.Context(), ofInstance("a"))
	require.NoError(r, err)
	require.ElementsMatch(r, slices.Collect(maps.Keys(m.state)), keys)
	for key, want := range m.state {
		got, err := m.store.State(m.t.Context(), ofInstance("a"), key)
		require.NoError(r, err)
		require.Equal(r, string(want), string(got))
	}
}

func (m *model) compareOne(r *rapid.T) {
	m.compareState(r)
	m.compareBacklog(r)
	if len(m.all) == 0 {
		_, err := m.store.Execution(m.t.Context(), newID(m.t))
		require.ErrorIs(r, err, store.ErrNotFound)
		return
	}
	e := rapid.SampledFrom(m.all).Draw(r, "execution")
	record, err := m.store.Execution(m.t.Context(), e.ID)
	require.NoError(r, err)
	m.compare(r, e, record)
}

func (m *model) compareAll(r *rapid.T) {
	records, err := m.store.Executions(m.t.Context(), store.Filter{}, "", len(m.all)+1)
	require.NoError(r, err)
	require.Len(r, records, len(m.all))
	for i, record := range records {
		m.compare(r, m.all[len(m.all)-1-i], record)
	}
}

func (m *model) compare(r *rapid.T, want *modeled, got *store.Record) {
	if want.due && got.Status == store.StatusQueued {
		got.Status, got.Due = store.StatusWaiting, want.Due
	}
	// Who was canceled without running ended at a moment that only the store knows.
	if n := len(want.Attempts); n > 0 && n == len(got.Attempts) && want.Attempts[n-1].EndedAt.IsZero() {
		require.WithinDuration(r, time.Now(), got.Attempts[n-1].EndedAt, time.Minute)
		got.Attempts[n-1].EndedAt = time.Time{}
	}
	require.Equal(r, want.Record, *got)
}
