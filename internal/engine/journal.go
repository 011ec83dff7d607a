package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/store"
)

// journal knows the steps of an execution that are on record.
type journal struct {
	mu       sync.Mutex
	recorded map[string]*store.Step // by key, as read back
	// written are the keys of those that this attempt has recorded. Their results are not
	// kept in memory.
	written map[string]bool
	// slept are the keys of the sleeps that interrupted this attempt, until it goes on.
	slept []string
	// saved are the keys of steps whose state changes a checkpoint has committed; ownState
	// says that one has committed state of the execution itself.
	saved    map[string]bool
	ownState bool
	// checkpoints are the changes beside steps that each has committed, by key.
	checkpoints map[string]changeLog
}

// readJournal reads what is on record from before this attempt, or from before it was
// interrupted.
func (x *execution) readJournal(ctx context.Context) error {
	steps, err := x.engine.options.Store.Steps(ctx, x.record.ID)
	if err != nil {
		return fmt.Errorf("reading the journal: %w", &readError{err})
	}
	for _, step := range steps {
		if err := x.journal.add(step); err != nil {
			return err
		}
	}
	return nil
}

// find returns the step on record, or nil. One that this attempt has recorded is read back:
// only a retry within the attempt comes to it again.
func (x *execution) find(ctx context.Context, key string) (*store.Step, error) {
	step, written := x.journal.find(key)
	if step != nil || !written {
		return step, nil
	}
	if err := x.readJournal(ctx); err != nil {
		return nil, err
	}
	step, _ = x.journal.find(key)
	return step, nil
}

func (j *journal) find(key string) (step *store.Step, written bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.recorded[key], j.written[key]
}

// write takes over a step that was recorded just now.
func (j *journal) write(step *store.Step) error {
	if strings.HasPrefix(step.Key, checkpointKind) {
		return j.add(step)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.written == nil {
		j.written = map[string]bool{}
	}
	j.written[step.Key] = true
	return nil
}

// add takes over a step on record.
func (j *journal) add(step *store.Step) error {
	var checkpoint checkpointRecord
	if strings.HasPrefix(step.Key, checkpointKind) {
		if err := json.Unmarshal(step.Result, &checkpoint); err != nil {
			return fmt.Errorf("the record of %s: %w", step.Key, err)
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.recorded == nil {
		j.recorded, j.saved, j.checkpoints = map[string]*store.Step{}, map[string]bool{}, map[string]changeLog{}
	}
	if j.recorded[step.Key] == nil && strings.HasPrefix(step.Key, checkpointKind) {
		j.addChanges(cmp.Or(checkpoint.Of, step.Key), checkpoint.Changes)
	}
	j.recorded[step.Key] = step
	j.ownState = j.ownState || checkpoint.OwnState
	for _, key := range checkpoint.Steps {
		j.saved[key] = true
	}
	return nil
}

// addChanges takes over what a record of a checkpoint has committed. Of a value that several
// have changed the last one counts.
func (j *journal) addChanges(key string, changes changeLog) {
	if j.checkpoints[key] == nil {
		j.checkpoints[key] = changes
		return
	}
	maps.Copy(j.checkpoints[key], changes)
}

// checkpoint returns the changes beside steps that a checkpoint has committed: nil where no
// record was kept of them. ok is false if it is not on record.
func (j *journal) checkpoint(key string) (committed changeLog, ok bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if committed, ok = j.checkpoints[key]; !ok {
		return changeLog{}, false
	}
	return maps.Clone(committed), true
}

// further is the key of the next record of a checkpoint that is on record.
func (j *journal) further(key string) string {
	j.mu.Lock()
	defer j.mu.Unlock()
	for n := 2; ; n++ {
		if next := key + "/" + strconv.Itoa(n); j.recorded[next] == nil {
			return next
		}
	}
}

// isSaved tells whether a checkpoint has committed the state changes of a step.
func (j *journal) isSaved(key string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.saved[key]
}

// keepsState tells whether a checkpoint has committed state of the execution itself.
func (j *journal) keepsState() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.ownState
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
	return x.journal.write(step)
}
