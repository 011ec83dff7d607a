package simulation

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/sluice-go/sluice/store"
)

// errKilled is what a dead process gets of its store. Nobody lives to see it.
var errKilled = errors.New("simulation: the process is dead")

// faults stands between a runtime and the store that all share. What it refuses has not
// happened.
type faults struct {
	mu      sync.Mutex
	random  *rand.Rand
	killed  bool
	resumed chan struct{} // not nil while the process is paused; closed when it goes on
	// failing and slow are how likely a call fails, and how long one takes at most.
	failing float64
	slow    time.Duration
}

func newFaults(seed uint64) *faults {
	return &faults{random: rand.New(rand.NewPCG(seed, 0))}
}

// kill makes every call fail from now on.
func (f *faults) kill() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.killed = true
	if f.resumed != nil {
		close(f.resumed)
		f.resumed = nil
	}
}

// pause makes every call wait until resume.
func (f *faults) pause() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.resumed == nil {
		f.resumed = make(chan struct{})
	}
}

func (f *faults) resume() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.resumed != nil {
		close(f.resumed)
		f.resumed = nil
	}
}

// disturb sets how likely calls fail, and how long they take.
func (f *faults) disturb(failing float64, slow time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.failing, f.slow = failing, slow
}

func (f *faults) down() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.killed || f.resumed != nil
}

// draw waits out a pause and decides what becomes of a call.
func (f *faults) draw() (delay time.Duration, err error) {
	for {
		f.mu.Lock()
		resumed := f.resumed
		if resumed == nil {
			break
		}
		f.mu.Unlock()
		<-resumed
	}
	defer f.mu.Unlock()
	if f.killed {
		return 0, errKilled
	}
	if f.slow > 0 {
		delay = time.Duration(f.random.Int64N(int64(f.slow)))
	}
	if f.random.Float64() < f.failing {
		err = store.ErrUnavailable
	}
	return delay, err
}

// pass makes a call, late or not at all.
func (f *faults) pass(_ context.Context, _ string, call func() error) error {
	delay, err := f.draw()
	if err != nil {
		return err
	}
	time.Sleep(delay)
	if _, err := f.draw(); errors.Is(err, errKilled) {
		return err
	}
	err = call()
	if _, dead := f.draw(); errors.Is(dead, errKilled) {
		return dead // It has happened, but nobody hears of it.
	}
	return err
}
