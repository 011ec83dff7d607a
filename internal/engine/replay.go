package engine

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/store"
)

// ReplayOptions say how a replay differs from its original.
type ReplayOptions struct {
	// Input replaces the payload; nil keeps it.
	Input *sluice.TriggerPayload
	// FromStep names the step from which on steps run again; empty is from the first.
	FromStep string
}

// Replayed is an execution and the one that replays it.
type Replayed struct{ Original, ID string }

// Replay accepts a new execution of what an execution that is over was for, on the instance
// as it is now, and returns its id.
func (e *Engine) Replay(ctx context.Context, id string, options ReplayOptions) (string, error) {
	if !e.Enter() {
		return "", ErrStopped
	}
	defer e.Leave()
	record, err := e.options.Store.Execution(ctx, id)
	if err != nil {
		return "", err
	}
	return e.replay(ctx, record, options)
}

func (e *Engine) replay(ctx context.Context, original *store.Record, options ReplayOptions) (string, error) {
	x, err := e.replayOf(ctx, original, options)
	if err != nil {
		return "", err
	}
	accepted, err := e.Accept(ctx, &Fired{execution: x})
	return accepted.ExecutionID, err
}

// replayOf prepares the replay of an execution.
func (e *Engine) replayOf(ctx context.Context, original *store.Record, options ReplayOptions) (*execution, error) {
	target, err := e.replayTarget(ctx, original)
	if err != nil {
		return nil, err
	}
	payload, marks, err := decodePayload(original.Payload)
	if err != nil {
		return nil, err
	}
	if marks.BodyDropped && options.Input == nil {
		return nil, errors.New("it was refused before it was accepted, and its body was not kept: give another input")
	}
	x, err := e.newExecution(target, sluice.InvokeType(original.InvokeType))
	if err != nil {
		return nil, err
	}
	x.record.Original, x.record.Depth, x.payload = original.ID, original.Depth, payload
	if options.Input != nil {
		x.payload = copyPayload(options.Input)
	}
	x.payload.StartedAt = x.started
	if x.steps, err = stepsBefore(original, options.FromStep); err != nil {
		return nil, err
	}
	if err := x.keepSteps(); err != nil {
		return nil, err
	}
	return x, x.takePlaceOf(marks, options.Input != nil)
}

// keepSteps takes over the steps that a replay begins with, and has the state of the execution
// that their checkpoints committed be committed as its own.
func (x *execution) keepSteps() error {
	for _, step := range x.steps {
		if err := x.journal.add(step); err != nil {
			return err
		}
		if !strings.HasPrefix(step.Key, checkpointKind) {
			continue
		}
		changes, err := x.recordedChanges(step)
		if err != nil {
			return err
		}
		x.changes = append(x.changes, changes...)
		x.marks.State = x.marks.State || len(changes) > 0
	}
	return nil
}

// takePlaceOf makes of a replay what its original was: one of a page spreads it again, one of
// a batch is that batch, any other is a request about what its payload says. A new input must
// fit the flow.
func (x *execution) takePlaceOf(original payloadMarks, newInput bool) error {
	x.marks.Page, x.marks.Batch = original.Page, original.Batch
	if x.marks.Page != nil {
		x.record.Lane = store.Lane{}
		return nil
	}
	if newInput {
		if err := x.checkInput(); err != nil {
			return err
		}
	}
	if x.marks.Batch != nil {
		x.record.Lane = x.target.Flow.batchLane()
		return nil
	}
	return x.findUniqueKey()
}

// replayTarget is where an execution can be replayed.
func (e *Engine) replayTarget(ctx context.Context, original *store.Record) (Target, error) {
	switch {
	case !original.Status.Final():
		return Target{}, fmt.Errorf("it is %s: what is not over cannot be replayed: cancel it first", original.Status)
	case original.Instance == "" || original.Flow == "":
		return Target{}, errors.New("it reached no flow of an instance: there is nothing to replay")
	case isHook(sluice.InvokeType(original.InvokeType)):
		return Target{}, fmt.Errorf("it is a run of a hook (%s): deploy the instance again", original.InvokeType)
	}
	instance, err := e.load(ctx, byID(original.Instance), e.options.Store.Instance)
	if errors.Is(err, store.ErrNotFound) {
		return Target{}, fmt.Errorf("its instance %s was deleted: %w", original.Instance, err)
	}
	if err != nil {
		return Target{}, err
	}
	target, err := instance.target(original.Flow)
	if err != nil {
		return Target{}, err
	}
	if routing := target.definition.routing; routing != nil && routing.preprocess == target.Flow {
		return Target{}, fmt.Errorf("flow %q routes requests: send the request again", target.Flow.Name)
	}
	target.user = original.User
	return target, nil
}

func isHook(invoke sluice.InvokeType) bool {
	switch invoke {
	case sluice.InvokeOnInstanceDeploy, sluice.InvokeOnInstanceDelete, sluice.InvokeWebhookCreate, sluice.InvokeWebhookDelete:
		return true
	default:
		return false
	}
}

// stepsBefore are the steps on record before the first of the name, for a replay to find:
// all, if it is the one in which the original failed.
func stepsBefore(original *store.Record, name string) ([]*store.Step, error) {
	if name == "" {
		return nil, nil
	}
	end := slices.IndexFunc(original.Steps, func(s *store.Step) bool { return s.Name == name })
	isInside := func(*store.Step) bool { return false }
	if end >= 0 {
		prefix := original.Steps[end].Key + "/" // What is part of a step is on record before it.
		isInside = func(s *store.Step) bool { return strings.HasPrefix(strings.TrimPrefix(s.Key, sleepKind), prefix) }
	} else {
		last := original.Attempts[len(original.Attempts)-1]
		if failed, err := decodeFailure(last); err != nil || !slices.Contains(failed.Steps, name) {
			return nil, errors.Join(err, fmt.Errorf("it has no step %q on record, nor did it fail in one", name))
		}
		end = len(original.Steps)
	}
	return keptSteps(original, slices.DeleteFunc(slices.Clone(original.Steps[:end]), isInside))
}

// keptSteps are copies of steps for a replay. Of state that the original has committed it
// changes only that of the execution itself, which ended with the original.
func keptSteps(original *store.Record, steps []*store.Step) ([]*store.Step, error) {
	var written journal
	for _, step := range original.Steps {
		if err := written.add(step); err != nil {
			return nil, err
		}
	}
	kept := make([]*store.Step, len(steps))
	for i, step := range steps {
		copied := *step
		copied.Attempt, copied.Commit = 0, nil
		if original.Status == store.StatusSucceeded || written.isSaved(step.Key) {
			changes, err := decodeState(step)
			if err == nil {
				copied.State, err = encodeState(ofExecution(changes))
			}
			if err != nil {
				return nil, err
			}
		}
		kept[i] = &copied
	}
	return kept, nil
}

// replayPage is how many executions are read at once: each may have a large body.
const replayPage = 16

// ReplayAll replays the executions that match the filter and are over, oldest first. It leaves
// out those that are replays, those that were replayed already, unless all of that failed, and
// those that are accepted after its begin. Where too many executions wait, it waits as well.
func (e *Engine) ReplayAll(ctx context.Context, filter store.Filter, options ReplayOptions) iter.Seq2[Replayed, error] {
	return func(yield func(Replayed, error) bool) {
		for original, err := range e.toReplay(ctx, filter) {
			if err != nil {
				yield(Replayed{}, err)
				return
			}
			id, err := e.replayWhenFree(ctx, original, options)
			if !yield(Replayed{original.ID, id}, err) || ctx.Err() != nil {
				return
			}
		}
	}
}

func (e *Engine) replayWhenFree(ctx context.Context, original *store.Record, options ReplayOptions) (id string, err error) {
	for {
		if !e.Enter() {
			return "", ErrStopped
		}
		id, err = e.replay(ctx, original, options)
		e.Leave()
		if !errors.Is(err, ErrQueueFull) || ctx.Err() != nil {
			return id, err
		}
		pause(ctx, claimPause)
	}
}

// toReplay are the executions that ReplayAll replays. It ends with the first error.
func (e *Engine) toReplay(ctx context.Context, filter store.Filter) iter.Seq2[*store.Record, error] {
	return func(yield func(*store.Record, error) bool) {
		newest, err := e.options.Store.Executions(ctx, filter, "", 1)
		if err != nil || len(newest) == 0 {
			if err != nil {
				yield(nil, err)
			}
			return
		}
		filter.OldestFirst = true
		for record, err := range e.matching(ctx, filter) {
			done := false
			if err == nil {
				done, err = e.isDone(ctx, record)
			}
			if !done && !yield(record, err) || err != nil || record.ID == newest[0].ID {
				return
			}
		}
	}
}

// isDone tells whether there is nothing to replay: the execution is not over, is a replay, or has
// been replayed.
func (e *Engine) isDone(ctx context.Context, record *store.Record) (bool, error) {
	if !record.Status.Final() || record.Original != "" {
		return true, nil
	}
	return e.replayed(ctx, record.ID)
}

// replayed tells whether an execution has a replay that did not fail, or a replay of a replay.
func (e *Engine) replayed(ctx context.Context, id string) (bool, error) {
	for replay, err := range e.matching(ctx, store.Filter{Original: id}) {
		if err != nil {
			return false, err
		}
		if replay.Status != store.StatusFailed && replay.Status != store.StatusCanceled {
			return true, nil
		}
		if done, err := e.replayed(ctx, replay.ID); done || err != nil {
			return done, err
		}
	}
	return false, nil
}

// matching are all executions that match a filter, read as they are asked for. It ends with
// the first error.
func (e *Engine) matching(ctx context.Context, filter store.Filter) iter.Seq2[*store.Record, error] {
	return func(yield func(*store.Record, error) bool) {
		for after := ""; ; {
			page, err := e.options.Store.Executions(ctx, filter, after, replayPage)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, record := range page {
				if !yield(record, nil) {
					return
				}
			}
			if len(page) < replayPage {
				return
			}
			after = page[len(page)-1].ID
		}
	}
}
