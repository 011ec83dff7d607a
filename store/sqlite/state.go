package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/sluice-go/sluice/store"
)

// State implements [store.States].
func (s *Store) State(ctx context.Context, scope store.Scope, key string) (value []byte, err error) {
	found := false
	err = s.query(ctx, func(rows *sql.Rows) error {
		found = true
		return rows.Scan(&value)
	}, `SELECT v.value FROM state_scopes s JOIN state_values v ON v.scope = s.id
		WHERE s.kind = ? AND s.owner = ? AND s.flow = ? AND v.key = ?`, string(scope.Kind), scope.ID, scope.Flow, key)
	if err == nil && !found {
		err = store.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("store: state %q of %s %s: %w", key, scope.Kind, scope.ID, err)
	}
	return value, nil
}

// StateKeys implements [store.States].
func (s *Store) StateKeys(ctx context.Context, scope store.Scope) ([]string, error) {
	var keys []string
	err := s.query(ctx, func(rows *sql.Rows) error {
		var key string
		err := rows.Scan(&key)
		keys = append(keys, key)
		return err
	}, `SELECT v.key FROM state_scopes s JOIN state_values v ON v.scope = s.id
		WHERE s.kind = ? AND s.owner = ? AND s.flow = ? ORDER BY v.key`, string(scope.Kind), scope.ID, scope.Flow)
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

// change applies the state changes of a write. After an error the write must be taken back.
func (s *Store) change(changes []store.StateChange) error {
	if len(changes) == 0 {
		return nil
	}
	scopes := map[store.Scope]*stateScope{}
	for _, change := range changes {
		scope := scopes[change.Scope]
		if scope == nil {
			var err error
			if scope, err = s.stateScope(change.Scope); err != nil {
				return err
			}
			scopes[change.Scope] = scope
		}
		if err := s.changeValue(scope, change); err != nil {
			return fmt.Errorf("state of %s %s: %w", change.Scope.Kind, change.Scope.ID, err)
		}
	}
	for name, scope := range scopes {
		if scope.size > store.MaxStateBytes {
			return fmt.Errorf("state of %s %s would have %d bytes: %w", name.Kind, name.ID, scope.size, store.ErrStateTooLarge)
		}
		if err := s.resize(scope); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) stateScope(name store.Scope) (*stateScope, error) {
	scope := &stateScope{}
	err := s.statements.stateScope.QueryRowContext(context.Background(), string(name.Kind), name.ID, name.Flow).
		Scan(&scope.id, &scope.size)
	if errors.Is(err, sql.ErrNoRows) {
		return scope, nil
	}
	return scope, err
}

// resize keeps the new size; a scope without values has no row.
func (s *Store) resize(scope *stateScope) error {
	var err error
	switch {
	case scope.id == 0:
	case scope.size == 0:
		_, err = s.statements.dropScope.ExecContext(context.Background(), scope.id)
	default:
		_, err = s.statements.resizeScope.ExecContext(context.Background(), scope.size, scope.id)
	}
	return err
}

func (s *Store) changeValue(scope *stateScope, change store.StateChange) error {
	ctx := context.Background()
	if change.Op == store.StateClear {
		scope.size = 0
		_, err := s.statements.clearState.ExecContext(ctx, scope.id)
		return err
	}
	var before []byte
	err := s.statements.state.QueryRowContext(ctx, scope.id, change.Key).Scan(&before)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	after, err := change.Apply(before)
	if err != nil || change.Op == store.StateExpect {
		return err
	}
	scope.size += stateBytes(change.Key, after) - stateBytes(change.Key, before)
	switch {
	case after != nil:
		if err := s.makeScope(scope, change.Scope); err != nil {
			return err
		}
		_, err = s.statements.setState.ExecContext(ctx, scope.id, change.Key, after)
	case before != nil:
		_, err = s.statements.deleteState.ExecContext(ctx, scope.id, change.Key)
	}
	return err
}

func (s *Store) makeScope(scope *stateScope, name store.Scope) error {
	if scope.id != 0 {
		return nil
	}
	result, err := s.statements.makeScope.ExecContext(context.Background(), string(name.Kind), name.ID, name.Flow)
	if err != nil {
		return err
	}
	scope.id, err = result.LastInsertId()
	return err
}

func stateBytes(key string, value []byte) int64 {
	if value == nil {
		return 0
	}
	return int64(len(key) + len(value))
}
