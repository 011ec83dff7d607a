package engine

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/internal/host"
	"github.com/sluice-go/sluice/store"
)

// journal knows the steps of an execution: those on record, and those that this attempt
// has met.
type journal struct {
	// replay says that steps may be on record from before this attempt.
	replay bool

	mu       sync.Mutex
	recorded map[string][]byte // results by key
	loaded   bool
	// seen counts how often a step was met, running tells which are under way.
	seen    map[stepID]int
	running map[stepID]bool
}

// stepID is what the author calls a step.
type stepID struct{ name, key string }

// Step implements host.Run: it returns the recorded result of the step, or runs it and
// records its result.
func (x *execution) Step(ctx context.Context, step host.Step, run func(context.Context) ([]byte, error)) ([]byte, error) {
	if !x.executing {
		return nil, sluice.ErrNotAccepted
	}
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	if err := x.loadJournal(ctx); err != nil {
		return nil, err
	}
	key, result, err := x.journal.enter(step)
	if err != nil || result != nil {
		return result, err
	}
	recorded := false
	defer func() { x.journal.leave(step, recorded) }()
	started := time.Now().UTC()
	result, err = guarded(ctx, run)
	if err != nil {
		return nil, err
	}
	err = x.recordStep(ctx, &store.Step{
		Key: key, Name: step.Name, Attempt: x.attempt, StartedAt: started, EndedAt: time.Now().UTC(), Result: result,
	})
	recorded = err == nil
	return result, err
}

// guarded runs a step and turns its panic into an error.
func guarded(ctx context.Context, run func(context.Context) ([]byte, error)) (result []byte, err error) {
	err = guard(func() (err error) {
		result, err = run(ctx)
		return err
	})
	return result, err
}

// recordStep journals a step's result. It is journalled even if the context has ended
// meanwhile: what was done is done.
func (x *execution) recordStep(ctx context.Context, step *store.Step) error {
	ctx = context.WithoutCancel(ctx)
	if err := x.ensureAccepted(ctx); err != nil {
		return fmt.Errorf("step %q: %w", step.Name, err)
	}
	if err := x.engine.options.Store.RecordStep(ctx, x.claim, step); err != nil {
		return fmt.Errorf("step %q: its result could not be recorded: %w", step.Name, err)
	}
	return nil
}

// loadJournal reads what is on record, once, if anything can be.
func (x *execution) loadJournal(ctx context.Context) error {
	j := &x.journal
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.loaded || !j.replay {
		return nil
	}
	steps, err := x.engine.options.Store.Steps(ctx, x.record.ID)
	if err != nil {
		return fmt.Errorf("reading the journal: %w", err)
	}
	j.recorded = make(map[string][]byte, len(steps))
	for _, step := range steps {
		j.recorded[step.Key] = step.Result
	}
	j.loaded = true
	return nil
}

// enter finds the step's key and its recorded result, if there is one; otherwise the step
// counts as running until leave.
func (j *journal) enter(step host.Step) (key string, result []byte, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	id := stepID{step.Name, step.Key}
	if j.running[id] {
		return "", nil, fmt.Errorf("step %q: %w", step.Name, sluice.ErrAmbiguousStep)
	}
	if step.Key != "" && j.seen[id] > 0 {
		return "", nil, fmt.Errorf("step %q: its key %q occurs twice: %w", step.Name, step.Key, sluice.ErrAmbiguousStep)
	}
	if j.seen == nil {
		j.seen, j.running = map[stepID]int{}, map[stepID]bool{}
	}
	j.seen[id]++
	key = stepKey(step, j.seen[id])
	if result, ok := j.recorded[key]; ok {
		return key, result, nil
	}
	j.running[id] = true
	return key, nil, nil
}

// leave ends the running of a step. One that left no record did not occur: tried again in
// this attempt or a later one, it has the same key.
func (j *journal) leave(step host.Step, recorded bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	id := stepID{step.Name, step.Key}
	delete(j.running, id)
	if !recorded {
		j.seen[id]--
	}
}

// stepKey is a step's key in the journal: its name and key, or its name and how often the
// name has occurred.
func stepKey(step host.Step, occurrence int) string {
	if step.Key != "" {
		return strconv.Quote(step.Name) + " " + strconv.Quote(step.Key)
	}
	return strconv.Quote(step.Name) + " " + strconv.Itoa(occurrence)
}
