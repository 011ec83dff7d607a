package sqlite

import "github.com/sluice-go/sluice/store"

// tenant is an instance that has lanes in turn: instances take turns, and within each its
// lanes.
type tenant struct {
	instance string
	// version that it is deployed in.
	version store.IntegrationVersion
	turns   []*lane
	// lanes counts all of its lanes in memory.
	lanes int
	// inTurn tenants stand in the round of their version, in the order of at; paused ones do
	// not.
	inTurn, paused bool
	at             int64
}

// lane returns a lane, and makes it known.
func (q *queue) lane(id laneID) *lane {
	l := q.lanes[id]
	if l != nil {
		return l
	}
	t := q.tenants[id.instance]
	if t == nil {
		t = &tenant{instance: id.instance, version: q.versions[id.instance], paused: q.paused[id.instance]}
		q.tenants[id.instance] = t
	}
	t.lanes++
	l = &lane{laneID: id, tenant: t}
	q.lanes[id] = l
	return l
}

// tidy forgets a lane that is empty.
func (q *queue) tidy(l *lane) {
	if l == q.suspects || !l.empty() {
		return
	}
	delete(q.lanes, l.laneID)
	if l.tenant.lanes--; l.tenant.lanes == 0 {
		delete(q.tenants, l.instance)
	}
}

// enter gives a lane a turn if a seat of it may be taken, or should be read.
func (q *queue) enter(l *lane) {
	if l.inTurn || q.next(l, anyone) == nil && !q.scarce(l, anyone) {
		return
	}
	l.inTurn = true
	if l == q.suspects {
		return
	}
	l.tenant.turns = append(l.tenant.turns, l)
	q.enterTenant(l.tenant)
}

func (q *queue) enterTenant(t *tenant) {
	if t.inTurn || t.paused || len(t.turns) == 0 {
		return
	}
	q.turns++
	t.inTurn, t.at = true, q.turns
	q.rounds[t.version] = append(q.rounds[t.version], t)
}

func (q *queue) leaveRound(t *tenant) {
	t.inTurn = false
	if q.rounds[t.version] = without(q.rounds[t.version], t); len(q.rounds[t.version]) == 0 {
		delete(q.rounds, t.version)
	}
}

// anyone serves all instances.
var anyone store.Worker

// next returns the seat of a lane that the worker, which serves it, is to take next, or nil
// if it may take none.
func (q *queue) next(l *lane, worker store.Worker) *seat {
	switch {
	case l == q.suspects:
		return q.nextSuspect(worker)
	case len(l.resumed) > 0:
		return l.resumed[0]
	case !l.known():
		return nil
	}
	s := l.ready[0]
	if s.limit > 0 && (l.seats >= s.limit || q.reserved(l, worker)) {
		return nil
	}
	return s
}

// scarce tells whether more of a lane is to be read.
func (q *queue) scarce(l *lane, worker store.Worker) bool {
	below := 1
	if q.ready < q.limits.ready {
		below = q.limits.refillBelow
	}
	return l.more && !l.filling && (len(l.ready) < below || !l.known() || q.stuck(l, worker))
}

// turn takes the next seat for the worker: a suspect's, or that of the first tenant that
// has one.
func (q *queue) turn(worker store.Worker) *seat {
	if s := q.suspectTurn(worker); s != nil {
		return s
	}
	for t := q.first(worker); t != nil; t = q.first(worker) {
		q.leaveRound(t)
		if t.paused {
			continue
		}
		s := q.turnOf(t, worker)
		q.enterTenant(t)
		if s != nil {
			return s
		}
	}
	return nil
}

// first returns the tenant whose turn it is among those that the worker serves.
func (q *queue) first(worker store.Worker) (first *tenant) {
	for version, tenants := range q.rounds {
		if t := tenants[0]; (first == nil || t.at < first.at) && worker.Has(version) {
			first = t
		}
	}
	return first
}

func (q *queue) turnOf(t *tenant, worker store.Worker) *seat {
	for len(t.turns) > 0 {
		l := t.turns[0]
		t.turns[0] = nil
		t.turns, l.inTurn = t.turns[1:], false
		s := q.next(l, worker)
		if s != nil {
			q.pick(l, s)
		}
		q.refill(l, worker)
		q.enter(l)
		q.tidy(l)
		if s != nil {
			return s
		}
	}
	return nil
}

// refill has more of a lane read if it needs it.
func (q *queue) refill(l *lane, worker store.Worker) {
	if q.scarce(l, worker) {
		l.filling = true
		q.fills = append(q.fills, l)
		q.fill()
	}
}

// pick takes a ready seat out of its lane.
func (q *queue) pick(l *lane, s *seat) {
	if l != q.suspects && s.seated {
		l.resumed = without(l.resumed, s)
	} else {
		l.ready = without(l.ready, s)
	}
	q.ready--
	q.held -= s.size()
	q.sit(s)
	if l == q.suspects {
		q.pickedSuspect(s)
	}
}

// sit takes a seat in the lane, if it has seats.
func (q *queue) sit(s *seat) {
	if s.limit > 0 && !s.seated {
		s.seated = true
		q.lane(s.laneID).seats++
	}
}

// stand frees the seat in the lane, if it has one, for the next.
func (q *queue) stand(s *seat) {
	if s.seated {
		s.seated = false
		q.vacate(s.laneID)
	}
}

// vacate frees a seat of a lane for the next.
func (q *queue) vacate(id laneID) {
	l := q.lane(id)
	l.seats--
	if l.suspects > 0 {
		q.enter(q.suspects)
	}
	q.enter(l)
	q.wakeFor(l, 1)
	q.tidy(l)
}
