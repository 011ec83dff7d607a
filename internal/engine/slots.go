package engine

import (
	"context"
	"sync/atomic"

	"golang.org/x/sync/semaphore"

	"github.com/sluice-go/sluice/store"
)

// slots bounds how many executions run at once. Who waits for one is served in turn.
type slots struct {
	size  int64
	used  atomic.Int64
	queue *semaphore.Weighted
}

func newSlots(size int) *slots {
	return &slots{size: int64(size), queue: semaphore.NewWeighted(int64(size))}
}

func (s *slots) acquire(ctx context.Context) error {
	if err := s.queue.Acquire(ctx, 1); err != nil {
		return err
	}
	s.used.Add(1)
	return nil
}

// tryAcquire takes a slot if one is free and nobody waits.
func (s *slots) tryAcquire() bool {
	if !s.queue.TryAcquire(1) {
		return false
	}
	s.used.Add(1)
	return true
}

func (s *slots) release() {
	s.used.Add(-1)
	s.queue.Release(1)
}

// free is how many slots are free at this moment.
func (s *slots) free() int { return int(s.size - s.used.Load()) }

// weigh is what an execution takes of the memory for payloads while it runs.
func (e *Engine) weigh(record *store.Execution) int64 {
	return min(payloadSize(record), e.options.MaxRunningBytes)
}

// tryAcquire takes a slot and memory for an execution, if both are free and nobody waits.
func (e *Engine) tryAcquire(x *execution) bool {
	if !e.slots.tryAcquire() {
		return false
	}
	weight := e.weigh(x.record)
	if !e.memory.TryAcquire(weight) {
		e.slots.release()
		return false
	}
	x.weight = weight
	return true
}

// releaseRun gives back a slot, and the memory that the execution took.
func (e *Engine) releaseRun(weight int64) {
	e.memory.Release(weight)
	e.slots.release()
}
