package sqlite

import (
	"context"
	"fmt"
	"sync"

	"github.com/sluice-go/sluice/store"
)

// Await implements [store.Awaiter]. It waits from before it looks, so that no end comes in
// between.
func (s *Store) Await(ctx context.Context, id string) (*store.Record, error) {
	for {
		end, err := s.ends.await(id)
		if err != nil {
			return nil, fmt.Errorf("store: await execution %s: %w", id, err)
		}
		record, err := s.Execution(ctx, id)
		if err != nil || record.Status.Final() {
			s.ends.leave(id, end)
			return record, err
		}
		select {
		case <-end.come:
		case <-ctx.Done():
			s.ends.leave(id, end)
			return nil, fmt.Errorf("store: await execution %s: %w", id, context.Cause(ctx))
		}
	}
}

// ends are those of executions that somebody waits for.
type ends struct {
	mu     sync.Mutex
	ends   map[string]*end
	closed bool
}

// end is that of one execution, for all who wait for it.
type end struct {
	waiting int
	// come is closed when the execution is over, or the store is closed.
	come chan struct{}
}

func (e *ends) await(id string) (*end, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, store.ErrClosed
	}
	one := e.ends[id]
	if one == nil {
		one = &end{come: make(chan struct{})}
		e.ends[id] = one
	}
	one.waiting++
	return one, nil
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

// close ends all waiting.
func (e *ends) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	for _, one := range e.ends {
		close(one.come)
	}
	clear(e.ends)
}
