package sqlite

// tenant is an instance that has lanes in turn: instances take turns, and within each its
// lanes.
type tenant struct {
	instance string
	turns    []*lane
	// lanes counts all of its lanes in memory.
	lanes int
	// inTurn tenants stand in queue.turns; paused ones do not.
	inTurn, paused bool
}

// lane returns a lane, and makes it known.
func (q *queue) lane(id laneID) *lane {
	l := q.lanes[id]
	if l != nil {
		return l
	}
	t := q.tenants[id.instance]
	if t == nil {
		t = &tenant{instance: id.instance, paused: q.paused[id.instance]}
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
	if l.inTurn || q.next(l) == nil && !q.scarce(l) {
		return
	}
	l.inTurn = true
	l.tenant.turns = append(l.tenant.turns, l)
	q.enterTenant(l.tenant)
}

func (q *queue) enterTenant(t *tenant) {
	if !t.inTurn && !t.paused && len(t.turns) > 0 {
		t.inTurn = true
		q.turns = append(q.turns, t)
	}
}

// next returns the seat of a lane that is to be taken next, or nil if none may be.
func (q *queue) next(l *lane) *seat {
	switch {
	case l == q.suspects:
		return q.nextSuspect()
	case len(l.resumed) > 0:
		return l.resumed[0]
	case !l.known():
		return nil
	}
	s := l.ready[0]
	if s.limit > 0 && (l.seats >= s.limit || q.reserved(l)) {
		return nil
	}
	return s
}

// scarce tells whether more of a lane is to be read.
func (q *queue) scarce(l *lane) bool {
	below := 1
	if q.ready < q.limits.ready {
		below = q.limits.refillBelow
	}
	return l.more && !l.filling && (len(l.ready) < below || !l.known() || q.stuck(l))
}

// turn takes the next seat of the first tenant that has one.
func (q *queue) turn() *seat {
	for len(q.turns) > 0 {
		t := q.turns[0]
		q.turns[0] = nil
		q.turns, t.inTurn = q.turns[1:], false
		if t.paused {
			continue
		}
		s := q.turnOf(t)
		q.enterTenant(t)
		if s != nil {
			return s
		}
	}
	return nil
}

func (q *queue) turnOf(t *tenant) *seat {
	for len(t.turns) > 0 {
		l := t.turns[0]
		t.turns[0] = nil
		t.turns, l.inTurn = t.turns[1:], false
		s := q.next(l)
		if s != nil {
			q.pick(l, s)
		}
		if q.scarce(l) {
			l.filling = true
			q.fills = append(q.fills, l)
			q.fill()
		}
		q.enter(l)
		q.tidy(l)
		if s != nil {
			return s
		}
	}
	return nil
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
	q.wake(1)
	q.tidy(l)
}
