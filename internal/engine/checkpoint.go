package engine

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/sluice-go/sluice/store"
)

// checkpointKind begins the keys of checkpoints.
const checkpointKind = "checkpoint"

// checkpointRecord is a checkpoint in the journal.
type checkpointRecord struct {
	// Of is the key of the checkpoint, if this is a further record of it; empty is the first.
	Of string `json:"of,omitempty"`
	// Steps are the keys of those whose changes it committed.
	Steps []string `json:"steps,omitempty"`
	// OwnState says that it committed state of the execution itself.
	OwnState bool `json:"ownState,omitempty"`
	// Changes are those that the run had made beside steps; null where no record was kept of them.
	Changes changeLog `json:"changes"`
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
	if err := u.commitState(ctx, key); err != nil {
		return err
	}
	reached = true
	return nil
}

// commitState commits the changes so far with a record of the checkpoint: only those that no
// record of it has committed already.
func (u *unit) commitState(ctx context.Context, key string) error {
	u.state.mu.Lock()
	made := u.state.changes
	u.state.mu.Unlock()
	committed, again := u.x.journal.checkpoint(key)
	left := unsaved(made, u.x.journal.isSaved, committed)
	if !again || len(left) > 0 {
		record := checkpointRecord{Changes: logOf(made)}
		if again {
			record.Of, key = key, u.x.journal.further(key)
		}
		if err := u.recordCheckpoint(ctx, key, &record, left); err != nil {
			return err
		}
	}
	u.state.mu.Lock()
	defer u.state.mu.Unlock()
	u.state.changes = u.state.changes[len(made):]
	return nil
}

func (u *unit) recordCheckpoint(ctx context.Context, key string, record *checkpointRecord, changes []stateChange) error {
	for _, change := range changes {
		if change.step != "" && (len(record.Steps) == 0 || record.Steps[len(record.Steps)-1] != change.step) {
			record.Steps = append(record.Steps, change.step)
		}
		record.OwnState = record.OwnState || change.Scope == u.x.ownScope()
	}
	result, err := json.Marshal(record)
	if err != nil {
		return err
	}
	own, err := encodeState(ofExecution(plain(changes))) // For replays: it ends with the execution.
	if err != nil {
		return err
	}
	now := time.Now().UTC()
	err = u.x.recordStep(ctx, &store.Step{
		Key: key, Name: checkpointKind, Attempt: u.x.attempt, StartedAt: now, EndedAt: now, Result: result, State: own, Commit: plain(changes),
	})
	if refused := stateError(err); refused != nil {
		return refused
	}
	return err
}

// unsaved are the changes that no checkpoint on record has committed: neither those of steps
// that it names, nor those made beside steps that repeat the committed ones.
func unsaved(changes []stateChange, saved func(step string) bool, committed changeLog) []stateChange {
	made, met := logOf(changes), map[string]int{}
	return slices.DeleteFunc(slices.Clone(changes), func(change stateChange) bool {
		if change.step != "" {
			return saved(change.step)
		}
		name := valueName(change.StateChange)
		met[name]++
		return committed.covers(change.Op, name, met[name], made[name])
	})
}

// changeLog holds, for each value, a digest of each of its changes, in their order. Changes of
// one value depend on each other; values do not.
type changeLog map[string][]string

// logOf is the log of the changes made beside steps.
func logOf(changes []stateChange) changeLog {
	log := changeLog{}
	for _, change := range changes {
		if change.step == "" {
			log.add(change.StateChange)
		}
	}
	return log
}

func (l changeLog) add(c store.StateChange) {
	sum := sha256.Sum256(slices.Concat([]byte(c.Op), []byte{0}, c.Value))
	l[valueName(c)] = append(l[valueName(c)], base64.RawStdEncoding.EncodeToString(sum[:16]))
}

// covers tells whether the n-th of the changes made to a value is committed: they begin with
// all that were committed, and it is one of these. The expectation of a CompareAndSet that was
// committed is not asked again, whatever comes after it. Without a log all is committed.
func (l changeLog) covers(op store.StateOp, name string, n int, made []string) bool {
	same := commonPrefix(l[name], made)
	return l == nil || n <= same && same == len(l[name]) || n < same && op == store.StateExpect
}

// holds tells whether the changes made to a value are the first of those that were committed.
func (l changeLog) holds(made changeLog, name string) bool {
	return commonPrefix(l[name], made[name]) == len(made[name])
}

// valueName names a value in the same way for each attempt and replay of an execution.
func valueName(c store.StateChange) string { return string(c.Scope.Kind) + " " + c.Key }

// commonPrefix is how many elements two lists have in common at their beginnings.
func commonPrefix(a, b []string) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}
