package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sluice-go/sluice/store"
)

// ClaimSchedules implements [store.Schedules].
func (s *Store) ClaimSchedules(ctx context.Context, worker store.Worker, limit int) ([]*store.Schedule, error) {
	for {
		changed := s.due.next()
		schedules, wait, err := s.claimSchedules(ctx, worker, limit)
		if err == nil && len(schedules) == 0 {
			err = s.waitFor(ctx, changed, wait)
		}
		switch {
		case err == nil && len(schedules) == 0:
		case err == nil:
			return schedules, nil
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		default:
			return nil, fmt.Errorf("store: claim schedules: %w", err)
		}
	}
}

// nextDue is how long it is until a schedule may be claimed: the first that is not claimed,
// or the one whose claim ends first.
var nextDue = `SELECT least(
	(SELECT due FROM schedules WHERE due > 0 AND claimed_until = 0 AND NOT ` + unserved("schedules.instance", 1) + ` ORDER BY due LIMIT 1),
	(SELECT min(greatest(due, claimed_until)) FROM schedules WHERE due > 0 AND claimed_until > 0 AND NOT ` + unserved("schedules.instance", 1) + `)
	) - ` + clock

var takeDue = `UPDATE schedules s SET claimed_until = ` + clock + ` + $3 FROM (
		SELECT instance, flow FROM schedules WHERE due > 0 AND due <= ` + clock + ` AND claimed_until <= ` + clock + `
		AND NOT ` + unserved("schedules.instance", 1) + ` ORDER BY due, instance, flow LIMIT $4 FOR UPDATE SKIP LOCKED) AS d
	WHERE s.instance = d.instance AND s.flow = d.flow
	RETURNING s.instance, s.flow, s.spec, s.due, s.last`

// claimSchedules claims what is due now, or returns when something may be.
func (s *Store) claimSchedules(ctx context.Context, worker store.Worker, limit int) (schedules []*store.Schedule, wait time.Duration, err error) {
	err = s.within(ctx, func(ctx context.Context) error {
		var next *int64
		err := s.pool.QueryRow(ctx, nextDue, serves(worker)...).Scan(&next)
		switch {
		case err != nil:
			return err
		case next == nil:
			wait = poll
			return nil
		case *next > 0:
			wait = time.Duration(*next)
			return nil
		}
		// What may be written is claimed, even if the context ends meanwhile.
		return s.transact(context.WithoutCancel(ctx), func(ctx context.Context, tx *transaction) error {
			rows, err := tx.Query(ctx, takeDue, append(serves(worker), worker.Lease.Nanoseconds(), limit)...)
			if err != nil {
				return err
			}
			schedules, err = pgx.CollectRows(rows, scanSchedule)
			return err
		})
	})
	slices.SortFunc(schedules, func(a, b *store.Schedule) int {
		return cmp.Or(a.Due.Compare(b.Due), cmp.Compare(a.Instance, b.Instance), cmp.Compare(a.Flow, b.Flow))
	})
	if err == nil && len(schedules) == 0 {
		wait = max(wait, time.Millisecond) // Another process may hold what is due.
	}
	return schedules, wait, err
}
