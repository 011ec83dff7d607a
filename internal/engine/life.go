package engine

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/store"
)

// life is when an engine works, and what of it is under way.
type life struct {
	// writing is the context of what the engine writes: it does not end.
	writing context.Context //nolint:containedctx // It has the values of Start's context.
	// work is the context of everything that runs; stopWork ends it with a cause.
	work     context.Context //nolint:containedctx // It is the lifetime of the engine's goroutines.
	stopWork context.CancelCauseFunc
	// claiming ends the dispatcher.
	claiming     context.Context //nolint:containedctx // It is the lifetime of the dispatcher.
	stopClaiming context.CancelFunc

	// began is when the engine was started.
	began time.Time

	mu     sync.Mutex
	state  state
	active int           // the dispatcher, the watches over schedules and strays, requests, executions and background writes under way
	idle   chan struct{} // closed when active returns to 0: the engine has stopped
	// doubts has room for one: there may be strays.
	doubts chan struct{}
	// leaseKept is closed when the keeper of the lease has ended.
	leaseKept chan struct{}
}

// newLife is that of an engine which is not started. What it writes until then heeds no end
// either.
func newLife(ctx context.Context) life {
	ctx = context.WithoutCancel(ctx)
	return life{writing: ctx, work: ctx, claiming: ctx, idle: make(chan struct{}), doubts: make(chan struct{}, 1), leaseKept: make(chan struct{})}
}

type state int

const (
	stateNew state = iota
	stateRunning
	stateStopped
)

// Start begins to run what is accepted and what an earlier process left unfinished. The
// context's values are passed on, its end is not: see Stop.
func (e *Engine) Start(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.state != stateNew {
		return errors.New("started or stopped already: a runtime is started once")
	}
	e.state = stateRunning
	e.writing = context.WithoutCancel(ctx)
	e.work, e.stopWork = context.WithCancelCause(e.writing)
	e.claiming, e.stopClaiming = context.WithCancel(e.work)
	e.began = time.Now()
	e.active += 3
	go e.keepLease() //nolint:contextcheck // As dispatch.
	go e.dispatch()  //nolint:contextcheck // It runs on the engine's context, which is that of Start without its end.
	go e.watch()
	go e.returnStrays()
	if watcher, ok := e.options.Store.(store.Watcher); ok {
		e.active++
		go e.watchInstances(watcher)
	}
	return nil
}

// Stop refuses new work and lets what runs come to its end until ctx ends; then it cancels
// it with [sluice.ErrStopping] and waits until user code has returned, or for the grace
// period. What is unfinished then runs again at the next start. It is called once.
func (e *Engine) Stop(ctx context.Context) error {
	defer e.workers.stop()
	if !e.beginStop() { // It was not started: only changes of instances may be under way.
		select {
		case <-e.idle:
		case <-ctx.Done():
		}
		return nil
	}
	defer func() {
		e.stopWork(sluice.ErrStopping)
		<-e.leaseKept
	}()
	e.stopClaiming()
	select {
	case <-e.idle:
		return nil
	case <-ctx.Done():
	}
	e.stopWork(sluice.ErrStopping)
	grace := time.NewTimer(stopGrace)
	defer grace.Stop()
	select {
	case <-e.idle:
		return nil
	case <-grace.C:
		return errors.New("user code did not return after its context ended; its executions run again at the next start")
	}
}

// stopGrace is how long user code has to return after its context has ended.
const stopGrace = 5 * time.Second

// beginStop ends the intake. It tells whether there is something to stop.
func (e *Engine) beginStop() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	started := e.state == stateRunning
	if e.state == stateNew && e.active == 0 {
		close(e.idle)
	}
	e.state = stateStopped
	return started
}

// Enter counts a request in, unless the engine takes no more: a stop waits for it. Leave
// counts it out.
func (e *Engine) Enter() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.state != stateRunning {
		return false
	}
	e.active++
	return true
}

// enterChange is Enter for a change of an instance, which may be made before the start.
func (e *Engine) enterChange() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.state == stateStopped {
		return false
	}
	e.active++
	return true
}

// hold counts a piece of work in that another one, counted in itself, brings about.
func (e *Engine) hold() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.active++
}

// Leave counts out what Enter, enterChange or hold counted in. The last to leave after the
// stop has begun finds nothing left.
func (e *Engine) Leave() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.active--; e.active == 0 && e.state == stateStopped {
		close(e.idle)
	}
}

// untilStop is ctx, ended by the engine's stop as well. The returned function must be
// called.
func (e *Engine) untilStop(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	unbind := context.AfterFunc(e.work, func() { cancel(context.Cause(e.work)) })
	return ctx, func() {
		unbind()
		cancel(nil)
	}
}
