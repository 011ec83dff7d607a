package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/internal/variant"
	"github.com/sluice-go/sluice/store"
)

// putSchedules brings the schedules of an instance to what its deployment says. Unchanged
// ones keep their due time; of a paused instance none comes due. It is called when the
// instance has been written.
func (e *Engine) putSchedules(ctx context.Context, instance *Instance) error {
	id := instance.record.ID
	before, err := e.options.Store.Schedules(ctx, id)
	if err != nil {
		return err
	}
	var after []*store.Schedule
	if instance.record.Paused {
		after = pausedSchedules(before)
	} else if after, err = instance.schedules(before, time.Now()); err != nil {
		return err
	}
	sameSpecs := func(a, b *store.Schedule) bool { return a.Flow == b.Flow && a.Spec == b.Spec }
	if slices.EqualFunc(before, after, sameSpecs) {
		return nil
	}
	return e.options.Store.PutSchedules(context.WithoutCancel(ctx), id, after)
}

// pausedSchedules never come due. What has run once is not told apart from that: it does not
// run again after the pause.
func pausedSchedules(schedules []*store.Schedule) []*store.Schedule {
	paused := make([]*store.Schedule, len(schedules))
	for i, schedule := range schedules {
		paused[i] = schedule
		if !schedule.Due.IsZero() {
			paused[i] = &store.Schedule{
				Instance: schedule.Instance, Flow: schedule.Flow, Spec: pausedSpec + schedule.Spec, Last: schedule.Last,
			}
		}
	}
	return paused
}

// schedules are those of the instance's flows, by flow, if they are deployed now.
func (i *Instance) schedules(before []*store.Schedule, now time.Time) ([]*store.Schedule, error) {
	var schedules []*store.Schedule
	for _, flow := range i.definition.ordered {
		timing, err := i.timing(flow.Schedule)
		if err != nil {
			return nil, fmt.Errorf("flow %q: schedule: %w", flow.Name, err)
		}
		if timing == nil {
			continue
		}
		schedule := &store.Schedule{Instance: i.record.ID, Flow: flow.StableKey, Spec: timing.spec, Due: timing.first(now)}
		for _, old := range before {
			if old.Flow == schedule.Flow {
				schedule.Last = old.Last
			}
		}
		schedules = append(schedules, schedule)
	}
	slices.SortFunc(schedules, func(a, b *store.Schedule) int { return strings.Compare(a.Flow, b.Flow) })
	return schedules, nil
}

// removeSchedules forgets the schedules of an instance that is deleted.
func (e *Engine) removeSchedules(ctx context.Context, instanceID string) error {
	return e.options.Store.PutSchedules(ctx, instanceID, nil)
}

// fireDue makes of a due schedule what comes of it. With an error nothing is on record, and
// it is due again when the claim ends. It calls leavePlace if the trigger is slow.
func (e *Engine) fireDue(due *store.Schedule, leavePlace func()) error {
	timing, err := parseTiming(due.Spec)
	if err != nil {
		return err
	}
	instance, err := e.deployed(due.Instance)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return e.removeSchedules(e.writing, due.Instance)
	case err != nil:
		return err
	case !isDeployed(instance.record):
		return e.putSchedules(e.writing, instance)
	}
	target, err := instance.target(due.Flow)
	if err != nil {
		return err
	}
	catchUp := 0
	if schedule := target.Flow.Schedule; schedule != nil {
		catchUp = schedule.CatchUp
	}
	runs, next := timing.turn(due.Due, e.began, time.Now(), catchUp)
	advance := store.ScheduleAdvance{Instance: due.Instance, Flow: due.Flow, From: due.Due, To: next}
	if !runs {
		e.options.Logger.InfoContext(e.work, "runs of a schedule were missed", "instance", due.Instance, "flow", due.Flow,
			"from", due.Due, "to", next)
		return e.options.Store.AdvanceSchedule(e.writing, advance)
	}
	return e.runDue(target, due, advance, leavePlace)
}

// deployed returns the instance with the id. One that seems to be paused is read again: what
// is cached may be older.
func (e *Engine) deployed(id string) (*Instance, error) {
	instance, err := e.load(e.work, byID(id), e.options.Store.Instance)
	if err != nil || isDeployed(instance.record) {
		return instance, err
	}
	e.forget(instance.record)
	return e.load(e.work, byID(id), e.options.Store.Instance)
}

// runDue lets the flow's trigger see what is due, and accepts what comes of it.
func (e *Engine) runDue(target Target, due *store.Schedule, advance store.ScheduleAdvance, leavePlace func()) error {
	invoke := sluice.InvokeSchedule
	if target.Flow.TriggerType == sluice.TriggerTypePolling {
		invoke = sluice.InvokePoll
	}
	x, err := e.newExecution(target, invoke)
	if err != nil {
		return err
	}
	x.payload = &sluice.TriggerPayload{StartedAt: x.started, DueAt: due.Due}
	before, err := e.unfinished(target.Flow, due.Last)
	if err != nil {
		return err
	}
	if before != "" {
		x.skip = fmt.Sprintf("the execution before, %s, is not over", before)
		return e.acceptDue(x, advance, nil)
	}
	slow := time.AfterFunc(slowTrigger, leavePlace)
	err = x.fireDue()
	slow.Stop()
	if errors.Is(err, ErrStopped) {
		return nil // The next start fires it again.
	}
	return e.acceptDue(x, advance, err)
}

// unfinished is the id of the schedule's previous execution, if the flow's runs must not
// overlap and it is not over.
func (e *Engine) unfinished(flow *Flow, last string) (string, error) {
	queue, _ := variant.Of(flow.QueueConfig).(sluice.StandardQueueConfig)
	if !queue.SingletonExecutions || last == "" {
		return "", nil
	}
	record, err := e.options.Store.Execution(e.work, last)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return "", nil
	case err != nil:
		return "", err
	case record.Status.Final():
		return "", nil
	default:
		return last, nil
	}
}

// fireDue is what [Engine.Fire] does, for an execution that nobody requested.
func (x *execution) fireDue() error {
	defer x.sealLogs()
	fired := &Fired{execution: x}
	if err := x.callFlowTrigger(x.engine.work, fired); err != nil {
		return err
	}
	if fired.Stop {
		x.skip = stoppedByTrigger
	}
	return x.checkFired()
}

// acceptDue accepts an execution, or one that failed with the cause before, and moves its
// schedule on in the same commit. It waits for room in the backlog and for the store: what is
// due is late then, never lost. Somebody else may have been faster.
func (e *Engine) acceptDue(x *execution, advance store.ScheduleAdvance, cause error) error {
	logged := ""
	for e.claiming.Err() == nil {
		err := e.tryAcceptDue(x, advance, cause)
		switch {
		case err == nil, errors.Is(err, store.ErrConflict):
			return nil
		case errors.Is(err, ErrQueueFull), errors.Is(err, store.ErrUnavailable):
			if logged != err.Error() {
				logged = err.Error()
				e.options.Logger.WarnContext(e.work, "a schedule waits to run", "instance", advance.Instance, "flow", advance.Flow, "error", err)
			}
			pause(e.claiming, claimPause)
		case cause == nil:
			cause = cmp.Or(stateError(err), err) // It cannot be accepted as it is: that is on record.
			if _, unwritable := errors.AsType[*InputError](err); unwritable {
				x.payload, x.marks.BodyDropped = &sluice.TriggerPayload{StartedAt: x.started, DueAt: advance.From}, true
			}
		default:
			return err
		}
	}
	return nil
}

func (e *Engine) tryAcceptDue(x *execution, advance store.ScheduleAdvance, cause error) error {
	acceptance, err := x.acceptance()
	if err != nil {
		return err
	}
	acceptance.Schedule = &advance
	if cause != nil {
		acceptance.DedupeKey, acceptance.State, acceptance.Outcome = "", nil, x.outcome(nil, sluice.Permanent(cause))
	}
	if err := x.queue(e.writing, acceptance); err != nil {
		return err
	}
	accepted, err := e.options.Store.Accept(e.writing, acceptance)
	if err != nil {
		x.room.release()
		return err
	}
	if x.begin(accepted).Duplicate {
		return e.options.Store.AdvanceSchedule(e.writing, advance)
	}
	return nil
}

// skipped is the outcome of an execution that is on record only.
func (x *execution) skipped() *store.Outcome {
	return &store.Outcome{
		Attempt: 1, Status: store.StatusSkipped, StartedAt: x.started, EndedAt: time.Now().UTC(), Error: x.skip,
		State: x.finalState(store.StatusSkipped),
	}
}
