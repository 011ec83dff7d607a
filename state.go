package sluice

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/sluice-go/sluice/internal/encode"
	"github.com/sluice-go/sluice/internal/host"
)

// State is a set of values that outlive a run. Get it from a [Run], read it with [GetState].
//
// Changes are kept with the run until it succeeds, and committed in the same transaction as
// its outcome; a run that fails, or that will be retried, saves nothing but what
// [Run.Checkpoint] did. Reads see the run's own changes over what is committed. Changes made
// in a [Step] are journalled with its result: a later attempt makes them again without
// running the step; those of a step that failed are dropped. What a trigger changes is
// committed with the execution that it starts, or dropped with it.
//
// Executions that run at the same time overwrite each other's values of the same key, and of
// no other; Increment, Append and Remove are applied to what is there when they are
// committed. The calls take the context that the run's code received, and may be made by
// several goroutines. Values are what encoding/json takes; a scope holds up to 64 MiB of keys
// and values.
type State struct {
	scope host.Scope
}

// InstanceState belongs to this flow of this instance.
func (r *Run) InstanceState() *State { return &State{host.ScopeFlow} }

// CrossFlowState belongs to the instance: its flows share it.
func (r *Run) CrossFlowState() *State { return &State{host.ScopeInstance} }

// IntegrationState belongs to the integration: all its instances share it, in all versions.
func (r *Run) IntegrationState() *State { return &State{host.ScopeIntegration} }

// ExecutionState belongs to this execution and ends with it. A later attempt sees what the
// trigger wrote, and what an earlier attempt did before a [Run.Checkpoint].
func (r *Run) ExecutionState() *State { return &State{host.ScopeExecution} }

// Checkpoint commits the changes of state that the run has made so far, whether it succeeds
// or not. It is a durable unit: a later attempt that comes to it again commits what it has
// changed otherwise up to there, and drops changes that repeat the committed ones; so an
// Increment in both counts once, and a CompareAndSet in both is not compared again. What must
// count once, whatever else changes, belongs into a Step. A checkpoint cannot stand in a
// [Step]. Its error may be [ErrStateConflict] or [ErrStateTooLarge]: then nothing is committed.
func (r *Run) Checkpoint(ctx context.Context) error {
	run, err := hostOf(ctx, "call of", "Checkpoint")
	if err != nil {
		return err
	}
	return run.Checkpoint(ctx)
}

// GetState reads the value of a key. ok is false if there is none.
func GetState[T any](ctx context.Context, state *State, key string) (value T, ok bool, err error) {
	run, err := state.run(ctx, key)
	if err != nil {
		return value, false, err
	}
	data, err := run.State(ctx, state.scope, key)
	if err != nil || data == nil {
		return value, false, err
	}
	if err := decodeJSON(data, &value); err != nil {
		return value, false, fmt.Errorf("sluice: state %q: its value does not fit %T: %w", key, value, err)
	}
	return value, true, nil
}

// Keys returns the keys that have values, sorted.
func (s *State) Keys(ctx context.Context) ([]string, error) {
	run, err := hostOf(ctx, "state", string(s.scope))
	if err != nil {
		return nil, err
	}
	return run.StateKeys(ctx, s.scope)
}

// Set gives the key a value.
func (s *State) Set(ctx context.Context, key string, value any) error {
	return s.change(ctx, host.StateSet, key, value)
}

// Delete removes the key and its value.
func (s *State) Delete(ctx context.Context, key string) error {
	return s.apply(ctx, host.StateChange{Op: host.StateDelete, Key: key})
}

// Merge gives each key its value and leaves other keys alone.
func (s *State) Merge(ctx context.Context, values map[string]any) error {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if err := s.Set(ctx, key, values[key]); err != nil {
			return err
		}
	}
	return nil
}

// Increment adds to the number that the key has when the change is committed; a missing one
// is 0. The run fails if the value is no number.
func (s *State) Increment(ctx context.Context, key string, by int64) error {
	return s.change(ctx, host.StateIncrement, key, by)
}

// Append adds elements to the list that the key has when the change is committed; a missing
// one is empty. The run fails if the value is no list.
func (s *State) Append(ctx context.Context, key string, elements ...any) error {
	return s.change(ctx, host.StateAppend, key, elementsOf(elements))
}

// Remove removes every element that is equal to one of those given, as JSON, from the list
// that the key has when the change is committed. The run fails if the value is no list.
func (s *State) Remove(ctx context.Context, key string, elements ...any) error {
	return s.change(ctx, host.StateRemove, key, elementsOf(elements))
}

// CompareAndSet gives the key a value if it has the value old now, and still has it when the
// change is committed. An old of nil, or of anything that is null in JSON, is a key without a
// value or with null, as [GetState] reads both alike. Otherwise the error is
// [ErrStateConflict]: that of CompareAndSet, or that of the whole attempt. It cannot stand in
// a [Step], whose journalled expectation would be repeated by every retry.
func (s *State) CompareAndSet(ctx context.Context, key string, old, value any) error {
	expect := host.StateChange{Op: host.StateExpect, Key: key}
	if old != nil {
		data, err := encode.JSON(old)
		if err != nil {
			return fmt.Errorf("sluice: state %q: the old value: %w", key, err)
		}
		expect.Value = data
	}
	data, err := encode.JSON(value)
	if err != nil {
		return fmt.Errorf("sluice: state %q: the value: %w", key, err)
	}
	return s.apply(ctx, expect, host.StateChange{Op: host.StateSet, Key: key, Value: data})
}

func (s *State) change(ctx context.Context, op host.StateOp, key string, value any) error {
	data, err := encode.JSON(value)
	if err != nil {
		return fmt.Errorf("sluice: state %q: the value: %w", key, err)
	}
	return s.apply(ctx, host.StateChange{Op: op, Key: key, Value: data})
}

func (s *State) apply(ctx context.Context, changes ...host.StateChange) error {
	run, err := s.run(ctx, changes[0].Key)
	if err != nil {
		return err
	}
	return run.ChangeState(ctx, s.scope, changes...)
}

func (s *State) run(ctx context.Context, key string) (host.Run, error) {
	if s == nil || s.scope == "" {
		return nil, errors.New("sluice: a State comes from a Run, such as run.InstanceState()")
	}
	if key == "" {
		return nil, errors.New("sluice: a value of state needs a key")
	}
	return hostOf(ctx, "state", key)
}

// elementsOf is a list that is never null.
func elementsOf(elements []any) []any { return append([]any{}, elements...) }
