package sqlite

import (
	"cmp"
	"container/list"
	"slices"
	"sync"

	"github.com/sluice-go/sluice/store"
)

// seat is an execution that is ready or claimed.
type seat struct {
	seq      int64
	instance string
	// execution and attempt are nil and 0 as long as they are not read back.
	execution *store.Execution
	attempt   int
	// recovered says that an earlier claim may have ended without an outcome.
	recovered bool
	// deaths is how often the process died while it was claimed, in this attempt; crashes
	// counts since its last step. If there were any, its row in pending has one more as
	// long as it is claimed.
	deaths, crashes int
	// token is that of the current claim; 0 without one.
	token int64
	// parked seats have a row in pending. ending ones have an outcome in the transaction
	// under way; over ones have left memory. Only the committing goroutine looks at them.
	parked, ending, over bool
}

func (s *seat) size() int {
	if s.execution == nil {
		return 0
	}
	return len(s.execution.Payload.Head) + len(s.execution.Payload.Body) + len(s.execution.Logs)
}

// lane holds the first ready executions of an instance, or the first suspects.
type lane struct {
	instance string
	// ready is in the order of acceptance.
	ready []*seat
	// read is how far pending was read into ready; more says that there may be rows after.
	read int64
	more bool
	// inTurn lanes stand in queue.turns, filling ones in queue.fills.
	inTurn, filling bool
	// taken is the suspect that runs; nil in lanes of instances.
	taken *seat
}

// open tells whether the next seat may be taken.
func (l *lane) open() bool { return l.taken == nil && l.known() }

// known tells whether the first of ready is the first of the lane: a seat that was given
// back or became due may have to wait for rows that were not read yet.
func (l *lane) known() bool { return len(l.ready) > 0 && (!l.more || l.ready[0].seq <= l.read) }

// queue is what memory holds of executions: the ready ones by lane and the claimed ones.
type queue struct {
	limits limits
	mu     sync.Mutex
	// seats holds all by seq, claims the claimed ones by execution id.
	seats  map[int64]*seat
	claims map[string]*seat
	token  int64
	// lanes that have ready seats or rows in pending; turns is the round robin over them.
	// Suspects stand in a lane of their own, of which one is taken at a time.
	lanes    map[string]*lane
	suspects *lane
	turns    []*lane
	ready    int
	held     int
	// fills are lanes to fill from the database; fill tells the committing goroutine.
	fills []*lane
	fill  func()
	// failed is why a lane could not be filled. The next claim returns it.
	failed error
	// waiting claims, each a channel that is closed to wake it.
	waiting list.List
	closed  bool
}

func newQueue(limits limits, fill func()) *queue {
	return &queue{
		limits: limits, fill: fill,
		seats: map[int64]*seat{}, claims: map[string]*seat{}, lanes: map[string]*lane{}, suspects: &lane{},
	}
}

func (q *queue) lane(instance string) *lane {
	l := q.lanes[instance]
	if l == nil {
		l = &lane{instance: instance}
		q.lanes[instance] = l
	}
	return l
}

// laneOf is where a ready seat stands. One during which the process died twice is a
// suspect.
func (q *queue) laneOf(s *seat) *lane {
	if s.deaths > 1 {
		return q.suspects
	}
	return q.lane(s.instance)
}

// forget drops a lane that is empty.
func (q *queue) forget(l *lane) {
	if l != q.suspects {
		delete(q.lanes, l.instance)
	}
}

// suspect has the suspects looked for that an earlier process left.
func (q *queue) suspect() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.suspects.more = true
	q.enter(q.suspects)
}

// vacate lets the next suspect run if the seat is the one that did.
func (q *queue) vacate(s *seat) {
	if q.suspects.taken == s {
		q.suspects.taken = nil
		q.enter(q.suspects)
		q.wake(1)
	}
}

// spill tells whether a new execution of the instance is left to the database, because the
// lane is full or has earlier executions there.
func (q *queue) spill(instance string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.lanes[instance]
	if l != nil && !l.more && len(l.ready) < q.limits.laneReady && q.ready < q.limits.ready {
		return false
	}
	if l == nil && q.ready < q.limits.ready {
		return false
	}
	q.lane(instance).more = true
	return true
}

// resume makes seats ready whose time has come. Where memory is full their lane reads them
// later.
func (q *queue) resume(seats []*seat) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, s := range seats {
		if q.ready < q.limits.ready {
			q.put([]*seat{s})
			continue
		}
		l := q.lane(s.instance)
		l.read, l.more = min(l.read, s.seq-1), true
		q.enter(l)
	}
}

// spilled makes a lane known that has rows in pending which memory does not hold.
func (q *queue) spilled(instance string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.lane(instance)
	l.more = true
	q.enter(l)
	q.wake(1)
}

// add makes seats ready.
func (q *queue) add(seats ...*seat) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.put(seats)
}

func (q *queue) put(seats []*seat) {
	for _, s := range seats {
		q.vacate(s)
		l := q.laneOf(s)
		at, _ := slices.BinarySearchFunc(l.ready, s.seq, func(s *seat, seq int64) int { return cmp.Compare(s.seq, seq) })
		l.ready = slices.Insert(l.ready, at, s)
		if !l.more {
			l.read = max(l.read, s.seq)
		}
		if q.held += s.size(); q.held > q.limits.heldBytes {
			q.held -= s.size()
			s.execution = nil
		}
		q.seats[s.seq] = s
		q.ready++
		q.enter(l)
	}
	q.wake(len(seats))
}

func (q *queue) enter(l *lane) {
	if !l.inTurn && (!l.filling || l.open()) {
		l.inTurn = true
		q.turns = append(q.turns, l)
	}
}

// claim gives a seat that is not ready, or no longer, to a worker.
func (q *queue) claim(s *seat, worker string) *store.Claim {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.token++
	s.token = q.token
	q.seats[s.seq], q.claims[s.execution.ID] = s, s
	return &store.Claim{
		Execution: s.execution, Worker: worker, Token: s.token, Attempt: s.attempt, Recovered: s.recovered,
		Crashes: s.crashes,
	}
}

// take removes up to limit ready seats, one lane after the other. Where there are none, it
// returns what to wait for.
func (q *queue) take(limit int) (seats []*seat, waiter *list.Element, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return nil, nil, store.ErrClosed
	}
	if err, q.failed = q.failed, nil; err != nil {
		return nil, nil, err
	}
	for len(seats) < limit && len(q.turns) > 0 {
		l := q.turns[0]
		q.turns[0] = nil
		q.turns, l.inTurn = q.turns[1:], false
		if l.open() {
			s := l.ready[0]
			l.ready[0] = nil
			l.ready = l.ready[1:]
			q.ready--
			q.held -= s.size()
			seats = append(seats, s)
			if l == q.suspects {
				l.taken = s
			}
		}
		q.rotate(l)
	}
	if len(seats) == 0 {
		waiter = q.waiting.PushBack(make(chan struct{}))
	}
	return seats, waiter, nil
}

// rotate puts a lane that had its turn behind the others, asks for more of it, or forgets
// it.
func (q *queue) rotate(l *lane) {
	if l.more && !l.filling && (len(l.ready) < q.limits.refillBelow || !l.known()) {
		l.filling = true
		q.fills = append(q.fills, l)
		q.fill()
	}
	switch {
	case l.open():
		l.inTurn = true
		q.turns = append(q.turns, l)
	case len(l.ready) == 0 && !l.more && !l.filling:
		q.forget(l)
	}
}

// wake wakes up to n waiting claims.
func (q *queue) wake(n int) {
	for ; n > 0 && q.waiting.Len() > 0; n-- {
		close(q.waiting.Remove(q.waiting.Front()).(chan struct{})) //nolint:errcheck // The list holds nothing else.
	}
}

// leave ends the waiting of a claim. If it was woken already, the next one is.
func (q *queue) leave(waiter *list.Element) {
	q.mu.Lock()
	defer q.mu.Unlock()
	before := q.waiting.Len()
	if q.waiting.Remove(waiter); q.waiting.Len() == before {
		q.wake(1)
	}
}

// toFill returns a lane that asked for more, or nil.
func (q *queue) toFill() *lane {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.fills) == 0 {
		return nil
	}
	l := q.fills[0]
	q.fills = q.fills[1:]
	return l
}

// filled adds what the database had for a lane after l.read, or why it could not be read.
func (q *queue) filled(l *lane, rows []*seat, more bool, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l.filling = false
	if err != nil {
		q.failed = err
		q.enter(l)
		q.wake(1)
		return
	}
	if len(rows) > 0 {
		l.read = rows[len(rows)-1].seq
	}
	l.more = more
	q.put(slices.DeleteFunc(rows, func(s *seat) bool { return q.seats[s.seq] != nil }))
	if l.more || l.open() { // What waited for these rows is the first now.
		q.enter(l)
		q.wake(1 + len(l.ready))
	}
	if len(l.ready) == 0 && !l.more && !l.inTurn {
		q.forget(l)
	}
}

// current returns the seat of a claim, or nil when the claim was lost.
func (q *queue) current(claim *store.Claim) *seat {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := q.claims[claim.Execution.ID]
	if s == nil || s.token != claim.Token {
		return nil
	}
	return s
}

// claimed tells whether an execution is claimed.
func (q *queue) claimed(id string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.claims[id] != nil
}

// crashed returns the claimed seats during which the process died before.
func (q *queue) crashed() (seats []*seat) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, s := range q.claims {
		if s.deaths > 0 {
			seats = append(seats, s)
		}
	}
	return seats
}

// giveBack makes a claimed seat ready again.
func (q *queue) giveBack(s *seat) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.claims, s.execution.ID)
	s.token, s.recovered = 0, true
	q.put([]*seat{s})
}

// remove forgets a claimed seat.
func (q *queue) remove(s *seat) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.claims, s.execution.ID)
	delete(q.seats, s.seq)
	q.vacate(s)
	s.execution = nil // The seat itself stands in recent until the mark moves.
}

// close ends the waiting of all claims.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.wake(q.waiting.Len())
}
