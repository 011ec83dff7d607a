package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/sluice-go/sluice/store"
)

// ClaimSchedules implements [store.Schedules].
func (s *Store) ClaimSchedules(ctx context.Context, worker store.Worker, limit int) ([]*store.Schedule, error) {
	for {
		w := &claimSchedules{schedules: &s.schedules, worker: worker, limit: limit}
		err := s.submit(ctx, w)
		switch {
		case err == nil && len(w.claimed) > 0:
			return w.claimed, nil
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case err != nil:
			return nil, fmt.Errorf("store: claim schedules: %w", err)
		}
		w.wait(ctx, s.stopped)
	}
}

// claimSchedules claims in memory: the claims of a process end with it. It takes its turn
// among the writes, so that it sees no due time that has moved.
type claimSchedules struct {
	schedules *schedules
	worker    store.Worker
	limit     int
	claimed   []*store.Schedule
	// next is when to look again, zero for never, unless changed is closed before.
	next    time.Time
	changed <-chan struct{}
}

func (w *claimSchedules) apply(s *Store) error {
	serves, err := encodeServes(w.worker)
	if err != nil {
		return err
	}
	now := time.Now()
	w.schedules.expire(now)
	// No more of the first rows are claimed already than there are claims.
	return eachOf(context.Background(), s.statements.dueSchedules, func(rows *sql.Rows) error {
		row, err := scanSchedule(rows)
		switch {
		case err != nil:
			return err
		case len(w.claimed) == w.limit || w.schedules.claimed(&row.Schedule):
		case !row.Due.After(now):
			w.schedules.claim(&row.Schedule, w.worker, now)
			w.claimed = append(w.claimed, &row.Schedule)
		case w.next.IsZero():
			w.next = row.Due
		}
		return nil
	}, serves, w.limit+len(w.schedules.claims))
}

// encodeServes is the list of what the worker serves as JSON; nil is everything.
func encodeServes(worker store.Worker) (any, error) {
	if len(worker.Serves) == 0 {
		return nil, nil
	}
	list := make([][2]string, len(worker.Serves))
	for i, version := range worker.Serves {
		list[i] = [2]string{version.Integration, version.Version}
	}
	encoded, err := json.Marshal(list)
	return string(encoded), err
}

func (w *claimSchedules) undo() {
	for _, schedule := range w.claimed {
		delete(w.schedules.claims, claimOf(schedule))
	}
	w.claimed, w.next = nil, time.Time{}
}

func (w *claimSchedules) committed(_ *Store, abandoned bool) error {
	switch {
	case len(w.claimed) == 0:
		w.next, w.changed = w.schedules.wait(w.next)
	case abandoned:
		due := w.claimed[0].Due
		w.undo()
		w.schedules.wake(due)
	}
	return nil
}

// wait waits until something may be due.
func (w *claimSchedules) wait(ctx context.Context, stopped <-chan struct{}) {
	var due <-chan time.Time
	if !w.next.IsZero() {
		timer := time.NewTimer(time.Until(w.next))
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-due:
	case <-w.changed:
	case <-stopped:
	case <-ctx.Done():
	}
}

// schedules is what memory holds of schedules. It belongs to the committing goroutine.
type schedules struct {
	// claims say how long each lasts.
	claims map[scheduleClaim]time.Time
	// changed is closed when one becomes due before latest, the last moment at which a
	// waiting claim looks again; zero is never. It is nil if none waits.
	changed chan struct{}
	latest  time.Time
}

// scheduleClaim is what is claimed: one due time of a schedule. It ends of itself when the
// schedule moves on.
type scheduleClaim struct {
	instance, flow string
	due            int64
}

func claimOf(schedule *store.Schedule) scheduleClaim {
	return scheduleClaim{schedule.Instance, schedule.Flow, encodeTime(schedule.Due)}
}

func (s *schedules) claimed(schedule *store.Schedule) bool {
	_, ok := s.claims[claimOf(schedule)]
	return ok
}

func (s *schedules) claim(schedule *store.Schedule, worker store.Worker, now time.Time) {
	if s.claims == nil {
		s.claims = map[scheduleClaim]time.Time{}
	}
	s.claims[claimOf(schedule)] = now.Add(worker.Lease)
}

// expire ends the claims whose lease has run out.
func (s *schedules) expire(now time.Time) {
	for claim, until := range s.claims {
		if !until.After(now) {
			delete(s.claims, claim)
		}
	}
}

// wait is when a claim that found nothing looks again: at the next due time, or when a lease
// runs out, or when the channel is closed.
func (s *schedules) wait(next time.Time) (time.Time, <-chan struct{}) {
	for _, until := range s.claims {
		if next.IsZero() || until.Before(next) {
			next = until
		}
	}
	switch {
	case s.changed == nil:
		s.changed, s.latest = make(chan struct{}), next
	case next.IsZero() || !s.latest.IsZero() && next.After(s.latest):
		s.latest = next
	}
	return next, s.changed
}

// wake has waiting claims look again, if one is due before they do of themselves.
func (s *schedules) wake(due time.Time) {
	if s.changed == nil || due.IsZero() || !s.latest.IsZero() && !due.Before(s.latest) {
		return
	}
	close(s.changed)
	s.changed = nil
}

// advanced ends the claim of a schedule that has moved.
func (s *schedules) advanced(a *store.ScheduleAdvance) {
	delete(s.claims, scheduleClaim{a.Instance, a.Flow, encodeTime(a.From)})
	s.wake(a.To)
}
