package sqlite

import (
	"cmp"
	"slices"
)

// withdraw takes a ready seat out, for ever or until it is added again. Of one that is
// claimed, or about to be, it returns ready as false, and nil where memory has none.
func (q *queue) withdraw(seq int64) (s *seat, ready bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if s = q.seats[seq]; s == nil {
		return nil, false
	}
	l := q.lanes[s.laneID]
	if s.deaths > 1 {
		l = q.suspects
	}
	if l == nil {
		return s, false
	}
	list := &l.ready
	if l != q.suspects && s.seated {
		list = &l.resumed
	}
	at, found := slices.BinarySearchFunc(*list, seq, func(s *seat, seq int64) int { return cmp.Compare(s.seq, seq) })
	if !found {
		return s, false
	}
	*list = slices.Delete(*list, at, at+1)
	delete(q.seats, seq)
	q.ready--
	q.held -= s.size()
	if l == q.suspects && s.limit > 0 {
		q.lane(s.laneID).suspects--
	}
	return s, true
}

// dismiss forgets a seat that was withdrawn: what waited behind it may be taken.
func (q *queue) dismiss(s *seat) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.dequeued(s)
	q.stand(s)
	q.enter(q.suspects)
	l := q.lane(s.laneID)
	q.enter(l)
	q.wakeFor(l, 1)
	q.tidy(l)
	s.execution = nil // The seat itself stands in recent until the mark moves.
}

// free frees a seat that an execution kept while it waited.
func (q *queue) free(id laneID) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.vacate(id)
}

// cancel has the worker of a claimed seat told, and whoever claims it next.
func (q *queue) cancel(s *seat) {
	q.mu.Lock()
	defer q.mu.Unlock()
	s.canceled = cmp.Or(s.canceled, s.canceling)
}
