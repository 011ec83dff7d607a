package engine

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/sluice-go/sluice/store"
)

// ErrQueueFull says that no more executions may wait: nothing was accepted.
var ErrQueueFull = errors.New("too many executions are waiting")

// backlog counts the executions that wait to be run. It adds those that this engine accepts
// and takes away those that it claims for the first time; what others do, and what was there
// before, it learns from the store: before it says that there is no room, and whenever it has
// added a few more.
//
// An instance may have as many as are free (dynamic thresholds, as in switches that share a
// buffer): alone it gets half of all, n busy ones get 1/(n+1) each, and a quiet one always
// finds room.
type backlog struct {
	limit store.Load
	store store.Backlog
	log   *slog.Logger

	mu        sync.Mutex
	total     store.Load
	instances map[string]*tally
	// added is what was accepted since the last count of the store began; counted says that
	// there was one, counting is closed when the one under way ends, next is when another may
	// begin.
	added    store.Load
	counted  bool
	counting chan struct{}
	next     time.Time
}

// tally is what waits of an instance.
type tally struct {
	// waiting is all of it, of which entering is being accepted, and settled was since the
	// last count of the store began: the store may not know of these.
	waiting, entering, settled store.Load
}

const (
	// recountAt is the part of the limit that may be added until the store is asked again: so
	// far may each process on a shared store go over the limit.
	recountAt = 16
	// countShare is the part of the time that the store spends with counting.
	countShare = 20
	// countTime bounds one count.
	countTime = 10 * time.Second
)

func newBacklog(options *Options) *backlog {
	return &backlog{
		limit: store.Load{Count: options.MaxQueued, Bytes: options.MaxQueuedBytes}, store: options.Store,
		log: options.Logger, instances: map[string]*tally{},
	}
}

// enter counts executions in that are about to be accepted, if there is room. Then settle or
// leave is called. Alone says that they may enter whatever their size where none of the
// instance waits.
func (b *backlog) enter(ctx context.Context, instance string, more store.Load, alone bool) bool {
	entered, sure := b.tryEnter(instance, more, alone)
	if sure {
		return entered
	}
	b.recount(ctx, !entered)
	if !entered {
		entered, _ = b.tryEnter(instance, more, alone)
	}
	return entered
}

// tryEnter enters if there is room by what is known. It is sure if the store need not be
// asked, or not yet.
func (b *backlog) tryEnter(instance string, more store.Load, alone bool) (entered, sure bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := b.instances[instance]
	if t == nil {
		t = &tally{}
	}
	free, after := b.limit.Add(b.total.Negative()), t.waiting.Add(more)
	entered = after.Count <= free.Count && after.Bytes <= free.Bytes || alone && t.waiting.Count == 0
	if entered {
		b.instances[instance], b.total = t, b.total.Add(more)
		t.waiting, t.entering = after, t.entering.Add(more)
	}
	old := !b.counted || b.added.Count > b.limit.Count/recountAt || b.added.Bytes > b.limit.Bytes/recountAt
	return entered, entered && !old || time.Now().Before(b.next)
}

// settle leaves executions that entered to their claims: they were accepted and wait.
func (b *backlog) settle(instance string, load store.Load) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.added = b.added.Add(load)
	t := b.instances[instance]
	t.entering, t.settled = t.entering.Add(load.Negative()), t.settled.Add(load)
}

// leave counts executions out that entered: they were not accepted, or run at once.
func (b *backlog) leave(instance string, load store.Load) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := b.instances[instance]
	t.entering = t.entering.Add(load.Negative())
	b.set(instance, t.waiting.Add(load.Negative()))
}

// claimed counts executions out that are claimed for the first time.
func (b *backlog) claimed(claims []*store.Claim) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, claim := range claims {
		t := b.instances[claim.Execution.Instance]
		if t == nil || claim.Recovered || claim.Attempt > 1 {
			continue
		}
		left := t.waiting.Add(loadOf(claim.Execution).Negative())
		left.Bytes = max(left.Bytes, t.entering.Bytes) // It may be one that was not counted in.
		if left.Count < t.entering.Count {
			left = t.entering
		}
		b.set(claim.Execution.Instance, left)
	}
}

// set changes what waits of an instance.
func (b *backlog) set(instance string, waiting store.Load) {
	t := b.instances[instance]
	if waiting.Count == 0 {
		waiting = store.Load{}
		delete(b.instances, instance)
	}
	b.total = b.total.Add(t.waiting.Negative()).Add(waiting)
	t.waiting = waiting
}

// recount asks the store what waits. Where somebody else does already, who waits takes that
// answer.
func (b *backlog) recount(ctx context.Context, wait bool) {
	b.mu.Lock()
	if counting := b.counting; counting != nil {
		b.mu.Unlock()
		if wait {
			<-counting
		}
		return
	}
	counting := make(chan struct{})
	b.counting, b.added = counting, store.Load{}
	for _, t := range b.instances {
		t.settled = store.Load{}
	}
	b.mu.Unlock()

	began := time.Now()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), countTime) // Others want to know as well.
	defer cancel()
	queued, err := b.store.Queued(ctx)

	b.mu.Lock()
	defer b.mu.Unlock()
	defer close(counting)
	b.counting, b.next = nil, time.Now().Add(countShare*time.Since(began))
	if err != nil {
		b.next = time.Now().Add(claimPause)
		b.log.WarnContext(ctx, "counting the executions that wait failed", "error", err)
		return
	}
	b.counted = true
	b.replace(queued)
}

// replace takes over what the store has counted, and what it may not know of yet.
func (b *backlog) replace(queued map[string]store.Load) {
	before := b.instances
	b.instances, b.total = make(map[string]*tally, len(queued)), store.Load{}
	for instance, t := range before {
		if t.waiting = t.entering.Add(t.settled); t.waiting.Count > 0 {
			b.instances[instance], b.total = t, b.total.Add(t.waiting)
		}
	}
	for instance, load := range queued {
		t := b.instances[instance]
		if t == nil {
			t = &tally{}
			b.instances[instance] = t
		}
		t.waiting, b.total = t.waiting.Add(load), b.total.Add(load)
	}
}

func loadOf(e *store.Execution) store.Load { return store.Load{Count: 1, Bytes: e.Payload.Size()} }
