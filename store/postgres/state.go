package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/sluice-go/sluice/store"
)

// State implements [store.States].
func (s *Store) State(ctx context.Context, scope store.Scope, key string) (value []byte, err error) {
	err = s.within(ctx, func(ctx context.Context) error {
		err := s.readers.QueryRow(ctx, `SELECT v.value FROM state_scopes s JOIN state_values v ON v.scope = s.id
			WHERE s.kind = $1 AND s.owner = $2 AND s.flow = $3 AND v.key = $4`,
			string(scope.Kind), encodeText(scope.ID), encodeText(scope.Flow), encodeText(key)).Scan(&value)
		if errors.Is(err, pgx.ErrNoRows) {
			return store.ErrNotFound
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: state %q of %s %s: %w", key, scope.Kind, scope.ID, err)
	}
	return value, nil
}

// StateKeys implements [store.States].
func (s *Store) StateKeys(ctx context.Context, scope store.Scope) (keys []string, err error) {
	err = s.within(ctx, func(ctx context.Context) error {
		rows, err := s.readers.Query(ctx, `SELECT v.key FROM state_scopes s JOIN state_values v ON v.scope = s.id
			WHERE s.kind = $1 AND s.owner = $2 AND s.flow = $3 ORDER BY v.key`,
			string(scope.Kind), encodeText(scope.ID), encodeText(scope.Flow))
		if err != nil {
			return err
		}
		keys, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: state of %s %s: %w", scope.Kind, scope.ID, err)
	}
	return keys, nil
}

// checkState refuses changes that no value could take.
func checkState(changes []store.StateChange) error {
	for _, change := range changes {
		if err := change.Check(); err != nil {
			return err
		}
	}
	return nil
}

// stateScope is a scope's row while a write changes it; an id of 0 is none.
type stateScope struct{ id, size int64 }

// change applies the state changes of a write, in a transaction that holds the locks of
// their scopes. After an error the write must be taken back.
func change(ctx context.Context, tx *transaction, changes []store.StateChange) error {
	scopes := map[store.Scope]*stateScope{}
	for _, change := range changes {
		scope := scopes[change.Scope]
		if scope == nil {
			scope = &stateScope{}
			scopes[change.Scope] = scope
			err := tx.QueryRow(ctx, "SELECT id, size FROM state_scopes WHERE kind = $1 AND owner = $2 AND flow = $3",
				string(change.Scope.Kind), encodeText(change.Scope.ID), encodeText(change.Scope.Flow)).Scan(&scope.id, &scope.size)
			if err != nil && !errors.Is(err, pgx.ErrNoRows) {
				return err
			}
		}
		if err := scope.change(ctx, tx, change); err != nil {
			return fmt.Errorf("state of %s %s: %w", change.Scope.Kind, change.Scope.ID, err)
		}
	}
	for name, scope := range scopes {
		if scope.size > store.MaxStateBytes {
			return fmt.Errorf("state of %s %s would have %d bytes: %w", name.Kind, name.ID, scope.size, store.ErrStateTooLarge)
		}
		if err := scope.resize(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}

// resize keeps the new size; a scope without values has no row.
func (s *stateScope) resize(ctx context.Context, tx *transaction) error {
	var err error
	switch {
	case s.id == 0:
	case s.size == 0:
		_, err = tx.Exec(ctx, "DELETE FROM state_scopes WHERE id = $1", s.id)
	default:
		_, err = tx.Exec(ctx, "UPDATE state_scopes SET size = $1 WHERE id = $2", s.size, s.id)
	}
	return err
}

func (s *stateScope) change(ctx context.Context, tx *transaction, change store.StateChange) error {
	if change.Op == store.StateClear {
		s.size = 0
		_, err := tx.Exec(ctx, "DELETE FROM state_values WHERE scope = $1", s.id)
		return err
	}
	key := encodeText(change.Key)
	var before []byte
	err := tx.QueryRow(ctx, "SELECT value FROM state_values WHERE scope = $1 AND key = $2", s.id, key).Scan(&before)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	after, err := change.Apply(before)
	if err != nil || change.Op == store.StateExpect {
		return err
	}
	s.size += stateBytes(change.Key, after) - stateBytes(change.Key, before)
	switch {
	case after != nil:
		if err := s.create(ctx, tx, change.Scope); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO state_values (scope, key, value) VALUES ($1, $2, $3)
			ON CONFLICT (scope, key) DO UPDATE SET value = excluded.value`, s.id, key, after)
	case before != nil:
		_, err = tx.Exec(ctx, "DELETE FROM state_values WHERE scope = $1 AND key = $2", s.id, key)
	}
	return err
}

func (s *stateScope) create(ctx context.Context, tx *transaction, name store.Scope) error {
	if s.id != 0 {
		return nil
	}
	return tx.QueryRow(ctx, "INSERT INTO state_scopes (kind, owner, flow, size) VALUES ($1, $2, $3, 0) RETURNING id",
		string(name.Kind), encodeText(name.ID), encodeText(name.Flow)).Scan(&s.id)
}

func stateBytes(key string, value []byte) int64 {
	if value == nil {
		return 0
	}
	return int64(len(key) + len(value))
}
