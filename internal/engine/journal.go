package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/store"
)

// journal knows the steps of an execution that are on record.
type journal struct {
	mu       sync.Mutex
	recorded map[string]*store.Step
}

// readJournal reads what is on record from before this attempt, or from before it was
// interrupted.
func (x *execution) readJournal(ctx context.Context) error {
	steps, err := x.engine.options.Store.Steps(ctx, x.record.ID)
	if err != nil {
		return fmt.Errorf("reading the journal: %w", err)
	}
	for _, step := range steps {
		x.journal.add(step)
	}
	return nil
}

// find returns the step on record, or nil.
func (j *journal) find(key string) *store.Step {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.recorded[key]
}

func (j *journal) add(step *store.Step) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.recorded == nil {
		j.recorded = map[string]*store.Step{}
	}
	j.recorded[step.Key] = step
}

// recordStep journals a step's result. It is journalled even if the context has ended
// meanwhile: what was done is done.
func (x *execution) recordStep(ctx context.Context, step *store.Step) error {
	ctx = context.WithoutCancel(ctx)
	if err := x.ensureAccepted(ctx); err != nil {
		return fmt.Errorf("step %q: %w", step.Name, err)
	}
	err := x.engine.options.Store.RecordStep(ctx, x.claim, step)
	if errors.Is(err, store.ErrLeaseLost) {
		x.tenure.end(sluice.ErrLeaseLost)
	}
	if err != nil {
		return fmt.Errorf("step %q: its result could not be recorded: %w", step.Name, err)
	}
	x.journal.add(step)
	return nil
}
