package engine

import (
	"errors"
	"sync"

	"github.com/sluice-go/sluice/store"
)

// ErrQueueFull says that no more executions may wait: nothing was accepted.
var ErrQueueFull = errors.New("too many executions are waiting")

// backlog counts the executions that wait to be run: those that this engine accepted, until
// they are claimed for the first time. What an earlier process left is not counted.
//
// An instance may have as many as are free (dynamic thresholds, as in switches that share a
// buffer): alone it gets half of all, n busy ones get 1/(n+1) each, and a quiet one always
// finds room.
type backlog struct {
	limit load

	mu        sync.Mutex
	total     load
	instances map[string]load
}

// load is what executions take of a queue.
type load struct {
	count int
	bytes int64
}

func (l load) plus(size int64) load  { return load{l.count + 1, l.bytes + size} }
func (l load) minus(size int64) load { return load{l.count - 1, l.bytes - size} }

func newBacklog(maxCount int, maxBytes int64) *backlog {
	return &backlog{limit: load{maxCount, maxBytes}, instances: map[string]load{}}
}

// enter counts an execution in, if there is room.
func (b *backlog) enter(instance string, size int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	after := b.instances[instance].plus(size)
	if after.count > b.limit.count-b.total.count || after.bytes > b.limit.bytes-b.total.bytes {
		return false
	}
	b.instances[instance], b.total = after, b.total.plus(size)
	return true
}

// enterAll counts executions of one instance in, if there is room for all of them, or if none
// of it waits: then they are as many as they are.
func (b *backlog) enterAll(acceptances []*store.Acceptance) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	instance := acceptances[0].Execution.Instance
	after, total := b.instances[instance], b.total
	alone := after.count == 0
	for _, acceptance := range acceptances {
		size := payloadSize(acceptance.Execution)
		after, total = after.plus(size), total.plus(size)
	}
	if !alone && (after.count > b.limit.count-b.total.count || after.bytes > b.limit.bytes-b.total.bytes) {
		return false
	}
	b.instances[instance], b.total = after, total
	return true
}

// leaveAll counts executions out that enterAll counted in.
func (b *backlog) leaveAll(acceptances []*store.Acceptance) {
	for _, acceptance := range acceptances {
		b.leave(acceptance.Execution.Instance, payloadSize(acceptance.Execution))
	}
}

// leave counts an execution out that enter counted in.
func (b *backlog) leave(instance string, size int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	before, ok := b.instances[instance]
	if !ok {
		return
	}
	if before.count == 1 {
		size = before.bytes // Whatever was counted, nothing is left.
		delete(b.instances, instance)
	} else {
		b.instances[instance] = before.minus(size)
	}
	b.total = b.total.minus(size)
}

// claimed counts executions out that are claimed for the first time.
func (b *backlog) claimed(claims []*store.Claim) {
	for _, claim := range claims {
		if !claim.Recovered && claim.Attempt == 1 {
			b.leave(claim.Execution.Instance, payloadSize(claim.Execution))
		}
	}
}

func payloadSize(e *store.Execution) int64 { return int64(len(e.Payload.Head) + len(e.Payload.Body)) }
