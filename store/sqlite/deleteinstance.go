package sqlite

import (
	"context"
	"fmt"

	"github.com/sluice-go/sluice/store"
)

// DeleteInstance implements [store.Instances].
func (s *Store) DeleteInstance(ctx context.Context, instance *store.Instance) error {
	if err := s.submit(ctx, &deleteInstance{id: instance.ID, revision: instance.Revision}); err != nil {
		return fmt.Errorf("store: delete instance %s: %w", instance.ID, err)
	}
	return nil
}

type deleteInstance struct {
	id       string
	revision int64
	stale    bool
}

func (w *deleteInstance) apply(s *Store) error {
	ctx, conn := context.Background(), s.conn
	result, err := conn.ExecContext(ctx, "DELETE FROM instances WHERE id = ? AND revision = ?", w.id, w.revision)
	if err != nil {
		return err
	}
	deleted, err := result.RowsAffected()
	if w.stale = deleted == 0; w.stale || err != nil {
		return err
	}
	for _, rest := range []string{
		"DELETE FROM endpoints WHERE instance = ?",
		"DELETE FROM schedules WHERE instance = ?",
		`DELETE FROM state_values WHERE scope IN (SELECT id FROM state_scopes WHERE kind IN ('instance', 'flow') AND owner = ?)`,
		"DELETE FROM state_scopes WHERE kind IN ('instance', 'flow') AND owner = ?",
	} {
		if _, err := conn.ExecContext(ctx, rest, w.id); err != nil {
			return err
		}
	}
	return nil
}

func (w *deleteInstance) undo() {}

func (w *deleteInstance) committed(s *Store, _ bool) error {
	if w.stale {
		return store.ErrConflict
	}
	s.queue.pause(w.id, false)
	s.queue.deployed(w.id, store.IntegrationVersion{})
	return nil
}
