package storetest

import (
	"slices"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluice-go/sluice/store"
)

// ready tells whether an execution is ready for certain.
func (e *modeled) ready() bool { return e.Status == store.StatusQueued && !e.due }

func (e *modeled) suspect() bool { return e.deaths > 1 }

// sameLane tells whether two executions stand in line one behind the other.
func (e *modeled) sameLane(o *modeled) bool {
	if e.Instance != o.Instance || e.suspect() || o.suspect() {
		return false
	}
	return e.Lane.Limit == 0 && o.Lane.Limit == 0 || e.sharesSeats(o)
}

func (e *modeled) sharesSeats(o *modeled) bool {
	return e.Lane.Limit > 0 && o.Lane.Limit > 0 && e.Instance == o.Instance && e.Lane.Key == o.Lane.Key
}

// hasRoom tells whether an execution may have a seat in its lane, or surely can.
func (m *model) hasRoom(e *modeled, surely bool) bool {
	if e.Lane.Limit == 0 || e.kept == kept || e.kept == perhaps && !surely {
		return true
	}
	taken := 0
	for _, o := range m.all {
		if o != e && o.sharesSeats(e) && (o.claim != nil || o.kept == kept || o.kept == perhaps && surely) {
			taken++
		}
	}
	return taken < e.Lane.Limit
}

// first returns the first of a lane that waits for its turn, with those that are due if they
// count.
func (m *model) first(e *modeled, due bool) *modeled {
	i := slices.IndexFunc(m.all, func(o *modeled) bool {
		return o.kept != kept && o.sameLane(e) && (o.ready() || due && o.due)
	})
	if i < 0 {
		return nil
	}
	return m.all[i]
}

// seatGiven tells whether a seat of the lane may be given already to another one that is
// ready, and not a suspect.
func (m *model) seatGiven(e *modeled) bool {
	return slices.ContainsFunc(m.all, func(o *modeled) bool {
		return o != e && o.sharesSeats(e) && !o.suspect() && (o.ready() || o.due)
	})
}

// firstSuspect returns the first of those that may run for certain.
func (m *model) firstSuspect() *modeled {
	if slices.ContainsFunc(m.all, func(e *modeled) bool { return e.claim != nil && e.suspect() }) {
		return nil
	}
	i := slices.IndexFunc(m.all, func(e *modeled) bool {
		return e.suspect() && e.ready() && !m.paused(e) && m.hasRoom(e, true) && !m.seatGiven(e)
	})
	if i < 0 {
		return nil
	}
	return m.all[i]
}

// mustRun tells whether something is to be claimed, sooner or later.
func (m *model) mustRun() bool {
	return m.firstSuspect() != nil || slices.ContainsFunc(m.all, func(e *modeled) bool {
		switch {
		case m.paused(e) || !e.ready() && !e.due || e.suspect():
			return false
		case e.kept == kept:
			return true
		default:
			return m.first(e, true) == e && m.hasRoom(e, true)
		}
	})
}

// requireTurn asserts that an execution may be claimed now.
func (m *model) requireTurn(r *rapid.T, e *modeled) {
	require.True(r, e.ready() || e.due, "it is not ready")
	require.False(r, m.paused(e), "its instance is paused")
	require.True(r, m.hasRoom(e, false), "its lane is full")
	switch first := m.first(e, false); {
	case e.suspect():
		require.False(r, slices.ContainsFunc(m.all, func(o *modeled) bool { return o.claim != nil && o.suspect() }),
			"a suspect runs already")
		if first := m.firstSuspect(); first != nil {
			require.LessOrEqual(r, slices.Index(m.all, e), slices.Index(m.all, first), "another suspect comes first")
		}
	case e.kept != none || first == nil:
	case first.Lane.Limit != e.Lane.Limit && (e.released || len(e.Attempts) > 0): // It may have got its seat before.
	default:
		require.LessOrEqual(r, slices.Index(m.all, e), slices.Index(m.all, first), "another comes first in its lane")
	}
}

func (m *model) paused(e *modeled) bool { return m.instance.Paused && e.Instance == m.instance.ID }

// pause pauses the instance, or ends its pause.
func (m *model) pause(r *rapid.T) {
	m.instance.Paused = !m.instance.Paused
	require.NoError(r, m.store.PutInstance(m.t.Context(), m.instance))
}
