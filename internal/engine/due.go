package engine

import (
	"errors"
	"sync"
	"time"

	"github.com/sluice-go/sluice/store"
)

// maxFiring bounds how many schedules are fired at once: however many are due, the others
// wait in the store. A trigger that takes longer than slowTrigger, as where a service does not
// answer, counts no more: it keeps nobody else waiting.
const (
	maxFiring   = 32
	slowTrigger = 5 * time.Second
)

// firing is what is being fired.
type firing struct {
	// places has an element for each schedule that is being fired or claimed.
	places chan struct{}

	mu  sync.Mutex
	due map[firedSchedule]bool
	// fired has the due times that came to an end since schedules were last asked for: what is
	// claimed now may have been claimed before that.
	fired map[firedSchedule]time.Time
}

type firedSchedule struct{ instance, flow string }

func keyOf(s *store.Schedule) firedSchedule { return firedSchedule{s.Instance, s.Flow} }

func newFiring() *firing {
	return &firing{places: make(chan struct{}, maxFiring), due: map[firedSchedule]bool{}, fired: map[firedSchedule]time.Time{}}
}

// ask begins to claim schedules.
func (f *firing) ask() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.fired)
}

// enter tells whether the schedule that was claimed is to be fired, and is not already: a trigger
// may take longer than the claim lasts.
func (f *firing) enter(s *store.Schedule) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	key := keyOf(s)
	if fired, ok := f.fired[key]; f.due[key] || ok && !s.Due.After(fired) {
		return false
	}
	f.due[key] = true
	return true
}

// leave ends what enter began. What failed is due again.
func (f *firing) leave(s *store.Schedule, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	key := keyOf(s)
	delete(f.due, key)
	if err == nil {
		f.fired[key] = s.Due
	}
}

// watch claims the schedules that are due and fires them. It ends with the claiming context.
func (e *Engine) watch() {
	defer e.Leave()
	for e.takePlace() {
		free := 1 + e.takeFreePlaces()
		e.firing.ask()
		schedules, err := e.options.Store.ClaimSchedules(e.claiming, e.worker, free)
		for range free - len(schedules) {
			<-e.firing.places
		}
		if err != nil && e.claiming.Err() == nil {
			e.options.Logger.ErrorContext(e.claiming, "claiming schedules failed", "error", err)
			pause(e.claiming, claimPause)
		}
		for _, schedule := range schedules {
			if !e.firing.enter(schedule) {
				<-e.firing.places
				continue
			}
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
	leavePlace := sync.OnceFunc(func() { <-e.firing.places })
	defer leavePlace()
	err := errGoexit
	defer func() { e.firing.leave(schedule, err) }()
	err = e.fireDue(schedule, leavePlace)
	if err != nil && !errors.Is(err, store.ErrConflict) && e.claiming.Err() == nil {
		e.options.Logger.ErrorContext(e.work, "firing a schedule failed: it is tried again", "instance", schedule.Instance,
			"flow", schedule.Flow, "error", err)
	}
}
