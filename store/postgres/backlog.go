package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/sluice-go/sluice/store"
)

// Queued implements [store.Backlog]. It counts rows: a million of them take tenths of a
// second.
func (s *Store) Queued(ctx context.Context) (map[string]store.Load, error) {
	loads := map[string]store.Load{}
	err := s.within(ctx, func(ctx context.Context) error {
		rows, err := s.readers.Query(ctx, queuedLoads)
		if err != nil {
			return err
		}
		var instance string
		var load store.Load
		_, err = pgx.ForEachRow(rows, []any{&instance, &load.Count, &load.Bytes}, func() error {
			id := instance
			err := decodeText(&id)
			loads[id] = load
			return err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: count what is queued: %w", err)
	}
	return loads, nil
}

// queuedLoads has a part for each of the indexes that together have all that is queued.
const queuedLoads = `SELECT instance, count(*), sum(size)::bigint FROM (
		SELECT instance, size FROM work WHERE status = 1
		UNION ALL SELECT instance, size FROM work WHERE status = 0 AND deaths < 2
		UNION ALL SELECT instance, size FROM work WHERE status = 0 AND deaths > 1) AS queued
	GROUP BY instance`
