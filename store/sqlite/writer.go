package sqlite

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sluice-go/sluice/store"
)

// write is one caller's part of a commit.
type write interface {
	// apply runs the write's statements in the open transaction. An error takes the whole
	// transaction back; a write that is merely refused returns nil and writes nothing, or is
	// refusable.
	apply(s *Store) error
	// undo takes back what apply changed in memory. The write may be applied again.
	undo()
	// committed changes memory and returns the write's answer. abandoned says that nobody
	// waits for it any more.
	committed(s *Store, abandoned bool) error
}

// refusable is a write that may turn out to be refused when some of it is written already:
// then it alone is taken back, and its error is the answer.
type refusable interface{ refusable() bool }

// ticket is a write on its way, and its answer.
type ticket struct {
	write  write
	answer chan error
	// settled is set by whoever comes first: the loop with its answer, or the caller that
	// no longer waits.
	settled atomic.Bool
	// refused is the answer to a write that was taken back in the transaction under way.
	refused error
}

// inbox is where writes wait for the committing goroutine.
type inbox struct {
	mu      sync.Mutex
	tickets []*ticket
	closed  bool
	// signal has room for one: the loop looks at everything when it is woken.
	signal chan struct{}
}

func (i *inbox) put(t *ticket) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.closed {
		return store.ErrClosed
	}
	i.tickets = append(i.tickets, t)
	i.wake()
	return nil
}

func (i *inbox) wake() {
	select {
	case i.signal <- struct{}{}:
	default:
	}
}

// next takes what waits, up to a batch of it, out.
func (i *inbox) next(limit int) (batch []*ticket, closed bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.tickets) <= limit {
		batch, i.tickets = i.tickets, nil
	} else {
		batch, i.tickets = i.tickets[:limit:limit], i.tickets[limit:]
	}
	return batch, i.closed
}

func (i *inbox) close() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.closed = true
	i.wake()
}

func (i *inbox) isClosed() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.closed
}

// submit hands a write to the committing goroutine and waits for its answer.
func (s *Store) submit(ctx context.Context, w write) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	t := &ticket{write: w, answer: make(chan error, 1)}
	if err := s.inbox.put(t); err != nil {
		return err
	}
	select {
	case err := <-t.answer:
		return err
	case <-ctx.Done():
		if t.settled.CompareAndSwap(false, true) {
			return context.Cause(ctx)
		}
		return <-t.answer
	}
}

// run commits what waits until the store is closed. It sleeps while nothing is to be done:
// the only timer is that of the next execution that waits for its time, or of the next lease
// that runs out.
func (s *Store) run() {
	defer close(s.stopped)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		// Callers that were just answered often write again: a quarter more per commit if
		// they come first. This waits for nobody.
		runtime.Gosched()
		batch, closed := s.inbox.next(s.limits.batch)
		if len(batch) == 0 {
			if closed {
				return
			}
			timer.Stop()
			if due := earliest(s.nextDue, s.queue.leaseEnd()); !due.IsZero() {
				timer.Reset(time.Until(due))
			}
			select {
			case <-s.inbox.signal:
			case <-timer.C:
			}
		}
		s.conn.Lock()
		s.expire()
		if len(batch) > 0 {
			s.commit(batch)
		}
		s.resume()
		for l := s.queue.toFill(); l != nil; l = s.queue.toFill() {
			s.fill(l)
		}
		s.conn.Unlock()
	}
}

// earliest returns the earlier of two times; zero is never.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// commit writes a batch in one transaction and answers it. When that fails, each write is
// tried alone: one bad row does not fail its neighbours.
func (s *Store) commit(batch []*ticket) {
	err := s.transact(func() error {
		for _, t := range batch {
			if err := s.apply(t); err != nil {
				return err
			}
		}
		return s.park()
	})
	if err != nil {
		s.unparked()
		s.queue.forgetVersions()
		for _, t := range batch {
			t.write.undo()
		}
		if len(batch) > 1 {
			for i := range batch {
				s.commit(batch[i : i+1])
			}
			return
		}
		batch[0].settled.Store(true)
		batch[0].answer <- unavailable(err)
		return
	}
	s.parked()
	for _, t := range batch {
		abandoned := !t.settled.CompareAndSwap(false, true)
		if t.refused != nil {
			t.answer <- t.refused
			continue
		}
		t.answer <- t.write.committed(s, abandoned)
	}
}

// apply runs a write in the open transaction.
func (s *Store) apply(t *ticket) error {
	t.refused = nil
	if w, ok := t.write.(refusable); !ok || !w.refusable() {
		return t.write.apply(s)
	}
	ctx := context.Background()
	if _, err := s.statements.savepoint.ExecContext(ctx); err != nil {
		return err
	}
	if err := t.write.apply(s); refused(err) {
		t.write.undo()
		t.refused = err
		if _, err := s.statements.undo.ExecContext(ctx); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	_, err := s.statements.release.ExecContext(ctx)
	return err
}

// transact runs fn in a transaction of the writing connection.
//
// When COMMIT fails, SQLite has not made the transaction visible, and the next one takes
// its place in the log: nothing of it is reported as written. A crash in between may still
// find it in the log, complete; then an execution exists whose acceptance failed, which is
// the sender's repetition, not a loss.
func (s *Store) transact(fn func() error) error {
	ctx := context.Background()
	_, err := s.statements.begin.ExecContext(ctx)
	if err == nil {
		err = fn()
	}
	if err == nil {
		_, err = s.statements.commit.ExecContext(ctx)
	}
	if err != nil {
		// Some failures have rolled back already; then this one is no news.
		_, _ = s.statements.rollback.ExecContext(ctx)
	}
	return err
}
