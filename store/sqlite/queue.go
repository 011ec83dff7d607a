package sqlite

import (
	"container/list"
	"sync"

	"github.com/sluice-go/sluice/store"
)

// queue is what memory holds of executions: the ready ones by lane and the claimed ones.
type queue struct {
	limits limits
	mu     sync.Mutex
	// seats holds all by seq, claims the claimed ones by execution id.
	seats  map[int64]*seat
	claims map[string]*seat
	token  int64
	leases leases
	// lanes that have ready seats, taken seats or rows in pending; tenants are their
	// instances. rounds are the round robins over those that are deployed in one version: a
	// worker goes by all that it serves as if they were one. turns counts the places in them.
	lanes   map[laneID]*lane
	tenants map[string]*tenant
	rounds  map[store.IntegrationVersion][]*tenant
	turns   int64
	// versions are those that instances are deployed in, as far as memory knows.
	versions map[string]store.IntegrationVersion
	// paused instances, of which nothing is claimed.
	paused map[string]bool
	// suspects stand in a lane of their own, which is in no round; taken is the one that runs.
	suspects *lane
	taken    *seat
	ready    int
	held     int
	// loads are what is queued, in memory and in the database, by instance.
	loads map[string]store.Load
	// fills are lanes to fill from the database; fill tells the committing goroutine.
	fills []*lane
	fill  func()
	// failed is why a lane could not be filled. The next claim returns it.
	failed error
	// waiting claims, each a waiter.
	waiting list.List
	closed  bool
}

// waiter is a claim that waits.
type waiter struct {
	// woken is closed to wake it.
	woken  chan struct{}
	worker store.Worker
	lessee *lessee
	// at is its place among the waiting; nil once it was woken.
	at *list.Element
}

func newQueue(limits limits, wake func()) *queue {
	return &queue{
		limits: limits, fill: wake, seats: map[int64]*seat{}, claims: map[string]*seat{}, lanes: map[laneID]*lane{},
		loads:   map[string]store.Load{},
		tenants: map[string]*tenant{}, rounds: map[store.IntegrationVersion][]*tenant{},
		versions: map[string]store.IntegrationVersion{}, paused: map[string]bool{}, suspects: &lane{},
		leases: leases{lessees: map[string]*lessee{}, lost: map[string]bool{}, changed: wake},
	}
}

// spill tells whether a new execution is left to the database, because memory is full or
// its lane has earlier ones there. One that the worker may claim does not wait if it need
// not; a worker without an ID claims none.
func (q *queue) spill(s *seat, worker store.Worker) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.lanes[s.laneID]
	if q.admits(s, worker) {
		return false
	}
	if q.ready < q.limits.ready && (l == nil || !l.more && len(l.ready) < q.limits.laneReady) {
		return false
	}
	q.lane(s.laneID).more = true
	return true
}

// keep counts a seat that an execution keeps while it waits.
func (q *queue) keep(id laneID) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.lane(id).seats++
}

// resume makes seats ready whose time has come. Where memory is full their lane reads them
// later.
func (q *queue) resume(seats []*seat) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, s := range seats {
		q.enqueued(s)
		if s.seated || q.ready < q.limits.ready {
			q.put(s)
			continue
		}
		l := q.laneFor(s)
		l.read, l.more = min(l.read, s.seq-1), true
		q.enter(l)
		q.wakeFor(l, 1)
	}
}

// accepted makes a new execution ready that nobody has claimed.
func (q *queue) accepted(s *seat) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.enqueued(s)
	q.put(s)
}

// spilled makes a lane known that has rows in pending which memory does not hold.
func (q *queue) spilled(id laneID) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.lane(id)
	l.more = true
	q.enter(l)
	q.wakeFor(l, 1)
}

// add makes seats ready. Those that have a seat in their lane keep it.
func (q *queue) add(seats ...*seat) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, s := range seats {
		q.put(s)
	}
}

func (q *queue) put(s *seat) {
	q.endSuspect(s)
	l := q.laneFor(s)
	switch {
	case l == q.suspects:
		l.ready = insert(l.ready, s)
		q.addedSuspect(s)
	case s.seated:
		l.resumed = insert(l.resumed, s)
	default:
		l.ready = insert(l.ready, s)
	}
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
	q.wakeFor(l, 1)
}

// admit claims a new execution for the worker if nobody waits in its lane and there is a
// free seat; otherwise it makes it ready and returns nil.
func (q *queue) admit(s *seat, worker store.Worker) *store.Claim {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.admits(s, worker) {
		q.enqueued(s)
		q.put(s)
		return nil
	}
	q.sit(s)
	return q.grant(s, worker)
}

// admits tells whether what was accepted may be claimed by the worker at once.
func (q *queue) admits(s *seat, worker store.Worker) bool {
	l := q.lanes[s.laneID]
	return worker.ID != "" && !q.leases.lost[worker.ID] && q.open(s.instance, worker) && (s.limit == 0 || l == nil || l.free(s.limit))
}

// claim gives seats that were taken to a worker.
func (q *queue) claim(seats []*seat, worker store.Worker) []*store.Claim {
	q.mu.Lock()
	defer q.mu.Unlock()
	claims := make([]*store.Claim, len(seats))
	for i, s := range seats {
		q.dequeued(s)
		claims[i] = q.grant(s, worker)
	}
	return claims
}

func (q *queue) grant(s *seat, worker store.Worker) *store.Claim {
	q.token++
	s.token = q.token
	q.lease(s, worker)
	return s.claim()
}

// take removes up to limit ready seats, one instance and one lane after the other. Where
// there are none, it returns what to wait for.
func (q *queue) take(worker store.Worker, limit int) (seats []*seat, w *waiter, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return nil, nil, store.ErrClosed
	}
	if err, q.failed = q.failed, nil; err != nil {
		return nil, nil, err
	}
	if q.leases.lost[worker.ID] {
		return nil, nil, store.ErrLeaseLost
	}
	limited := false
	for len(seats) < limit {
		s := q.turn(worker)
		if s == nil {
			break
		}
		seats, limited = append(seats, s), limited || s.limit > 0
	}
	switch {
	case len(seats) == 0:
		w = &waiter{woken: make(chan struct{}), worker: worker, lessee: q.leases.lessee(worker.ID)}
		w.lessee.waiting++
		w.at = q.waiting.PushBack(w)
	case limited: // Who freed a seat does not know that it is enough for several.
		for version := range q.rounds {
			q.wake(version, 1)
		}
	}
	return seats, w, nil
}

// wake wakes up to n waiting claims that may take what is deployed in the version.
func (q *queue) wake(version store.IntegrationVersion, n int) {
	for at := q.waiting.Front(); at != nil && n > 0; {
		w := at.Value.(*waiter) //nolint:errcheck // The list holds nothing else.
		at = at.Next()
		if !w.worker.Has(version) {
			continue
		}
		n--
		q.waiting.Remove(w.at)
		w.at = nil
		q.endWait(w)
		close(w.woken)
	}
}

// wakeFor wakes up to n waiting claims that may take what is in the lane: all, if it has
// suspects of whatever instances.
func (q *queue) wakeFor(l *lane, n int) {
	if l == q.suspects {
		q.wakeAll()
		return
	}
	q.wake(l.tenant.version, n)
}

func (q *queue) wakeAll() { q.wake(store.IntegrationVersion{}, q.waiting.Len()) }

// leave ends the waiting of a claim. If it was woken already, others are.
func (q *queue) leave(w *waiter) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if w.at == nil {
		q.wakeAll()
		return
	}
	q.waiting.Remove(w.at)
	q.endWait(w)
}

func (q *queue) endWait(w *waiter) {
	w.lessee.waiting--
	q.leases.leave(w.lessee)
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

// rows is how many rows of a lane are read at once.
func (q *queue) rows() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.ready < q.limits.ready {
		return q.limits.fill
	}
	return q.limits.crowded
}

// filled adds what the database had for a lane after l.read, or why it could not be read.
func (q *queue) filled(l *lane, rows []*seat, more bool, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l.filling = false
	if err != nil {
		q.failed = err
		q.enter(l)
		q.wakeAll()
		return
	}
	if len(rows) > 0 {
		l.read = rows[len(rows)-1].seq
	}
	l.more = more
	for _, s := range rows {
		if q.seats[s.seq] == nil {
			q.put(s)
		}
	}
	q.enter(l) // What waited for these rows is the first now.
	if l.inTurn {
		q.wakeFor(l, 1+len(l.ready))
	}
	q.tidy(l)
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
func (q *queue) giveBack(s *seat, keepSeat bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.unlease(s)
	s.token, s.recovered = 0, true
	if !keepSeat {
		q.stand(s)
	}
	q.enqueued(s)
	q.put(s)
}

// remove forgets a claimed seat, but not that it keeps its seat in the lane.
func (q *queue) remove(s *seat, keepSeat bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.unlease(s)
	delete(q.seats, s.seq)
	q.endSuspect(s)
	if !keepSeat {
		q.stand(s)
	}
	s.execution = nil // The seat itself stands in recent until the mark moves.
}

// pause has nothing of an instance claimed, or again.
func (q *queue) pause(instance string, paused bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.paused[instance] == paused {
		return
	}
	if paused {
		q.paused[instance] = true
	} else {
		delete(q.paused, instance)
	}
	if t := q.tenants[instance]; t != nil {
		t.paused = paused
		q.enterTenant(t)
	}
	q.enter(q.suspects)
	q.wakeAll()
}

// close ends the waiting of all claims.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.wakeAll()
}
