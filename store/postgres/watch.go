package postgres

import (
	"context"
	"fmt"
)

// AwaitInstances implements [store.Watcher].
func (s *Store) AwaitInstances(ctx context.Context, seen int64) (int64, error) {
	for {
		changed := s.changed.next()
		var now int64
		err := s.within(ctx, func(ctx context.Context) error {
			return s.readers.QueryRow(ctx, "SELECT instances FROM revisions").Scan(&now)
		})
		if err == nil && now <= seen {
			err = s.waitFor(ctx, changed, poll/2) // All is known to have come within a second.
		}
		if err != nil {
			return 0, fmt.Errorf("store: await a write of an instance: %w", err)
		}
		if now > seen {
			return now, nil
		}
	}
}
