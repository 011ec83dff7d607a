package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/sluice-go/sluice/store"
)

// PutSchedules implements [store.Schedules].
func (s *Store) PutSchedules(ctx context.Context, instance string, schedules []*store.Schedule) error {
	err := s.putSchedules(ctx, instance, schedules)
	if err != nil {
		return fmt.Errorf("store: put schedules of instance %s: %w", instance, err)
	}
	s.say(toldSchedules)
	s.tell.send()
	return nil
}

func (s *Store) putSchedules(ctx context.Context, instance string, schedules []*store.Schedule) error {
	flows := make([]string, len(schedules))
	lasts := make([]*[16]byte, len(schedules))
	for i, schedule := range schedules {
		if schedule.Instance != instance {
			return fmt.Errorf("flow %s is of instance %s", schedule.Flow, schedule.Instance)
		}
		flows[i] = encodeText(schedule.Flow)
		if schedule.Last != "" {
			id, err := encodeID(schedule.Last)
			if err != nil {
				return err
			}
			lasts[i] = &id
		}
	}
	return s.within(ctx, func(ctx context.Context) error {
		return s.transact(ctx, func(ctx context.Context, tx *transaction) error {
			b := &pgx.Batch{}
			b.Queue(lockAll, []int64{lockKey("schedules", instance)})
			b.Queue("DELETE FROM schedules WHERE instance = $1 AND flow <> ALL($2)", encodeText(instance), flows)
			for i, schedule := range schedules {
				b.Queue(`INSERT INTO schedules AS s (instance, flow, spec, due, last) VALUES ($1, $2, $3, $4, $5)
					ON CONFLICT (instance, flow) DO UPDATE SET spec = excluded.spec, due = excluded.due, last = excluded.last, claimed_until = 0
					WHERE s.spec <> excluded.spec`,
					encodeText(instance), flows[i], encodeText(schedule.Spec), encodeTime(schedule.Due), lasts[i])
			}
			return tx.SendBatch(ctx, b)
		})
	})
}

// Schedules implements [store.Schedules].
func (s *Store) Schedules(ctx context.Context, instance string) (found []*store.Schedule, err error) {
	err = s.within(ctx, func(ctx context.Context) error {
		rows, err := s.readers.Query(ctx, "SELECT "+scheduleColumns+" FROM schedules WHERE instance = $1 ORDER BY flow", encodeText(instance))
		if err != nil {
			return err
		}
		found, err = pgx.CollectRows(rows, scanSchedule)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: schedules of instance %s: %w", instance, err)
	}
	return found, nil
}

const scheduleColumns = "instance, flow, spec, due, last"

func scanSchedule(row pgx.CollectableRow) (*store.Schedule, error) {
	var schedule store.Schedule
	var due int64
	var last *[16]byte
	if err := row.Scan(&schedule.Instance, &schedule.Flow, &schedule.Spec, &due, &last); err != nil {
		return nil, fmt.Errorf("store: read a schedule: %w", err)
	}
	schedule.Due = decodeTime(due)
	if last != nil {
		schedule.Last = decodeID(*last)
	}
	return &schedule, decodeText(&schedule.Instance, &schedule.Flow, &schedule.Spec)
}

// AdvanceSchedule implements [store.Schedules].
func (s *Store) AdvanceSchedule(ctx context.Context, a store.ScheduleAdvance) error {
	err := s.within(ctx, func(ctx context.Context) error {
		return s.transact(ctx, func(ctx context.Context, tx *transaction) error { return advance(ctx, tx, &a, nil) })
	})
	if err != nil {
		return fmt.Errorf("store: advance the schedule of flow %s of instance %s: %w", a.Flow, a.Instance, err)
	}
	s.say(toldSchedules)
	s.tell.send()
	return nil
}

// advance moves a schedule on. last is the id of the execution that it brought about, nil for
// none.
func advance(ctx context.Context, tx *transaction, a *store.ScheduleAdvance, last *[16]byte) error {
	moved, err := affected(tx.Exec(ctx, `UPDATE schedules SET due = $1, last = coalesce($2, last), claimed_until = 0
		WHERE instance = $3 AND flow = $4 AND due = $5`,
		encodeTime(a.To), last, encodeText(a.Instance), encodeText(a.Flow), encodeTime(a.From)))
	if err == nil && !moved {
		err = fmt.Errorf("the schedule of flow %s of instance %s is not due at %v any more: %w",
			a.Flow, a.Instance, a.From, store.ErrConflict)
	}
	return err
}

func affected(tag pgconn.CommandTag, err error) (bool, error) { return tag.RowsAffected() > 0, err }
