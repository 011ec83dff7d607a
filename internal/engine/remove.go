package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/store"
)

// removeTime is how long a removal waits for the flows that it starts.
const removeTime = 5 * time.Minute

// Delete removes an instance: it answers no more, what waits to be executed is canceled, its
// webhooks are taken down, the flows that a removal starts run, then OnInstanceDelete of each
// flow, the last flow first. What fails of that is on record and does not keep the instance
// from going: it goes with its state and its schedules. Its executions stay on record. Delete
// works while the engine runs: flows of the instance may have to.
func (e *Engine) Delete(ctx context.Context, instanceID string) error {
	if !e.Enter() {
		return ErrStopped
	}
	defer e.Leave()
	return e.makeChange(instanceID, func() error { return e.deleteOnce(ctx, instanceID) })
}

func (e *Engine) deleteOnce(ctx context.Context, instanceID string) error {
	current, err := e.options.Store.Instance(ctx, instanceID)
	if err == nil {
		current, err = e.settled(ctx, current)
	}
	if err != nil {
		return err
	}
	c, err := e.nextChange(changeRemove, current, true)
	if err != nil {
		return err
	}
	m, err := e.beginChange(ctx, c, current, current)
	if err != nil {
		return err
	}
	defer m.end()
	if err := m.remove(ctx); err != nil {
		return errors.Join(err, m.abandon(ctx))
	}
	m.end()
	return m.drop(ctx)
}

// drop deletes the instance's record, over whatever else of it is written at the same time.
func (m *making) drop(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	for {
		err := m.engine.options.Store.DeleteInstance(ctx, m.record())
		m.engine.forget(m.record())
		if !errors.Is(err, store.ErrConflict) {
			return err
		}
		if err := m.write(ctx, func(*store.Instance) {}); err != nil {
			return err
		}
	}
}

// remove lets go of what the instance has outside of its record.
func (m *making) remove(ctx context.Context) error {
	if err := m.engine.cancelWaiting(ctx, m.record().ID); err != nil {
		return err
	}
	// The flows that the removal starts are to run, also of one that was paused, and in the
	// version whose hooks run: another one may have no process any more.
	def, err := m.engine.definition(m.record().Integration)
	if err != nil {
		return err
	}
	if err := m.write(ctx, func(record *store.Instance) {
		record.Paused, record.Version = false, def.integration.Version
	}); err != nil {
		return err
	}
	instance, err := m.engine.newInstance(m.record())
	if err != nil {
		return err
	}
	return m.lifecycle(instance, sluice.ReasonRemoved).remove(ctx)
}

// remove calls, last flow first, what wants to know of the removal. Webhooks are taken down also
// where a pause has done that: it may have failed, or have been interrupted. Its own error is that
// of a removal which was interrupted; those of user code are logged and on record.
func (l *lifecycle) remove(ctx context.Context) error {
	flows := l.instance.definition.ordered
	l.report(ctx, l.takeDown(ctx, downward(flows)))
	ids, err := l.startFlows(ctx, sluice.InvokeRemove)
	l.report(ctx, err)
	l.report(ctx, l.await(ctx, ids))
	for _, flow := range slices.Backward(flows) {
		for _, hook := range flow.onDelete {
			l.report(ctx, l.call(ctx, flow, sluice.InvokeOnInstanceDelete, hook))
		}
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return context.Cause(l.engine.work) //nolint:contextcheck // The engine's stop interrupts it as well.
}

func (l *lifecycle) report(ctx context.Context, err error) {
	if err != nil {
		l.engine.options.Logger.WarnContext(ctx, "removing an instance: it goes on", "instance", l.instance.record.ID, "error", err)
	}
}

// await waits until the executions are over, but not for ever.
func (l *lifecycle) await(ctx context.Context, ids []string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, removeTime, fmt.Errorf("it is not over after %v", removeTime))
	defer cancel()
	ctx, unbind := l.engine.untilStop(ctx)
	defer unbind()
	var errs []error
	for _, id := range ids {
		if _, err := l.engine.options.Store.Await(ctx, id); err != nil {
			errs = append(errs, fmt.Errorf("execution %s: %w", id, err))
		}
	}
	return errors.Join(errs...)
}

// cancelWaiting cancels what waits to be executed, or to be executed again, but for what an
// earlier try of the removal has started.
func (e *Engine) cancelWaiting(ctx context.Context, instanceID string) error {
	const page = 100
	for _, status := range []store.Status{store.StatusQueued, store.StatusWaiting} {
		for after := ""; ; {
			records, err := e.options.Store.Executions(ctx, store.Filter{Instance: instanceID, Status: status}, after, page)
			if err != nil {
				return err
			}
			for _, record := range records {
				after = record.ID
				if record.InvokeType == string(sluice.InvokeRemove) {
					continue
				}
				_, err := e.options.Store.Cancel(ctx, record.ID, "its instance is removed")
				if err != nil && !errors.Is(err, store.ErrConflict) && !errors.Is(err, store.ErrNotFound) {
					return err
				}
			}
			if len(records) < page {
				break
			}
		}
	}
	return nil
}
