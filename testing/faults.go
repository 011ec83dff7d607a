package sluicetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// ErrCrashed is what calls of a runtime return after its crash.
var ErrCrashed = errors.New("sluicetest: the runtime has crashed: call Restart")

// Crash has the runtime die the next time that it comes to the point, as a process does at a
// kill -9: nothing of it reaches the store or the network any more, what it was answering gets
// no answer (see [Response]), and flows do not go on after their next step or request. Go on with
// [Harness.Restart].
//
// Code of a flow that runs at that moment has its context cancelled; until it next calls
// something durable, or its HTTP client, nothing can stop it.
func (h *Harness) Crash(at Point) {
	h.t.Helper()
	h.arm(at, "crash", func(_ context.Context, l *life) error {
		l.crash() //nolint:contextcheck // The runtime ends, whatever it was called for.
		return ErrCrashed
	})
}

// Fail has err come of the point: of the call of the store, in place of what it returned, of the
// step's function or of the request. For a store that is down that is [store.ErrUnavailable];
// at [After] the call has happened all the same, as when a connection breaks before the answer.
func (h *Harness) Fail(err error, at Point) {
	h.t.Helper()
	h.arm(at, fmt.Sprintf("failure %q", err), func(context.Context, *life) error { return err })
}

// Delay has the runtime wait at the point: a slow disk, a slow provider. The wait ends with the
// context of what waits.
func (h *Harness) Delay(d time.Duration, at Point) {
	h.t.Helper()
	h.arm(at, fmt.Sprintf("delay of %v", d), func(ctx context.Context, _ *life) error {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		return nil
	})
}

// LoseLease has the runtime lose its lease at the point, as if it had been suspended for longer:
// what it runs is queued again, and runs a second time, while the first does not know yet. What
// the first would still record is refused.
func (h *Harness) LoseLease(at Point) {
	h.t.Helper()
	h.arm(at, "loss of the lease", func(ctx context.Context, l *life) error {
		l.loseLease(ctx)
		return nil
	})
}

// RefuseNetwork has every request of the flows' HTTP client refused, until [Harness.Mend].
func (h *Harness) RefuseNetwork() {
	h.t.Helper()
	h.Fail(fmt.Errorf("connect: %w", syscall.ECONNREFUSED), BeforeRequest("").Always())
}

// Mend takes back every fault that has not struck yet, or strikes always.
func (h *Harness) Mend() { h.faults.mend() }

// Points are those that the runtime has come to so far, in the order in which it first did. To
// break a flow wherever it can break, run the test once without faults, and then once for each
// of them.
func (h *Harness) Points() []Point { return h.faults.reached() }

func (h *Harness) arm(at Point, what string, strike func(ctx context.Context, l *life) error) {
	h.t.Helper()
	if err := at.check(); err != nil {
		h.t.Fatal(err)
	}
	h.faults.add(&fault{at: at, what: what, left: max(at.times, 1), strike: strike})
}

// requireStruck fails the test if a fault did not strike: it shows nothing then.
func (h *Harness) requireStruck() {
	h.t.Helper()
	for _, f := range h.faults.waiting() {
		points := make([]string, 0, len(h.Points()))
		for _, p := range h.Points() {
			points = append(points, p.String())
		}
		h.t.Errorf("the %s %s did not come: take it back with Mend, or see where the runtime came to: %s",
			f.what, f.at, strings.Join(points, ", "))
	}
}

// fault waits at a point.
type fault struct {
	at   Point
	what string
	// left is how often it still strikes, if not always.
	left   int
	struck bool
	strike func(ctx context.Context, l *life) error
}

// faults are those of a harness, over all lives of its runtime.
type faults struct {
	mu    sync.Mutex
	armed []*fault
	seen  map[Point]bool
	order []Point
}

func (f *faults) add(added *fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.armed = append(f.armed, added)
}

func (f *faults) mend() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.armed = nil
}

func (f *faults) reached() []Point {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.order)
}

// waiting are the faults that never struck.
func (f *faults) waiting() []*fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(f.armed), func(f *fault) bool { return f.struck })
}

// take returns the faults that strike at the place.
func (f *faults) take(place Point) (striking []*fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.seen[place] {
		if f.seen == nil {
			f.seen = map[Point]bool{}
		}
		f.seen[place] = true
		f.order = append(f.order, place)
	}
	f.armed = slices.DeleteFunc(f.armed, func(armed *fault) bool {
		if !armed.at.covers(place) {
			return false
		}
		striking = append(striking, armed)
		armed.struck = true
		armed.left--
		return armed.left == 0 && armed.at.times != always
	})
	return striking
}
