package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"maps"

	"github.com/sluice-go/sluice/store"
)

// Queued implements [store.Backlog]. Memory has the answer: it is counted in what comes and
// what goes.
func (s *Store) Queued(ctx context.Context) (map[string]store.Load, error) {
	err := context.Cause(ctx)
	if err == nil && s.inbox.isClosed() {
		err = store.ErrClosed
	}
	if err != nil {
		return nil, fmt.Errorf("store: count what is queued: %w", err)
	}
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	return maps.Clone(s.queue.loads), nil
}

// findLoads counts what an earlier process left. Waiting executions are counted when they
// are due.
func (s *Store) findLoads(ctx context.Context) error {
	return each(ctx, s.conn.Conn, func(rows *sql.Rows) error {
		var instance string
		var load store.Load
		err := rows.Scan(&instance, &load.Count, &load.Bytes)
		s.queue.addLoad(instance, load)
		return err
	}, "SELECT instance, count(*), sum(size) FROM pending WHERE due IS NULL GROUP BY instance")
}

// load is what the seat's execution takes of the queue.
func (s *seat) load() store.Load { return store.Load{Count: 1, Bytes: s.payload} }

func (q *queue) addLoad(instance string, load store.Load) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.count(instance, load)
}

// enqueued counts an execution in that nobody has claimed, or nobody any more.
func (q *queue) enqueued(s *seat) { q.count(s.instance, s.load()) }

// dequeued counts one out that is claimed, or over.
func (q *queue) dequeued(s *seat) { q.count(s.instance, s.load().Negative()) }

func (q *queue) count(instance string, more store.Load) {
	load := q.loads[instance].Add(more)
	if load.Count == 0 {
		delete(q.loads, instance)
	} else {
		q.loads[instance] = load
	}
}
