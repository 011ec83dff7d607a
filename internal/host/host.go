// Package host is what user code's calls on a run ask of the engine. The root package
// calls it, the engine implements it; both speak in bytes, so that neither knows the
// other's types.
package host

import (
	"context"
	"time"
)

// Run is the engine's side of one run of a flow, or of a step in it.
type Run interface {
	// ConfigVar returns the value of a config variable, validated at deployment. ok is
	// false when the instance gives none.
	ConfigVar(key string) (value any, ok bool)
	// Step runs fn once per execution and key and returns its recorded result: nil if its
	// error was ignored.
	Step(ctx context.Context, step Step, fn func(ctx context.Context) ([]byte, error)) ([]byte, error)
	// Loop runs fn, whose steps are known within the loop.
	Loop(ctx context.Context, loop Step, fn func(ctx context.Context) error) error
	// Sleep waits once per execution and name.
	Sleep(ctx context.Context, name string, d time.Duration) error
	// Invoke starts a flow of the same instance once per execution and key, and waits for it
	// if it is asked to. What it returns is empty if its error was ignored.
	Invoke(ctx context.Context, call Invocation) (*Invoked, error)

	// Action returns the function of a component's action, and its inputs: the given ones, and
	// the defaults of the others.
	Action(component, action string, given map[string]any) (perform any, inputs map[string]any, err error)

	// State returns the value of a key as JSON, with the run's own changes; nil if it has
	// none.
	State(ctx context.Context, scope Scope, key string) ([]byte, error)
	// StateKeys returns the keys that have values, sorted, with the run's own changes.
	StateKeys(ctx context.Context, scope Scope) ([]string, error)
	// ChangeState makes changes, to be committed with the run.
	ChangeState(ctx context.Context, scope Scope, changes ...StateChange) error
	// Checkpoint commits the changes made so far.
	Checkpoint(ctx context.Context) error
}

// Scope is what state belongs to.
type Scope string

// The scopes of state.
const (
	ScopeFlow        Scope = "flow"
	ScopeInstance    Scope = "instance"
	ScopeIntegration Scope = "integration"
	ScopeExecution   Scope = "execution"
)

// StateOp is what a change of state does.
type StateOp string

// What changes do to the value of a key.
const (
	StateSet       StateOp = "set"
	StateDelete    StateOp = "delete"
	StateIncrement StateOp = "increment"
	StateAppend    StateOp = "append"
	StateRemove    StateOp = "remove"
	StateExpect    StateOp = "expect"
)

// StateChange is one change of a value.
type StateChange struct {
	Op  StateOp
	Key string
	// Value as JSON.
	Value []byte
}

// Step is a durable unit that user code asks for.
type Step struct {
	// Name is the author's, shown in records.
	Name string
	// Key tells steps of one name apart; empty means by occurrence.
	Key string
	// Timeout of each try; 0 is none.
	Timeout time.Duration
	// Errors says what happens when the step fails; nil leaves it to the flow.
	Errors ErrorConfig
}

// ErrorConfig says what happens when user code fails.
type ErrorConfig interface {
	// Retry tells whether code that has failed n times, at last with err, is tried again, and
	// after what delay.
	Retry(n int, err error) (delay time.Duration, again bool)
	// Ignores tells whether an error that is not retried is ignored.
	Ignores(err error) bool
}

type contextKey struct{}

// NewContext returns a context that carries the run.
func NewContext(ctx context.Context, run Run) context.Context {
	return context.WithValue(ctx, contextKey{}, run)
}

// FromContext returns the run that ctx carries, if any.
func FromContext(ctx context.Context) (Run, bool) {
	run, ok := ctx.Value(contextKey{}).(Run)
	return run, ok
}
