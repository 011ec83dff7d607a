package engine

import "sync"

// maxIdleWorkers is how many goroutines are kept for the next execution.
const maxIdleWorkers = 64

// workers are goroutines that run one execution after the other: a goroutine that has run
// one has a stack that is large enough for the next. Without work a few of them are kept.
type workers struct {
	jobs chan func()
	end  chan struct{}

	mu   sync.Mutex
	idle int
}

func newWorkers() *workers {
	return &workers{jobs: make(chan func()), end: make(chan struct{})}
}

// run has a worker do the job, at once.
func (w *workers) run(job func()) {
	select {
	case w.jobs <- job:
	default:
		go w.work(job)
	}
}

// work does one job after the other, as long as it may wait for the next.
func (w *workers) work(job func()) {
	for {
		job()
		if !w.rest() {
			return
		}
		select {
		case job = <-w.jobs:
			w.rise()
		case <-w.end:
			return
		}
	}
}

// rest tells whether a worker may wait.
func (w *workers) rest() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.idle == maxIdleWorkers {
		return false
	}
	w.idle++
	return true
}

func (w *workers) rise() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.idle--
}

// stop ends the workers that wait. It does not wait for jobs under way, which end theirs.
func (w *workers) stop() { close(w.end) }
