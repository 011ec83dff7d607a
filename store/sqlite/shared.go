package sqlite

import (
	"context"
	"fmt"

	"github.com/sluice-go/sluice/store"
)

// SharedEndpoint implements [store.Instances].
func (s *Store) SharedEndpoint(ctx context.Context, integration, proposedID string) (string, error) {
	w := &sharedEndpoint{integration: integration, id: proposedID}
	err := s.submit(ctx, w)
	if violated(err) {
		err = fmt.Errorf("the proposed id is another integration's: %w", store.ErrConflict)
	}
	if err != nil {
		return "", fmt.Errorf("store: shared endpoint of integration %q: %w", integration, err)
	}
	return w.found, nil
}

type sharedEndpoint struct{ integration, id, found string }

func (w *sharedEndpoint) apply(s *Store) error {
	ctx := context.Background()
	if _, err := s.conn.ExecContext(ctx, "INSERT INTO shared_endpoints (integration, id) VALUES (?, ?) ON CONFLICT (integration) DO NOTHING",
		w.integration, w.id); err != nil {
		return err
	}
	return s.conn.QueryRowContext(ctx, "SELECT id FROM shared_endpoints WHERE integration = ?", w.integration).Scan(&w.found)
}

func (w *sharedEndpoint) undo() {}

func (w *sharedEndpoint) committed(*Store, bool) error { return nil }
