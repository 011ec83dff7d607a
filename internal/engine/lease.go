package engine

import (
	"context"
	"errors"
	"time"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/store"
)

// keepLease extends the engine's lease three times in its length while it holds claims. It
// ends with the engine's work.
func (e *Engine) keepLease() {
	defer close(e.leaseKept)
	for {
		select {
		case <-e.tenures.wake:
		case <-e.work.Done():
			return
		}
		extended := time.Now()
		for pause(e.work, e.worker.Lease/3); !e.tenures.rest(); pause(e.work, e.worker.Lease/3) {
			if e.work.Err() != nil {
				return
			}
			extended = e.extend(extended)
		}
	}
}

// noticeLoss has the store tell that the lease was lost, without which it hands out no claims.
func (e *Engine) noticeLoss() bool {
	ctx, cancel := context.WithTimeout(e.work, e.worker.Lease)
	defer cancel()
	_, err := e.options.Store.Extend(ctx, e.worker)
	switch {
	case err == nil: // It was told meanwhile.
		return true
	case errors.Is(err, store.ErrLeaseLost):
		e.loseLease(err)
		return true
	default:
		e.options.Logger.WarnContext(ctx, "extending the lease failed", "error", err)
		return false
	}
}

// loseLease ends what runs here.
func (e *Engine) loseLease(err error) {
	e.options.Logger.ErrorContext(e.work, "the lease was lost: what runs here may run elsewhere", "error", err)
	e.tenures.endAll(sluice.ErrLeaseLost)
}

// extend begins the lease anew, and returns when it began last. Where the store cannot be
// reached for the length of a lease, others may have taken over what runs here: it ends.
func (e *Engine) extend(extended time.Time) time.Time {
	// A store that hangs must not keep what runs here going past its lease.
	ctx, cancel := context.WithDeadline(e.work, extended.Add(e.worker.Lease))
	defer cancel()
	now := time.Now()
	canceled, err := e.options.Store.Extend(ctx, e.worker)
	switch {
	case err == nil:
		for _, id := range canceled {
			e.tenures.end(id, &canceledError{})
		}
		return now
	case e.work.Err() != nil:
		return extended
	case errors.Is(err, store.ErrLeaseLost), time.Since(extended) >= e.worker.Lease:
		e.loseLease(err)
		return now
	default:
		e.options.Logger.WarnContext(e.work, "extending the lease failed", "error", err)
		return extended
	}
}
