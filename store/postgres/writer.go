package postgres

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/sluice-go/sluice/store"
)

// maxBatch is how many writes share a commit at most.
const maxBatch = 64

// write is one caller's part of a commit. All of its methods are called by the committing
// goroutine, and again when the transaction is repeated.
type write interface {
	// locks are keys of locks to take before any write of the batch.
	locks() []int64
	// queue adds the write's statements, which say what became of it in callbacks. An error
	// takes the whole transaction back; a write that is merely refused writes nothing.
	queue(b *pgx.Batch)
	// rest does what depends on the answers. An error that is one of those of refused takes
	// this write back alone, if it says that it may be refused.
	rest(ctx context.Context, tx pgx.Tx) error
	// refusable says that the write may be refused by rest.
	refusable() bool
	// committed wakes others and returns the write's answer. abandoned says that nobody
	// waits for it any more.
	committed(s *Store, abandoned bool) error
}

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
func (i *inbox) next() (batch []*ticket, closed bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	n := min(len(i.tickets), maxBatch)
	batch, i.tickets = i.tickets[:n:n], i.tickets[n:]
	return batch, i.closed
}

func (i *inbox) close() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.closed = true
	i.wake()
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

// write commits what waits until the store is closed.
func (s *Store) write() {
	for {
		// Callers that were just answered often write again. This waits for nobody.
		runtime.Gosched()
		batch, closed := s.inbox.next()
		switch {
		case len(batch) > 0:
			s.commit(batch)
		case closed:
			return
		default:
			<-s.inbox.signal
		}
	}
}

// commit writes a batch in one transaction and answers it. When that fails for another
// reason than the connection, each write is tried alone: one bad row does not fail its
// neighbours.
func (s *Store) commit(batch []*ticket) {
	err := s.transact(context.Background(), func(ctx context.Context, tx pgx.Tx) error { return apply(ctx, tx, batch) })
	switch {
	case err == nil:
		for _, t := range batch {
			abandoned := !t.settled.CompareAndSwap(false, true)
			if t.refused != nil {
				t.answer <- t.refused
				continue
			}
			t.answer <- t.write.committed(s, abandoned)
		}
		s.tell.send()
	case len(batch) > 1 && !errors.Is(err, store.ErrUnavailable):
		for i := range batch {
			s.commit(batch[i : i+1])
		}
	default:
		for _, t := range batch {
			t.settled.Store(true)
			t.answer <- err
		}
	}
}

// apply runs the writes of a batch: first the statements of those that cannot be refused, in
// one round trip.
func apply(ctx context.Context, tx pgx.Tx, batch []*ticket) error {
	var keys []int64
	for _, t := range batch {
		keys = append(keys, t.write.locks()...)
	}
	b := &pgx.Batch{}
	if len(keys) > 0 {
		b.Queue(lockAll, sortLocks(keys))
	}
	for _, t := range batch {
		if t.refused = nil; !t.write.refusable() {
			t.write.queue(b)
		}
	}
	if b.Len() > 0 {
		if err := tx.SendBatch(ctx, b).Close(); err != nil {
			return err
		}
	}
	for _, t := range batch {
		if err := t.apply(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}

// apply runs what follows the statements of a write, and those too if it may be refused.
func (t *ticket) apply(ctx context.Context, tx pgx.Tx) error {
	if !t.write.refusable() {
		return t.write.rest(ctx, tx)
	}
	savepoint, err := tx.Begin(ctx)
	if err != nil {
		return err
	}
	b := &pgx.Batch{}
	t.write.queue(b)
	if err = savepoint.SendBatch(ctx, b).Close(); err == nil {
		err = t.write.rest(ctx, savepoint)
	}
	if refused(err) {
		t.refused = err
		return savepoint.Rollback(ctx)
	}
	if err != nil {
		return err
	}
	return savepoint.Commit(ctx)
}

const (
	// transactTimeout bounds one try of a transaction, so that a server which does not answer
	// holds nothing up forever.
	transactTimeout = 30 * time.Second
	// maxTries bounds how often a transaction is tried when others get in its way, or its
	// connection turns out to be dead.
	maxTries = 5
)

// transact runs fn in a transaction, again if others got in its way or the connection broke
// before the commit. fn must start anew each time.
func (s *Store) transact(ctx context.Context, fn func(ctx context.Context, tx pgx.Tx) error) error {
	for try := 1; ; try++ {
		err := s.try(ctx, fn)
		if err == nil || ctx.Err() != nil || try == maxTries || !collided(err) && !broke(err) {
			return unavailable(err)
		}
	}
}

// broke tells whether an open connection broke; a failure to open one is no reason to try
// again at once.
func broke(err error) bool {
	_, connecting := errors.AsType[*pgconn.ConnectError](err)
	return disconnected(err) && !connecting && !errors.Is(err, context.DeadlineExceeded)
}

// try runs fn in a transaction. When the connection breaks during the commit, it asks the
// server what became of it.
func (s *Store) try(ctx context.Context, fn func(ctx context.Context, tx pgx.Tx) error) error {
	bounded, cancel := context.WithTimeout(ctx, transactTimeout)
	defer cancel()
	conn, err := s.pool.Acquire(bounded)
	if err != nil {
		return err
	}
	defer conn.Release()
	tx, err := conn.Begin(bounded)
	if err != nil {
		return err
	}
	var id string
	if err = fn(bounded, tx); err == nil {
		err = tx.QueryRow(bounded, "SELECT coalesce(pg_current_xact_id_if_assigned()::text, '')").Scan(&id)
	}
	if err != nil {
		_ = tx.Rollback(context.WithoutCancel(ctx))
		return timedOut(ctx, bounded, err)
	}
	err = tx.Commit(bounded)
	if err == nil || !disconnected(err) && bounded.Err() == nil || id == "" {
		return err
	}
	return s.settle(context.WithoutCancel(ctx), id, err)
}

// timedOut marks an error that the time limit of a try caused.
func timedOut(ctx, bounded context.Context, err error) error {
	if bounded.Err() != nil && ctx.Err() == nil {
		return fmt.Errorf("%w: the server did not answer within %v: %w", store.ErrUnavailable, transactTimeout, err)
	}
	return err
}

// settleTimeout bounds how long a server is waited for that went away during a commit.
const settleTimeout = time.Minute

// settle finds out whether a transaction was committed. It returns nil if it was, and lost
// if it was not.
func (s *Store) settle(ctx context.Context, id string, lost error) error {
	ctx, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	for {
		var status *string
		err := s.pool.QueryRow(ctx, "SELECT pg_xact_status($1::text::xid8)", id).Scan(&status)
		switch {
		case err == nil && status != nil && *status == "committed":
			return nil
		case err == nil && status != nil && *status == "aborted":
			return lost
		case err != nil && !disconnected(err) && code(err) != "": // It answers, but does not know.
			return fmt.Errorf("%w: a commit was interrupted (%w), and what became of it cannot be read: %w", store.ErrUnavailable, lost, err)
		}
		if !sleep(ctx, 100*time.Millisecond) {
			return fmt.Errorf("%w: a commit was interrupted, and the server did not come back: %w", store.ErrUnavailable, lost)
		}
	}
}

// sleep waits for d and returns true, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
