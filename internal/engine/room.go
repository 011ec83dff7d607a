package engine

import (
	"context"
	"sync"

	"github.com/sluice-go/sluice/store"
)

// room is what an execution takes of the engine: a slot and memory to run in, a place among
// those that wait, or both until its lane has told which of them it needs.
type room struct {
	engine *Engine
	record *store.Execution
	// memory is what its payload takes while it runs.
	memory      int64
	slot, place bool

	mu sync.Mutex
	// waiting counts the calls of other flows that are waited for: meanwhile the slot and the
	// memory are lent. given says that the room was given back for good.
	waiting int
	given   bool
}

// reserve takes a slot for an execution, if one is free: then it is claimed as it is
// accepted. Otherwise, and where its lane may be busy, it takes a place among those that
// wait, or returns ErrQueueFull.
func (e *Engine) reserve(ctx context.Context, record *store.Execution) (*room, error) {
	r := &room{engine: e, record: record}
	r.tryRun()
	if r.slot && record.Lane.Limit == 0 {
		return r, nil
	}
	if err := r.queue(ctx); err != nil {
		r.release()
		return nil, err
	}
	return r, nil
}

// queue takes a place among those that wait, or returns ErrQueueFull.
func (r *room) queue(ctx context.Context) error {
	if r.place = r.engine.backlog.enter(ctx, r.record.Instance, loadOf(r.record), false); !r.place {
		return ErrQueueFull
	}
	return nil
}

// tryRun takes a slot and memory, if both are free and nobody waits.
func (r *room) tryRun() {
	if !r.engine.slots.tryAcquire() {
		return
	}
	weight := r.engine.weigh(r.record)
	if !r.engine.memory.TryAcquire(weight) {
		r.engine.slots.release()
		return
	}
	r.slot, r.memory = true, weight
}

// awaitRoom waits for a slot and memory for a claimed execution.
func (e *Engine) awaitRoom(ctx context.Context, record *store.Execution) (*room, error) {
	if err := e.slots.acquire(ctx); err != nil {
		return nil, err
	}
	weight := e.weigh(record)
	if err := e.memory.Acquire(ctx, weight); err != nil {
		e.slots.release()
		return nil, err
	}
	return &room{engine: e, record: record, memory: weight, slot: true}, nil
}

// weigh is what an execution takes of the memory for payloads while it runs.
func (e *Engine) weigh(record *store.Execution) int64 {
	return min(record.Payload.Size(), e.options.MaxRunningBytes)
}

// settle gives back what an accepted execution does not need: its place if it was claimed,
// else its slot. Who waits is counted out by its claim.
func (r *room) settle(claimed bool) {
	if claimed {
		r.leave()
		return
	}
	if r.place {
		r.place = false
		r.engine.backlog.settle(r.record.Instance, loadOf(r.record))
	}
	r.stop()
}

// lend gives the slot to others while the execution waits for another one, until reclaim.
func (r *room) lend() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.waiting++; !r.given {
		r.stop()
	}
}

// reclaim ends a wait; with the last one the slot is taken again. With an error, because ctx
// ended, the execution goes on without.
func (r *room) reclaim(ctx context.Context) error {
	r.mu.Lock()
	r.waiting--
	missing := r.isMissing()
	r.mu.Unlock()
	if !missing {
		return nil
	}
	again, err := r.engine.awaitRoom(ctx, r.record)
	if err != nil {
		return context.Cause(ctx)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.isMissing() {
		again.stop()
		return nil
	}
	r.slot, r.memory = true, again.memory
	return nil
}

// isMissing tells whether the execution runs without a slot.
func (r *room) isMissing() bool { return r.waiting == 0 && !r.given && !r.slot }

// release gives everything back. It may be called again.
func (r *room) release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.given = true
	r.leave()
	r.stop()
}

func (r *room) leave() {
	if r.place {
		r.place = false
		r.engine.backlog.leave(r.record.Instance, loadOf(r.record))
	}
}

func (r *room) stop() {
	if r.slot {
		r.slot = false
		r.engine.memory.Release(r.memory)
		r.engine.slots.release()
	}
}
