package sqlite

import "github.com/sluice-go/sluice/store"

// suspects are executions during which the process died twice. They leave their lanes for
// one of their own, of which one is taken at a time; in a lane with a limit they still
// need a seat.

// laneFor is where a ready seat stands.
func (q *queue) laneFor(s *seat) *lane {
	if s.deaths > 1 {
		return q.suspects
	}
	return q.lane(s.laneID)
}

// suspect has the suspects looked for that an earlier process left.
func (q *queue) suspect() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.suspects.more = true
	q.enter(q.suspects)
}

// suspectTurn takes the next suspect for the worker. Who takes others in turn need not look
// here before something has changed.
func (q *queue) suspectTurn(worker store.Worker) *seat {
	l := q.suspects
	if !l.inTurn {
		return nil
	}
	s := q.nextSuspect(worker)
	if s != nil {
		q.pick(l, s)
	}
	q.refill(l, worker)
	l.inTurn = false
	q.enter(l)
	return s
}

// nextSuspect returns the first that may run: others are passed over while they are paused,
// the worker does not serve them or their lane has no seat.
func (q *queue) nextSuspect(worker store.Worker) *seat {
	if q.taken != nil {
		return nil
	}
	for _, s := range q.suspects.ready {
		if !q.suspects.has(s) {
			return nil
		}
		if q.open(s.instance, worker) && (s.limit == 0 || s.seated || q.lane(s.laneID).seats < s.limit) {
			return s
		}
	}
	return nil
}

// stuck tells whether a lane is that of the suspects and none that was read may run.
func (q *queue) stuck(l *lane, worker store.Worker) bool {
	return l == q.suspects && q.taken == nil && q.nextSuspect(worker) == nil
}

// reserved tells whether the free seat of a lane is for a suspect.
func (q *queue) reserved(l *lane, worker store.Worker) bool {
	if l.suspects == 0 {
		return false
	}
	s := q.nextSuspect(worker)
	return s != nil && s.laneID == l.laneID
}

// addedSuspect counts a ready suspect in its lane.
func (q *queue) addedSuspect(s *seat) {
	if s.limit > 0 {
		q.lane(s.laneID).suspects++
	}
}

// pickedSuspect has the suspect be the one that runs. No seat is reserved for others until
// it ends.
func (q *queue) pickedSuspect(s *seat) {
	q.taken = s
	if s.limit > 0 {
		l := q.lane(s.laneID)
		l.suspects--
		q.enter(l)
	}
	for _, other := range q.suspects.ready {
		if other.limit > 0 {
			q.enter(q.lane(other.laneID))
		}
	}
	q.wakeAll()
}

// endSuspect lets the next suspect run if the seat is the one that did.
func (q *queue) endSuspect(s *seat) {
	if q.taken == s {
		q.taken = nil
		q.enter(q.suspects)
		q.wakeAll()
	}
}
