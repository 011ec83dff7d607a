package engine

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/sluice-go/sluice/store"
)

// checkpointKind begins the keys of checkpoints.
const checkpointKind = "checkpoint"

// checkpointRecord is a checkpoint in the journal.
type checkpointRecord struct {
	// Steps are the keys of those whose changes it committed.
	Steps []string `json:"steps,omitempty"`
	// OwnState says that it committed state of the execution itself.
	OwnState bool `json:"ownState,omitempty"`
}

// Checkpoint implements host.Run.
func (u *unit) Checkpoint(ctx context.Context) (err error) {
	if err := u.ready(ctx); err != nil {
		return err
	}
	if u.state.outer != nil {
		return errors.New("a checkpoint cannot stand in a step: the step's changes are committed with what follows it")
	}
	l := label{kind: checkpointKind}
	key, err := u.enter(l)
	if err != nil {
		return err
	}
	reached := false
	defer func() { u.leave(l, reached) }()
	record, err := u.x.find(ctx, key)
	if err != nil {
		return err
	}
	if record != nil {
		u.state.dropSaved(u.x.journal.isSaved)
	} else if err := u.commitState(ctx, key); err != nil {
		return err
	}
	reached = true
	return nil
}

// commitState commits the changes so far with a record of the checkpoint.
func (u *unit) commitState(ctx context.Context, key string) error {
	u.state.mu.Lock()
	made := u.state.changes
	u.state.mu.Unlock()
	var record checkpointRecord
	for _, change := range made {
		if change.step != "" && (len(record.Steps) == 0 || record.Steps[len(record.Steps)-1] != change.step) {
			record.Steps = append(record.Steps, change.step)
		}
		record.OwnState = record.OwnState || change.Scope == u.x.ownScope()
	}
	result, err := json.Marshal(&record)
	if err != nil {
		return err
	}
	now := time.Now().UTC()
	err = u.x.recordStep(ctx, &store.Step{
		Key: key, Name: checkpointKind, Attempt: u.x.attempt, StartedAt: now, EndedAt: now, Result: result, Commit: plain(made),
	})
	if refused := stateError(err); refused != nil {
		return refused
	}
	if err != nil {
		return err
	}
	u.state.mu.Lock()
	defer u.state.mu.Unlock()
	u.state.changes = u.state.changes[len(made):]
	return nil
}

// dropSaved drops the changes that a checkpoint on record has committed: those of steps that it
// names, and those made beside steps.
func (b *stateBuffer) dropSaved(saved func(step string) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var kept []stateChange
	for _, change := range b.changes {
		if change.step != "" && !saved(change.step) {
			kept = append(kept, change)
		}
	}
	b.changes = kept
}
