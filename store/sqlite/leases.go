package sqlite

import (
	"time"

	"github.com/sluice-go/sluice/store"
)

// lessee is a worker that has claims, or waits for some. Others are not known.
type lessee struct {
	id string
	// until is when its lease runs out.
	until           time.Time
	claims, waiting int
}

// leases are those of the workers. As long as there is only one its lease never runs out.
type leases struct {
	lessees map[string]*lessee
	// lost are the workers that were not told yet that their lease ran out.
	lost map[string]bool
	// retry is when claims without a lessee end; zero if there are none.
	retry time.Time
	// changed has the committing goroutine look when the next lease runs out.
	changed func()
}

func (l *leases) lessee(id string) *lessee {
	w := l.lessees[id]
	if w == nil {
		w = &lessee{id: id}
		l.lessees[id] = w
		l.contend()
	}
	return w
}

// contend has the leases looked at if there are several.
func (l *leases) contend() {
	if len(l.lessees) > 1 {
		l.changed()
	}
}

// begin gives the worker a claim and begins its lease anew.
func (l *leases) begin(worker store.Worker) *lessee {
	w := l.lessee(worker.ID)
	w.until = time.Now().Add(worker.Lease)
	if w.claims++; w.claims == 1 {
		l.contend()
	}
	return w
}

// leave forgets a worker that has no claims and waits for none.
func (l *leases) leave(w *lessee) {
	if w != nil && w.claims == 0 && w.waiting == 0 {
		delete(l.lessees, w.id)
	}
}

// end is when the next lease runs out; zero is never.
func (l *leases) end() time.Time {
	end := l.retry
	if len(l.lessees) < 2 {
		return end
	}
	for _, w := range l.lessees {
		if w.claims > 0 && (end.IsZero() || w.until.Before(end)) {
			end = w.until
		}
	}
	return end
}

// lease gives a seat's claim to a worker; its end is unlease.
func (q *queue) lease(s *seat, worker store.Worker) {
	s.lessee = q.leases.begin(worker)
	q.seats[s.seq], q.claims[s.execution.ID] = s, s
}

func (q *queue) unlease(s *seat) {
	delete(q.claims, s.execution.ID)
	if s.lessee != nil {
		s.lessee.claims--
		q.leases.leave(s.lessee)
		s.lessee = nil
	}
}

// orphan leaves the claims of a worker without a lessee.
func (q *queue) orphan(w *lessee) {
	for _, s := range q.claims {
		if s.lessee == w {
			s.lessee = nil
		}
	}
	w.claims = 0
	q.leases.leave(w)
}

// extend begins the worker's lease anew and returns which of its claims are to be canceled.
func (q *queue) extend(worker store.Worker, now time.Time) (canceled []string, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return nil, store.ErrClosed
	}
	w := q.leases.lessees[worker.ID]
	if q.leases.lost[worker.ID] {
		delete(q.leases.lost, worker.ID)
		return nil, store.ErrLeaseLost
	}
	if w == nil {
		return nil, nil
	}
	w.until = now.Add(worker.Lease)
	for id, s := range q.claims {
		if s.lessee == w && s.canceled != "" {
			canceled = append(canceled, id)
		}
	}
	return canceled, nil
}

// claimsOf returns the claims of a worker.
func (q *queue) claimsOf(worker string) (claims []*store.Claim) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, s := range q.claims {
		if s.lessee != nil && s.lessee.id == worker {
			claims = append(claims, s.claim())
		}
	}
	return claims
}

// leaseEnd is when the next lease runs out; zero is never.
func (q *queue) leaseEnd() time.Time {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.leases.end()
}

// expired returns the claims of leases that ran out. They are nobody's, but claims still.
func (q *queue) expired(now time.Time) (lost []*seat) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if end := q.leases.end(); end.IsZero() || end.After(now) {
		return nil
	}
	if len(q.leases.lessees) > 1 {
		for _, w := range q.leases.lessees {
			if w.claims > 0 && !w.until.After(now) {
				q.leases.lost[w.id] = true
				q.orphan(w)
			}
		}
		q.wakeAll() // A lost one that waits would be woken for what it cannot claim.
	}
	for _, s := range q.claims {
		if s.lessee == nil {
			lost = append(lost, s)
		}
	}
	q.leases.retry = time.Time{}
	return lost
}

// expireAt has claims without a lessee end later.
func (q *queue) expireAt(at time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.leases.retry = at
}
