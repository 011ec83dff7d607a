// Package host is what user code's calls on a run ask of the engine. The root package
// calls it, the engine implements it; both speak in bytes, so that neither knows the
// other's types.
package host

import "context"

// Run is the engine's side of one run of a flow.
type Run interface {
	// ConfigVar returns the value of a config variable, validated at deployment. ok is
	// false when the instance gives none.
	ConfigVar(key string) (value any, ok bool)
	// Step runs fn once per execution and key and returns its recorded result.
	Step(ctx context.Context, step Step, fn func(ctx context.Context) ([]byte, error)) ([]byte, error)
}

// Step is a durable unit that user code asks for.
type Step struct {
	// Name is the author's, shown in records.
	Name string
	// Key tells steps of one name apart; empty means by occurrence.
	Key string
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
