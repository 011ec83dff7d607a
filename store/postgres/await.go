package postgres

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/sluice-go/sluice/store"
)

// Await implements [store.Awaiter]. It waits from before it looks, so that no end comes in
// between.
func (s *Store) Await(ctx context.Context, id string) (*store.Record, error) {
	for {
		end := s.ends.await(id)
		record, err := s.Execution(ctx, id)
		if err == nil && !record.Status.Final() {
			err = s.waitFor(ctx, end.come, poll)
			record = nil
		}
		s.ends.leave(id, end)
		if err != nil {
			return nil, fmt.Errorf("store: await execution %s: %w", id, err)
		}
		if record != nil {
			return record, nil
		}
	}
}

// poll is how often a process looks for what it was not told.
const poll = time.Second

// waitFor waits until come is closed, or it is time to look, or an error ends the waiting.
func (s *Store) waitFor(ctx context.Context, come <-chan struct{}, at time.Duration) error {
	timer := time.NewTimer(min(at, poll))
	defer timer.Stop()
	select {
	case <-come:
	case <-timer.C:
	case <-s.running.Done():
		return store.ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// ends are those of executions that somebody waits for.
type ends struct {
	mu   sync.Mutex
	ends map[string]*end
}

// end is that of one execution, for all who wait for it.
type end struct {
	waiting int
	// come is closed when the execution is over.
	come chan struct{}
}

func (e *ends) await(id string) *end {
	e.mu.Lock()
	defer e.mu.Unlock()
	one := e.ends[id]
	if one == nil {
		if e.ends == nil {
			e.ends = map[string]*end{}
		}
		one = &end{come: make(chan struct{})}
		e.ends[id] = one
	}
	one.waiting++
	return one
}

// leave ends the waiting of one. The last one forgets the end.
func (e *ends) leave(id string, one *end) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if one.waiting--; one.waiting == 0 && e.ends[id] == one {
		delete(e.ends, id)
	}
}

// over wakes those who wait for the execution.
func (e *ends) over(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if one := e.ends[id]; one != nil {
		delete(e.ends, id)
		close(one.come)
	}
}

// look wakes everybody.
func (e *ends) look() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, one := range e.ends {
		close(one.come)
	}
	clear(e.ends)
}
