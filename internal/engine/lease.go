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
		for pause(e.work, e.worker.Lease/3); !e.tenures.rest(); pause(e.work, e.worker.Lease/3) {
			if e.work.Err() != nil {
				return
			}
			_ = e.extend() // It logs what goes wrong.
		}
	}
}

// ensureLease extends the lease if it may have run out, because the process was held up: what
// others have taken over meanwhile must not go on here.
func (e *Engine) ensureLease() error {
	if time.Now().Before(e.tenures.leasedUntil()) {
		return nil
	}
	return e.extend()
}

// noticeLoss has the store tell that the lease was lost, without which it hands out no claims.
func (e *Engine) noticeLoss() bool {
	err := e.extend()
	return err == nil || errors.Is(err, store.ErrLeaseLost)
}

// extend begins the lease anew, once for all who ask at the same time: the store tells only one
// that it was lost.
func (e *Engine) extend() error {
	_, err, _ := e.extending.Do("", func() (any, error) { return nil, e.extendOnce() })
	return err
}

// extendOnce begins the lease anew. What runs here ends if the lease was lost, and if the store
// cannot be reached until it may have run out: others may have taken it over.
func (e *Engine) extendOnce() error {
	now, until := time.Now(), e.tenures.leasedUntil()
	if !now.Before(until) {
		until = now.Add(e.worker.Lease)
	}
	// A store that hangs must not keep what runs here going past its lease.
	ctx, cancel := context.WithDeadline(e.work, until)
	defer cancel()
	canceled, err := e.options.Store.Extend(ctx, e.worker)
	switch {
	case err == nil:
		e.tenures.extend(now.Add(e.worker.Lease))
		for _, id := range canceled {
			e.tenures.end(id, &canceledError{})
		}
	case e.work.Err() != nil:
	case errors.Is(err, store.ErrLeaseLost), !time.Now().Before(e.tenures.leasedUntil()):
		e.options.Logger.ErrorContext(e.work, "the lease was lost: what runs here may run elsewhere", "error", err)
		e.tenures.endAll(sluice.ErrLeaseLost)
	default:
		e.options.Logger.WarnContext(e.work, "extending the lease failed", "error", err)
	}
	return err
}
