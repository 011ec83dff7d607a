package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/sluice-go/sluice/store"
)

// PutResult implements [store.Results]. With each result that is written, up to two expired
// ones are removed, so that they never pile up.
func (s *Store) PutResult(ctx context.Context, result *store.Result) error {
	id, err := encodeID(result.Execution)
	if err != nil {
		return err
	}
	err = s.submit(ctx, &putResult{result, id})
	if violated(err) {
		err = fmt.Errorf("a result with its key exists: %w", store.ErrConflict)
	}
	if err != nil {
		return fmt.Errorf("store: put the result of execution %s: %w", result.Execution, err)
	}
	return nil
}

type putResult struct {
	*store.Result
	execution []byte
}

func (w *putResult) apply(s *Store) error {
	ctx := context.Background()
	if _, err := s.conn.ExecContext(ctx, "INSERT INTO results (key, execution, expires_at, head, body) VALUES (?, ?, ?, ?, ?)",
		w.Key, w.execution, encodeTime(w.ExpiresAt), w.Head, w.Body); err != nil {
		return err
	}
	_, err := s.conn.ExecContext(ctx, `DELETE FROM results WHERE id IN
		(SELECT id FROM results WHERE expires_at <= ? ORDER BY expires_at LIMIT 2)`, encodeTime(time.Now()))
	return err
}

func (w *putResult) undo() {}

func (w *putResult) committed(*Store, bool) error { return nil }

// Result implements [store.Results].
func (s *Store) Result(ctx context.Context, key []byte) (*store.Result, error) {
	var found *store.Result
	err := s.query(ctx, func(rows *sql.Rows) error {
		result := &store.Result{Key: key}
		var execution []byte
		var expiresAt int64
		err := rows.Scan(&execution, &expiresAt, &result.Head, &result.Body)
		if err != nil {
			return err
		}
		result.ExpiresAt = decodeTime(expiresAt)
		result.Execution, err = decodeID(execution)
		found = result
		return err
	}, "SELECT execution, expires_at, head, body FROM results WHERE key = ? AND expires_at > ?", key, encodeTime(time.Now()))
	if err == nil && found == nil {
		err = store.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("store: find a result: %w", err)
	}
	return found, nil
}
