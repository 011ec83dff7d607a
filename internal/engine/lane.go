package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

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
		if err == nil {
			e.backlog.claimed(claims)
			e.start(claims)
		} else if e.claiming.Err() == nil {
			e.options.Logger.ErrorContext(e.claiming, "claiming executions failed", "error", err)
			pause(e.claiming, claimPause)
		}
	}
}

// start runs the claims, each when it has a slot and memory.
func (e *Engine) start(claims []*store.Claim) {
	for i, claim := range claims {
		room, err := e.awaitRoom(e.claiming, claim.Execution)
		if err != nil {
			e.release(claims[i:])
			return
		}
		e.hold()
		e.workers.run(func() { e.runClaim(claim, room) })
	}
}

func (e *Engine) release(claims []*store.Claim) {
	for _, claim := range claims {
		if err := e.options.Store.Release(e.writing, claim, store.Pause{}); err != nil {
			e.options.Logger.WarnContext(e.work, "releasing an execution failed", "execution", claim.Execution.ID, "error", err)
		}
	}
}

// runClaim runs a claimed execution in the room that it has.
func (e *Engine) runClaim(claim *store.Claim, room *room) {
	x, err := e.claimed(claim)
	if err != nil {
		defer e.Leave()
		defer room.release()
		e.failClaim(claim, err)
		return
	}
	x.room = room
	x.run()
}

// claimed makes a claimed execution ready to run, unless the process died of it too often.
func (e *Engine) claimed(claim *store.Claim) (*execution, error) {
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
	if err != nil {
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
	x.payload, x.marks, x.claim = payload, marks, claim
	if claim.Recovered || claim.Attempt > 1 {
		if err := x.readJournal(e.work); err != nil {
			return nil, err
		}
		x.resume()
	}
	return x, nil
}

// failClaim ends an execution that this process cannot run: its integration or flow is
// not registered, its record cannot be read, or the process dies of it. A replay runs it
// once that is mended.
func (e *Engine) failClaim(claim *store.Claim, cause error) {
	if errors.Is(cause, store.ErrUnavailable) || errors.Is(cause, store.ErrClosed) || e.work.Err() != nil {
		e.release([]*store.Claim{claim})
		return
	}
	e.options.Logger.ErrorContext(e.work, "execution failed", "execution", claim.Execution.ID, "error", cause, "attempt", claim.Attempt)
	now := time.Now().UTC()
	_ = e.commit(claim, &store.Outcome{ // It logs what goes wrong.
		Attempt: claim.Attempt, Status: store.StatusFailed, StartedAt: now, EndedAt: now,
		Error: cause.Error(),
	})
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
