package engine

import (
	"errors"
	"sync"

	"github.com/sluice-go/sluice/store"
)

// maxFiring bounds how many schedules are fired at once: however many are due, the others
// wait in the store.
const maxFiring = 32

// firing is what is being fired.
type firing struct {
	// places has an element for each schedule that is being fired or claimed.
	places chan struct{}

	mu  sync.Mutex
	due map[firedSchedule]bool
}

type firedSchedule struct{ instance, flow string }

func newFiring() *firing {
	return &firing{places: make(chan struct{}, maxFiring), due: map[firedSchedule]bool{}}
}

// enter tells whether the schedule is not being fired already: a trigger may take longer
// than the claim lasts.
func (f *firing) enter(s firedSchedule) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.due[s] {
		return false
	}
	f.due[s] = true
	return true
}

func (f *firing) leave(s firedSchedule) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.due, s)
}

// watch claims the schedules that are due and fires them. It ends with the claiming context.
func (e *Engine) watch() {
	defer e.Leave()
	for e.takePlace() {
		free := 1 + e.takeFreePlaces()
		schedules, err := e.options.Store.ClaimSchedules(e.claiming, e.worker, free)
		for range free - len(schedules) {
			<-e.firing.places
		}
		if err != nil && e.claiming.Err() == nil {
			e.options.Logger.ErrorContext(e.claiming, "claiming schedules failed", "error", err)
			pause(e.claiming, claimPause)
		}
		for _, schedule := range schedules {
			e.hold()
			e.workers.run(func() { e.fire(schedule) })
		}
	}
}

// takePlace waits for a place, or for the end of the claiming context.
func (e *Engine) takePlace() bool {
	select {
	case e.firing.places <- struct{}{}:
		return e.claiming.Err() == nil
	case <-e.claiming.Done():
		return false
	}
}

// takeFreePlaces takes all places that are free.
func (e *Engine) takeFreePlaces() (taken int) {
	for {
		select {
		case e.firing.places <- struct{}{}:
			taken++
		default:
			return taken
		}
	}
}

// fire fires a claimed schedule in a place that it holds.
func (e *Engine) fire(schedule *store.Schedule) {
	defer e.Leave()
	defer func() { <-e.firing.places }()
	key := firedSchedule{schedule.Instance, schedule.Flow}
	if !e.firing.enter(key) {
		return
	}
	defer e.firing.leave(key)
	err := e.fireDue(schedule)
	if err != nil && !errors.Is(err, store.ErrConflict) && e.claiming.Err() == nil {
		e.options.Logger.ErrorContext(e.work, "firing a schedule failed: it is tried again", "instance", schedule.Instance,
			"flow", schedule.Flow, "error", err)
	}
}
