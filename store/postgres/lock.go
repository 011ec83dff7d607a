package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"github.com/sluice-go/sluice/store"
)

// Advisory locks of the transaction stand for what has no row of its own. Two names with the
// same key merely wait for each other.

const lockAll = "SELECT pg_advisory_xact_lock(key) FROM unnest($1::bigint[]) AS key"

// sortLocks puts keys in the order in which every transaction takes them.
func sortLocks(keys []int64) []int64 {
	slices.Sort(keys)
	return slices.Compact(keys)
}

func lock(ctx context.Context, tx *transaction, keys []int64) error {
	if len(keys) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, lockAll, sortLocks(keys))
	return err
}

// hash is a hash of the parts and their lengths.
func hash(parts ...string) []byte {
	hash := sha256.New()
	for _, part := range parts {
		_ = binary.Write(hash, binary.BigEndian, uint64(len(part)))
		_, _ = hash.Write([]byte(part))
	}
	return hash.Sum(nil)[:16]
}

func lockKey(parts ...string) int64 { return int64(binary.BigEndian.Uint64(hash(parts...))) } //nolint:gosec // Any 64 bits.

// laneLock is the key of a lane's lock; its names are as the table work has them.
func laneLock(instance, lane string) int64 { return lockKey("lane", instance, lane) }

func uniqueLock(e *store.Execution) int64 {
	return lockKey("unique", e.Instance, e.Flow, e.UniqueKey)
}

func scopeLock(scope store.Scope) int64 {
	return lockKey("state", string(scope.Kind), scope.ID, scope.Flow)
}

// laneName is what work.lane has for an execution.
func laneName(e *store.Execution) string {
	if e.Lane.Limit == 0 {
		return ""
	}
	return "=" + encodeText(e.Lane.Key)
}

// executionLocks are those that a write of an execution needs: of its lane, if that has a
// limit, and of what it is about.
func executionLocks(e *store.Execution) []int64 {
	var keys []int64
	if e.Lane.Limit > 0 {
		keys = append(keys, laneLock(encodeText(e.Instance), laneName(e)))
	}
	if e.UniqueKey != "" {
		keys = append(keys, uniqueLock(e))
	}
	return keys
}

func stateLocks(changes []store.StateChange) []int64 {
	var keys []int64
	for _, change := range changes {
		keys = append(keys, scopeLock(change.Scope))
	}
	return keys
}
