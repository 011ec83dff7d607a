package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/internal/host"
	"github.com/sluice-go/sluice/store"
)

// stateBuffer holds the state changes of a unit until what it is part of is committed.
type stateBuffer struct {
	// outer is the buffer of the unit around; nil for that of the run.
	outer *stateBuffer

	mu      sync.Mutex
	changes []stateChange
}

// stateChange is a change, and the key of the step in whose record it stands; empty is none.
type stateChange struct {
	step string
	store.StateChange
}

func (b *stateBuffer) add(step string, changes []store.StateChange) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, change := range changes {
		b.changes = append(b.changes, stateChange{step, change})
	}
}

// with returns the log of the changes, and of further ones.
func (b *stateBuffer) with(further []store.StateChange) changeLog {
	b.mu.Lock()
	defer b.mu.Unlock()
	log := logOf(b.changes)
	for _, change := range further {
		log.add(change)
	}
	return log
}

// all returns the changes in their order.
func (b *stateBuffer) all() []store.StateChange {
	b.mu.Lock()
	defer b.mu.Unlock()
	return plain(b.changes)
}

func plain(changes []stateChange) []store.StateChange {
	var all []store.StateChange
	for _, change := range changes {
		all = append(all, change.StateChange)
	}
	return all
}

// of returns the changes of a scope, from the outermost buffer on.
func (b *stateBuffer) of(scope store.Scope) []store.StateChange {
	if b == nil {
		return nil
	}
	return append(b.outer.of(scope), changesOf(b.all(), scope)...)
}

func changesOf(changes []store.StateChange, scope store.Scope) []store.StateChange {
	return slices.DeleteFunc(slices.Clone(changes), func(c store.StateChange) bool { return c.Scope != scope })
}

// State implements host.Run.
func (u *unit) State(ctx context.Context, kind host.Scope, key string) ([]byte, error) {
	scope, err := u.x.scope(kind)
	if err != nil {
		return nil, err
	}
	changes := slices.DeleteFunc(u.ownChanges(scope), func(c store.StateChange) bool { return c.Key != key })
	value, err := u.x.engine.value(ctx, scope, key, changes)
	if err != nil {
		return nil, fmt.Errorf("state %q: %w", key, err)
	}
	return value, nil
}

// value returns what changes make of the value that is committed.
func (e *Engine) value(ctx context.Context, scope store.Scope, key string, changes []store.StateChange) (value []byte, err error) {
	if !slices.ContainsFunc(changes, overwrites) {
		value, err = e.options.Store.State(ctx, scope, key)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
	}
	for _, change := range changes {
		if change.Op == store.StateExpect {
			continue
		}
		if value, err = change.Apply(value); err != nil {
			return nil, err
		}
	}
	return value, nil
}

// overwrites tells whether a change makes no difference between values that it meets.
func overwrites(c store.StateChange) bool {
	return c.Op == store.StateSet || c.Op == store.StateDelete
}

// StateKeys implements host.Run.
func (u *unit) StateKeys(ctx context.Context, kind host.Scope) ([]string, error) {
	scope, err := u.x.scope(kind)
	if err != nil {
		return nil, err
	}
	committed, err := u.x.engine.options.Store.StateKeys(ctx, scope)
	if err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	keys := map[string]bool{}
	for _, key := range committed {
		keys[key] = true
	}
	for _, change := range u.ownChanges(scope) {
		switch change.Op {
		case store.StateDelete:
			delete(keys, change.Key)
		case store.StateSet, store.StateIncrement, store.StateAppend:
			keys[change.Key] = true
		default: // The others make no value.
		}
	}
	return slices.Sorted(maps.Keys(keys)), nil
}

// ChangeState implements host.Run.
func (u *unit) ChangeState(ctx context.Context, kind host.Scope, changes ...host.StateChange) error {
	scope, err := u.x.scope(kind)
	if err != nil {
		return err
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	made := make([]store.StateChange, len(changes))
	for i, c := range changes {
		made[i] = store.StateChange{Scope: scope, Key: c.Key, Op: store.StateOp(c.Op), Value: c.Value}
		if err := made[i].Check(); err != nil {
			return err
		}
	}
	if expected := made[0]; expected.Op == store.StateExpect && !u.repeats(made) {
		if err := u.expect(ctx, kind, expected); err != nil {
			return fmt.Errorf("state %q: %w", expected.Key, err)
		}
	}
	u.state.add("", made)
	return nil
}

// expect tells at once what could not be committed.
func (u *unit) expect(ctx context.Context, kind host.Scope, change store.StateChange) error {
	if u.state.outer != nil {
		return errors.New("CompareAndSet cannot stand in a step: every retry would repeat what the step expected")
	}
	value, err := u.State(ctx, kind, change.Key)
	if err != nil {
		return err
	}
	if _, err := change.Apply(value); err != nil {
		return stateError(err)
	}
	return nil
}

// repeats tells whether the checkpoint that comes next has committed changes of a value
// already, as an earlier attempt made them: then the value is what they made of it.
func (u *unit) repeats(changes []store.StateChange) bool {
	committed, _ := u.x.journal.checkpoint(u.next(label{kind: checkpointKind}))
	return u.state.outer == nil && committed.holds(u.state.with(changes), valueName(changes[0]))
}

// ownChanges are the changes of a scope that the unit sees over what is committed.
func (u *unit) ownChanges(scope store.Scope) []store.StateChange {
	return append(changesOf(u.x.unaccepted(), scope), u.state.of(scope)...)
}

// unaccepted are the changes to commit with the acceptance, as long as there is none.
func (x *execution) unaccepted() []store.StateChange {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.claim != nil {
		return nil
	}
	return x.changes
}

// keepState has the changes of what has run be committed with the acceptance: of a trigger,
// a preprocess flow or a hook that succeeded.
func (x *execution) keepState() {
	x.changes = append(x.changes, x.state.all()...)
	x.state = &stateBuffer{}
	x.marks.State = x.marks.State || len(changesOf(x.changes, x.ownScope())) > 0
}

// finalState are the changes to commit with an outcome. The state of the execution itself ends
// with a final one, that of its instance with the instance.
func (x *execution) finalState(status store.Status) []store.StateChange {
	if !status.Final() {
		return nil
	}
	var changes []store.StateChange
	if status == store.StatusSucceeded {
		changes = slices.DeleteFunc(x.state.all(), func(c store.StateChange) bool { return c.Scope == x.ownScope() })
	}
	if len(changes) > 0 && x.isOrphan() {
		changes = slices.DeleteFunc(changes, func(c store.StateChange) bool { return c.Scope.ID == x.record.Instance })
	}
	if x.marks.State || x.journal.keepsState() {
		changes = append(changes, store.StateChange{Scope: x.ownScope(), Op: store.StateClear})
	}
	return changes
}

// isOrphan tells whether the instance was deleted while the execution ran.
func (x *execution) isOrphan() bool {
	_, err := x.engine.load(x.engine.writing, byID(x.record.Instance), x.engine.options.Store.Instance)
	return errors.Is(err, store.ErrNotFound)
}

// lastingChanges are the changes before the acceptance that outlive the execution.
func (x *execution) lastingChanges() []store.StateChange {
	return slices.DeleteFunc(slices.Clone(x.changes), func(c store.StateChange) bool { return c.Scope == x.ownScope() })
}

func (x *execution) ownScope() store.Scope {
	return store.Scope{Kind: store.ScopeExecution, ID: x.record.ID}
}

// scope is where state of a kind stands. Without an instance the run ends.
func (x *execution) scope(kind host.Scope) (store.Scope, error) {
	switch kind {
	case host.ScopeExecution:
		return x.ownScope(), nil
	case host.ScopeIntegration:
		return store.Scope{Kind: store.ScopeIntegration, ID: x.record.Integration}, nil
	case host.ScopeFlow, host.ScopeInstance:
	}
	if x.target.Instance == nil {
		err := &InstanceError{What: fmt.Sprintf("%s state", kind)}
		x.cancel(err)
		return store.Scope{}, err
	}
	scope := store.Scope{Kind: store.ScopeKind(kind), ID: x.record.Instance}
	if kind == host.ScopeFlow {
		scope.Flow = x.record.Flow
	}
	return scope, nil
}

// encodeState is the form of changes in a step's record; nil if there are none.
func encodeState(changes []store.StateChange) ([]byte, error) {
	if len(changes) == 0 {
		return nil, nil
	}
	return json.Marshal(changes)
}

// decodeState are the changes in a step's record.
func decodeState(step *store.Step) (changes []store.StateChange, err error) {
	if step.State == nil {
		return nil, nil
	}
	if err := json.Unmarshal(step.State, &changes); err != nil {
		return nil, sluice.Permanent(fmt.Errorf("step %q: its recorded state changes: %w", step.Name, err))
	}
	return changes, nil
}

// ofExecution are the changes of state of the execution itself.
func ofExecution(changes []store.StateChange) []store.StateChange {
	return slices.DeleteFunc(slices.Clone(changes), func(c store.StateChange) bool { return c.Scope.Kind != store.ScopeExecution })
}

// recordedChanges are the changes in a step's record, as those of this execution: a replay has
// another scope of its own than the execution that it replays.
func (x *execution) recordedChanges(step *store.Step) ([]store.StateChange, error) {
	changes, err := decodeState(step)
	for i := range changes {
		if changes[i].Scope.Kind == store.ScopeExecution {
			changes[i].Scope = x.ownScope()
		}
	}
	return changes, err
}

// adopt takes over the state changes in a step's record, unless a checkpoint has committed
// them.
func (u *unit) adopt(step *store.Step) error {
	if u.x.journal.isSaved(step.Key) {
		return nil
	}
	changes, err := u.x.recordedChanges(step)
	if err != nil {
		return err
	}
	u.state.add(step.Key, changes)
	return nil
}

// stateError is the error for user code and records, if the store refused a change of state;
// else nil.
func stateError(err error) error {
	switch {
	case errors.Is(err, store.ErrStateTooLarge), errors.Is(err, sluice.ErrStateTooLarge):
		return sluice.ErrStateTooLarge
	case errors.Is(err, sluice.ErrStateConflict):
		return err
	case errors.Is(err, store.ErrStateConflict):
		return fmt.Errorf("%w: %w", sluice.ErrStateConflict, err)
	case errors.Is(err, store.ErrStateType):
		return err
	default:
		return nil
	}
}
