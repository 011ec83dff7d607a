package sqlite

import (
	"context"
	"fmt"
	"time"

	"github.com/sluice-go/sluice/store"
)

// Extend implements [store.Leaser].
func (s *Store) Extend(ctx context.Context, worker store.Worker) (canceled []string, err error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if canceled, err = s.queue.extend(worker, time.Now()); err != nil {
		return nil, fmt.Errorf("store: extend the lease of worker %s: %w", worker.ID, err)
	}
	return canceled, nil
}

// Claims implements [store.Leaser].
func (s *Store) Claims(ctx context.Context, worker store.Worker) ([]*store.Claim, error) {
	err := context.Cause(ctx)
	if err == nil && s.inbox.isClosed() {
		err = store.ErrClosed
	}
	if err != nil {
		return nil, fmt.Errorf("store: claims of worker %s: %w", worker.ID, err)
	}
	return s.queue.claimsOf(worker.ID), nil
}

// expire ends the claims of workers whose leases ran out, as a death of the process ends
// them: it is written down, so that they count together.
func (s *Store) expire() {
	now := time.Now()
	lost := s.queue.expired(now)
	if len(lost) == 0 {
		return
	}
	if err := s.transact(func() error {
		for _, seat := range lost {
			dead := *seat
			dead.deaths, dead.crashes, dead.recovered = seat.deaths+1, seat.crashes+1, true
			if err := s.pend(&dead, time.Time{}, seat.kept); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		s.queue.expireAt(now.Add(time.Second)) // The disk may have recovered by then.
		return
	}
	for _, seat := range lost {
		seat.deaths, seat.crashes, seat.parked = seat.deaths+1, seat.crashes+1, true
		s.queue.giveBack(seat, seat.kept)
	}
}
