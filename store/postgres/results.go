package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sluice-go/sluice/store"
)

// PutResult implements [store.Results]. With each result that is written, up to two expired
// ones are removed, so that they never pile up.
func (s *Store) PutResult(ctx context.Context, result *store.Result) error {
	id, err := encodeID(result.Execution)
	if err != nil {
		return err
	}
	err = s.within(ctx, func(ctx context.Context) error {
		return s.transact(ctx, func(ctx context.Context, tx *transaction) error {
			b := &pgx.Batch{}
			b.Queue("INSERT INTO results (key, execution, expires_at, head, body) VALUES ($1, $2, $3, $4, $5)",
				result.Key, id, encodeTime(result.ExpiresAt), result.Head, result.Body)
			b.Queue(`DELETE FROM results WHERE key IN
				(SELECT key FROM results WHERE expires_at <= $1 ORDER BY expires_at LIMIT 2 FOR UPDATE SKIP LOCKED)`, encodeTime(time.Now()))
			return tx.SendBatch(ctx, b)
		})
	})
	if violated(err) {
		err = fmt.Errorf("a result with its key exists: %w", store.ErrConflict)
	}
	if err != nil {
		return fmt.Errorf("store: put the result of execution %s: %w", result.Execution, err)
	}
	return nil
}

// Result implements [store.Results].
func (s *Store) Result(ctx context.Context, key []byte) (*store.Result, error) {
	found := &store.Result{Key: key}
	err := s.within(ctx, func(ctx context.Context) error {
		var execution [16]byte
		var expiresAt int64
		err := s.readers.QueryRow(ctx, "SELECT execution, expires_at, head, body FROM results WHERE key = $1 AND expires_at > $2",
			key, encodeTime(time.Now())).Scan(&execution, &expiresAt, &found.Head, &found.Body)
		if errors.Is(err, pgx.ErrNoRows) {
			return store.ErrNotFound
		}
		found.Execution, found.ExpiresAt = decodeID(execution), decodeTime(expiresAt)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: find a result: %w", err)
	}
	return found, nil
}
