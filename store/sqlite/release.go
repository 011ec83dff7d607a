package sqlite

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/sluice-go/sluice/store"
)

// Release implements [store.Claimer].
func (s *Store) Release(ctx context.Context, claim *store.Claim, pause store.Pause) error {
	if err := s.submit(ctx, &release{claim: claim, Pause: pause}); err != nil {
		return fmt.Errorf("store: release execution %s: %w", claim.Execution.ID, err)
	}
	return nil
}

// release of what is ready again at once writes only what the claim wrote: claims stand in
// memory. It takes its turn among the writes, so that it cannot overtake an outcome of the
// same claim.
type release struct {
	claim *store.Claim
	store.Pause
	seat *seat
}

func (w *release) apply(s *Store) error {
	found := s.queue.current(w.claim)
	if found == nil || found.ending {
		return nil
	}
	w.seat, found.ending = found, true
	if cmp.Or(found.canceling, found.canceled) != "" {
		w.Until = time.Time{}
	}
	switch {
	case !w.Until.IsZero():
		w.seat.leaving = true
		waits := *w.seat
		waits.recovered = true
		return s.pend(&waits, w.Until, w.keeps())
	case w.seat.kept && !w.KeepSeat:
		return s.pend(w.seat, w.Until, false)
	case w.seat.deaths > 0:
		return s.setCrashes(w.seat, w.seat.deaths, w.seat.crashes)
	default:
		return nil
	}
}

// keeps tells whether it keeps its seat in the lane, if that has any.
func (w *release) keeps() bool { return w.KeepSeat && w.seat.limit > 0 }

func (w *release) undo() {
	if w.seat != nil {
		w.seat.ending, w.seat.leaving = false, false
		w.seat = nil
	}
}

func (w *release) committed(s *Store, _ bool) error {
	switch {
	case w.seat == nil:
		return store.ErrLeaseLost
	case w.Until.IsZero():
		w.seat.ending = false
		w.seat.kept = w.seat.kept && w.KeepSeat
		s.queue.giveBack(w.seat, w.keeps())
	default:
		w.seat.over = true
		s.queue.remove(w.seat, w.keeps())
		s.remind(w.Until)
	}
	return nil
}
