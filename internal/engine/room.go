package engine

import (
	"context"

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
}

// reserve takes a slot for an execution, if one is free: then it is claimed as it is
// accepted. Otherwise, and where its lane may be busy, it takes a place among those that
// wait, or returns ErrQueueFull.
func (e *Engine) reserve(record *store.Execution) (*room, error) {
	r := &room{engine: e, record: record}
	r.tryRun()
	if r.slot && record.Lane.Limit == 0 {
		return r, nil
	}
	if r.place = e.backlog.enter(record.Instance, payloadSize(record)); !r.place {
		r.release()
		return nil, ErrQueueFull
	}
	return r, nil
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
	return min(payloadSize(record), e.options.MaxRunningBytes)
}

// settle gives back what an accepted execution does not need: its place if it was claimed,
// else its slot. Who waits is counted out by its claim.
func (r *room) settle(claimed bool) {
	if claimed {
		r.leave()
		return
	}
	r.place = false
	r.stop()
}

// release gives everything back. It may be called again.
func (r *room) release() {
	r.leave()
	r.stop()
}

func (r *room) leave() {
	if r.place {
		r.place = false
		r.engine.backlog.leave(r.record.Instance, payloadSize(r.record))
	}
}

func (r *room) stop() {
	if r.slot {
		r.slot = false
		r.engine.memory.Release(r.memory)
		r.engine.slots.release()
	}
}
