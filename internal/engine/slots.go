package engine

import (
	"context"
	"sync/atomic"

	"golang.org/x/sync/semaphore"
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
