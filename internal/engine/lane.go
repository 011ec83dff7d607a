package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/internal/secret"
	"github.com/sluice-go/sluice/store"
)

// claimBatch bounds how many executions are claimed at once.
const claimBatch = 32

// claimPause is how long the dispatcher waits after the store refused to claim.
const claimPause = time.Second

// dispatch claims what waits in the store and runs it, as slots come free. It ends with
// the claiming context.
func (e *Engine) dispatch() {
	defer e.Leave()
	for e.claiming.Err() == nil {
		claims, err := e.options.Store.Claim(e.claiming, e.worker, max(1, min(e.slots.free(), claimBatch)))
		switch {
		case err == nil:
			e.backlog.claimed(claims)
			e.start(e.holdAll(claims))
		case e.claiming.Err() != nil:
		case errors.Is(err, store.ErrLeaseLost) && e.noticeLoss():
		default:
			e.options.Logger.ErrorContext(e.claiming, "claiming executions failed", "error", err)
			e.doubt()
			pause(e.claiming, claimPause)
		}
	}
}

// holdAll begins the tenures of the claims, which may have to wait for a slot.
func (e *Engine) holdAll(claims []*store.Claim) []*tenure {
	held := make([]*tenure, len(claims))
	for i, claim := range claims {
		held[i] = e.tenures.begin(claim)
	}
	return held
}

// start runs what is claimed, each when it has a slot and memory.
func (e *Engine) start(held []*tenure) {
	for i, t := range held {
		room, err := e.awaitRoom(e.claiming, t.claim.Execution)
		if err != nil {
			for _, t := range held[i:] {
				e.release(t.claim, store.Pause{})
				e.tenures.over(t)
			}
			return
		}
		e.hold()
		e.workers.run(func() { e.runClaim(t, room) })
	}
}

// release gives a claim back. One that was lost is back already.
func (e *Engine) release(claim *store.Claim, pause store.Pause) {
	_ = e.end(claim, func(ctx context.Context) error { // It logs what goes wrong.
		err := e.options.Store.Release(ctx, claim, pause)
		if errors.Is(err, store.ErrLeaseLost) {
			return nil
		}
		return err
	})
}

// runClaim runs a claimed execution in the room that it has.
func (e *Engine) runClaim(t *tenure, room *room) {
	x, err := e.claimed(t)
	if err != nil {
		defer e.Leave()
		defer room.release()
		defer e.tenures.over(t)
		e.endClaim(t.claim, err)
		return
	}
	x.room = room
	x.hold(t)
	x.run()
}

// claimed makes a claimed execution ready to run, unless it was canceled or lost meanwhile,
// or the process died of it too often.
func (e *Engine) claimed(t *tenure) (*execution, error) {
	claim := t.claim
	if err := t.awaitEarlier(e.work); err != nil {
		return nil, err
	}
	if cause := t.ended(); cause != nil {
		return nil, cause
	}
	if claim.Canceled != "" {
		return nil, &canceledError{claim.Canceled}
	}
	if claim.Crashes >= e.options.CrashLimit {
		return nil, fmt.Errorf("the process died %d times while this execution ran: it is not tried again", claim.Crashes)
	}
	x, err := e.restore(claim)
	if err != nil {
		return nil, fmt.Errorf("the execution cannot run here: %w", err)
	}
	return x, nil
}

// restore brings a claimed execution back from its record.
func (e *Engine) restore(claim *store.Claim) (*execution, error) {
	instance, err := e.load(e.work, byID(claim.Execution.Instance), e.options.Store.Instance)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, &canceledError{"its instance is removed"}
	case err != nil:
		return nil, err
	}
	target, err := instance.target(claim.Execution.Flow)
	if err != nil {
		return nil, err
	}
	payload, marks, err := decodePayload(claim.Execution.Payload)
	if err != nil {
		return nil, err
	}
	x, err := e.prepare(target, claim.Execution, claim.Attempt)
	if err != nil {
		return nil, err
	}
	x.payload, x.marks = payload, marks
	if claim.Recovered || claim.Attempt > 1 || claim.Execution.Original != "" {
		if err := x.readJournal(e.work); err != nil {
			return nil, err
		}
		x.resume()
	}
	return x, nil
}

// unservedPause is how long an execution waits that cannot run here: another process may
// run it, or this one after a change and a start.
const unservedPause = time.Minute

// The log lines about what cannot run here: so many a second, and at once.
const (
	complaintsPerSecond = 1
	complaintsBurst     = 20
)

// unreadPause is how long an execution waits of which the store did not give what it takes to
// run it.
const unreadPause = 10 * time.Second

// endClaim ends a claim that this process cannot run. What is not registered here, sealed with
// a master key that this process does not have, or could not be read is given back and keeps
// its place; an execution that was canceled, whose record makes no sense or of which the
// process dies is over.
func (e *Engine) endClaim(claim *store.Claim, cause error) {
	_, unread := errors.AsType[*readError](cause)
	switch {
	case errors.Is(cause, store.ErrClosed), errors.Is(cause, sluice.ErrLeaseLost), e.work.Err() != nil:
		e.release(claim, store.Pause{})
	case errors.Is(cause, ErrNotServed), errors.Is(cause, secret.ErrUnknownKey):
		e.postpone(claim, unservedPause, cause)
	case unread:
		e.postpone(claim, unreadPause, cause)
	default:
		e.endUnrun(claim, cause)
	}
}

// postpone gives a claim back that may run later.
func (e *Engine) postpone(claim *store.Claim, d time.Duration, cause error) {
	if e.complaints.Allow() {
		e.options.Logger.WarnContext(e.work, "execution given back", "execution", claim.Execution.ID, "error", cause)
	}
	e.release(claim, store.Pause{Until: time.Now().Add(d), KeepSeat: claim.Execution.Lane.Limit > 0})
}

// endUnrun records that a claimed execution is over without having run.
func (e *Engine) endUnrun(claim *store.Claim, cause error) {
	outcome := &store.Outcome{
		Attempt: claim.Attempt, Status: store.StatusFailed, EndedAt: time.Now().UTC(), Error: cause.Error(),
	}
	level := slog.LevelError
	if canceled, ok := errors.AsType[*canceledError](cause); ok {
		outcome.Status, outcome.Error, level = store.StatusCanceled, canceled.reason, slog.LevelInfo
	} else {
		outcome.StartedAt = outcome.EndedAt
	}
	e.options.Logger.Log(e.work, level, "execution over without running", "status", string(outcome.Status), "execution", claim.Execution.ID, "error", cause, "attempt", claim.Attempt)
	_ = e.commit(claim, outcome) // It logs what goes wrong.
}

// pause waits for d, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
