package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/sluice-go/sluice/store"
)

// A unique key has a row while an execution with it is not over. The row names the newest
// one. At most that one waits for another attempt: what is older is canceled when it fails,
// or when the newest comes. So whoever comes looks at one execution, however many there are.

// uniqueHash is the key of an execution's row in unique_keys; nil for an empty unique key.
func uniqueHash(instance, flow, uniqueKey string) []byte {
	if uniqueKey == "" {
		return nil
	}
	return dedupeKey(instance, flow, uniqueKey)
}

// enterUnique makes a new execution the newest with its key, and cancels the one before if
// that waits for another attempt.
func (s *Store) enterUnique(seq int64, e *store.Execution, over bool) (*idle, error) {
	key := uniqueHash(e.Instance, e.Flow, e.UniqueKey)
	if key == nil {
		return nil, nil
	}
	ctx := context.Background()
	var newest int64
	err := s.statements.newest.QueryRowContext(ctx, key).Scan(&newest)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	var superseded *idle
	if err == nil {
		if superseded, err = s.endRetry(newest, e.ID); err != nil {
			return superseded, err
		}
	}
	if over {
		_, err = s.statements.passUnique.ExecContext(ctx, seq, key)
	} else {
		_, err = s.statements.enterUnique.ExecContext(ctx, key, seq)
	}
	return superseded, err
}

// endRetry cancels an execution that failed and does not run.
func (s *Store) endRetry(seq int64, by string) (*idle, error) {
	left, err := s.unfinished(seq)
	if err != nil || left == nil || left.attempts == 0 {
		return nil, err
	}
	idle, _ := s.withdraw(left)
	if idle == nil {
		return nil, nil
	}
	return idle, idle.end(superseded(by))
}

func superseded(by string) string { return "superseded by execution " + by }

// leaveUnique lets an execution go that is over.
func (s *Store) leaveUnique(key []byte) error {
	if key == nil {
		return nil
	}
	if _, err := s.statements.leaveUnique.ExecContext(context.Background(), key); err != nil {
		return err
	}
	_, err := s.statements.dropUnique.ExecContext(context.Background(), key)
	return err
}

// superseder returns the id of the newest execution with the key if it is newer than seq.
func (s *Store) superseder(seq int64, key []byte) (string, error) {
	if key == nil {
		return "", nil
	}
	var id []byte
	err := s.statements.superseder.QueryRowContext(context.Background(), key, seq).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return decodeID(id)
}
