package sluicetest

import (
	"context"
	goruntime "runtime"
	"time"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/internal/host"
)

// integration is a copy of one, with faults in the steps of its flows.
func (l *life) integration(original *sluice.Integration) *sluice.Integration {
	if original == nil {
		return nil // The runtime says so.
	}
	faulty := *original
	faulty.Flows = make([]sluice.Flow, len(original.Flows))
	for i, flow := range original.Flows {
		if execute := flow.OnExecution; execute != nil {
			flow.OnExecution = func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
				result, err := execute(l.within(ctx), run)
				l.exit()
				return result, err
			}
		}
		faulty.Flows[i] = flow
	}
	return &faulty
}

// within is the context of a run in whose steps faults strike.
func (l *life) within(ctx context.Context) context.Context {
	run, ok := host.FromContext(ctx)
	if !ok {
		return ctx
	}
	return host.NewContext(ctx, &faultyRun{run, l})
}

// exit ends the goroutine, which runs user code, after the crash: in a process that died it
// would not go on.
func (l *life) exit() {
	if l.isOver() {
		goruntime.Goexit()
	}
}

// faultyRun stands between the code of a flow and the runtime.
type faultyRun struct {
	host.Run
	life *life
}

// Step implements host.Run.
func (r *faultyRun) Step(ctx context.Context, step host.Step, fn func(context.Context) ([]byte, error)) ([]byte, error) {
	defer r.life.exit()
	return r.Run.Step(ctx, step, func(ctx context.Context) (result []byte, err error) {
		defer r.life.exit()
		err = r.life.pass(ctx, stepCall, step.Name, func() (err error) {
			result, err = fn(r.life.within(ctx))
			return err
		})
		return result, err
	})
}

// Loop implements host.Run.
func (r *faultyRun) Loop(ctx context.Context, loop host.Step, fn func(context.Context) error) error {
	defer r.life.exit()
	return r.Run.Loop(ctx, loop, func(ctx context.Context) error { return fn(r.life.within(ctx)) })
}

// Invoke implements host.Run.
func (r *faultyRun) Invoke(ctx context.Context, call host.Invocation) (*host.Invoked, error) {
	defer r.life.exit()
	return r.Run.Invoke(ctx, call)
}

// State implements host.Run.
func (r *faultyRun) State(ctx context.Context, scope host.Scope, key string) ([]byte, error) {
	defer r.life.exit()
	return r.Run.State(ctx, scope, key)
}

// StateKeys implements host.Run.
func (r *faultyRun) StateKeys(ctx context.Context, scope host.Scope) ([]string, error) {
	defer r.life.exit()
	return r.Run.StateKeys(ctx, scope)
}

// Checkpoint implements host.Run.
func (r *faultyRun) Checkpoint(ctx context.Context) error {
	defer r.life.exit()
	return r.Run.Checkpoint(ctx)
}

// Sleep implements host.Run.
func (r *faultyRun) Sleep(ctx context.Context, name string, d time.Duration) error {
	defer r.life.exit()
	return r.Run.Sleep(ctx, name, d)
}
