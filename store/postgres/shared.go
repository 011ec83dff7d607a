package postgres

import (
	"context"
	"fmt"

	"github.com/sluice-go/sluice/store"
)

// SharedEndpoint implements [store.Instances].
func (s *Store) SharedEndpoint(ctx context.Context, integration, proposedID string) (string, error) {
	var found string
	err := s.within(ctx, func(ctx context.Context) error {
		return s.transact(ctx, func(ctx context.Context, tx *transaction) error {
			if _, err := tx.Exec(ctx, "INSERT INTO shared_endpoints (integration, id) VALUES ($1, $2) ON CONFLICT (integration) DO NOTHING",
				encodeText(integration), encodeText(proposedID)); err != nil {
				return err
			}
			return tx.QueryRow(ctx, "SELECT id FROM shared_endpoints WHERE integration = $1", encodeText(integration)).Scan(&found)
		})
	})
	if violated(err) {
		err = fmt.Errorf("the proposed id is another integration's: %w", store.ErrConflict)
	}
	if err == nil {
		err = decodeText(&found)
	}
	if err != nil {
		return "", fmt.Errorf("store: shared endpoint of integration %q: %w", integration, err)
	}
	return found, nil
}
