package postgres

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/sluice-go/sluice/store"
)

// maxBatch is how many writes share a commit at most.
const maxBatch = 64

// write is one caller's part of a commit. All of its methods are called by one committing
// goroutine, and again when the transaction is repeated.
type write interface {
	// locks are keys of locks to take before any write of the batch.
	locks() []int64
	// queue adds the write's statements, which say what became of it in callbacks. An error
	// takes the whole transaction back; a write that is merely refused writes nothing.
	queue(b *batch)
	// rest does what depends on the answers. An error that is one of those of refused takes
	// this write back alone, if it says that it may be refused.
	rest(ctx context.Context, tx *transaction) error
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

// inbox is where writes wait for a committing goroutine.
type inbox struct {
	// turn is of the goroutine that waits for writes, or runs their statements.
	turn    sync.Mutex
	mu      sync.Mutex
	tickets []*ticket
	closed  bool
	// signal has room for one: the loop looks at everything when it is woken.
	signal chan struct{}
	// committing is how many batches were taken out and are not answered yet.
	committing int
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

// wait takes what waits, up to a batch of it, out; while another batch is committed, only a full
// one: small ones would cost the server more than they save their callers. It returns nil once
// the inbox is closed and empty.
func (i *inbox) wait() []*ticket {
	for {
		// Callers that were just answered often write again. This waits for nobody.
		runtime.Gosched()
		if batch, closed := i.take(); closed || len(batch) > 0 {
			return batch
		}
		<-i.signal
	}
}

func (i *inbox) take() (batch []*ticket, closed bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	n := min(len(i.tickets), maxBatch)
	if n == 0 {
		return nil, i.closed
	}
	if i.committing > 0 && n < maxBatch {
		return nil, false
	}
	i.committing++
	batch, i.tickets = i.tickets[:n:n], i.tickets[n:]
	return batch, i.closed
}

// done says that a batch was answered.
func (i *inbox) done() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.committing--
	i.wake()
}

func (i *inbox) close() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.closed = true
	i.wake()
}

// submit hands a write to a committing goroutine and waits for its answer.
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

// committers is how many goroutines commit: the statements of a full batch run while the last
// one waits for the disk.
const committers = 2

// write commits what waits until the store is closed.
func (s *Store) write() {
	for {
		s.inbox.turn.Lock()
		batch := s.inbox.wait()
		if batch == nil {
			s.inbox.turn.Unlock()
			return
		}
		s.commit(batch, sync.OnceFunc(s.inbox.turn.Unlock))
		s.inbox.done()
	}
}

// commit writes a batch in one transaction and answers it. When that fails for another
// reason than the connection, each write is tried alone: one bad row does not fail its
// neighbours. next lets the next batch begin, once all statements of this one have run.
func (s *Store) commit(batch []*ticket, next func()) {
	err := s.transact(context.Background(), func(ctx context.Context, tx *transaction) error {
		defer next()
		return apply(ctx, tx, batch)
	})
	next()
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
			s.commit(batch[i:i+1], func() {})
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
func apply(ctx context.Context, tx *transaction, tickets []*ticket) error {
	var keys []int64
	for _, t := range tickets {
		keys = append(keys, t.write.locks()...)
	}
	var b batch
	if len(keys) > 0 {
		b.Queue(lockAll, sortLocks(keys))
	}
	for _, t := range tickets {
		if t.refused = nil; !t.write.refusable() {
			t.write.queue(&b)
		}
	}
	if err := b.send(ctx, tx); err != nil {
		return err
	}
	for _, t := range tickets {
		if err := t.apply(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}

// apply runs what follows the statements of a write, and those too if it may be refused.
func (t *ticket) apply(ctx context.Context, tx *transaction) error {
	if !t.write.refusable() {
		return t.write.rest(ctx, tx)
	}
	var b batch
	tx.save(&b.Batch)
	t.write.queue(&b)
	err := b.send(ctx, tx)
	if err == nil {
		err = t.write.rest(ctx, tx)
	}
	if refused(err) {
		t.refused = err
		return tx.takeBack(ctx)
	}
	return err
}
