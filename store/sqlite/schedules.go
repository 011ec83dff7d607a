package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/sluice-go/sluice/store"
)

// PutSchedules implements [store.Schedules].
func (s *Store) PutSchedules(ctx context.Context, instance string, schedules []*store.Schedule) error {
	w := &putSchedules{instance: instance}
	for _, schedule := range schedules {
		if schedule.Instance != instance {
			return fmt.Errorf("store: put schedules of instance %s: flow %s is of instance %s", instance, schedule.Flow, schedule.Instance)
		}
		row := &scheduleRow{Schedule: *schedule}
		if schedule.Last != "" {
			var err error
			if row.last, err = encodeID(schedule.Last); err != nil {
				return fmt.Errorf("store: put schedules of instance %s: %w", instance, err)
			}
		}
		w.given = append(w.given, row)
	}
	if err := s.submit(ctx, w); err != nil {
		return fmt.Errorf("store: put schedules of instance %s: %w", instance, err)
	}
	return nil
}

// scheduleRow is a schedule as its row has it.
type scheduleRow struct {
	store.Schedule
	last []byte
}

type putSchedules struct {
	instance string
	given    []*scheduleRow
	// dues are the due times that were written.
	dues []time.Time
}

func (w *putSchedules) apply(s *Store) error {
	ctx, conn := context.Background(), s.conn.Conn
	before := map[string]*scheduleRow{}
	if err := each(ctx, conn, func(rows *sql.Rows) error {
		row, err := scanSchedule(rows)
		if err == nil {
			before[row.Flow] = row
		}
		return err
	}, "SELECT "+scheduleColumns+" FROM schedules WHERE instance = ?", w.instance); err != nil {
		return err
	}
	if _, err := conn.ExecContext(ctx, "DELETE FROM schedules WHERE instance = ?", w.instance); err != nil {
		return err
	}
	for _, row := range w.given {
		if kept := before[row.Flow]; kept != nil && kept.Spec == row.Spec {
			row = kept
		}
		if _, err := conn.ExecContext(ctx, "INSERT INTO schedules (instance, flow, spec, due, last) VALUES (?, ?, ?, ?, ?)",
			row.Instance, row.Flow, row.Spec, encodeTime(row.Due), row.last); err != nil {
			return err
		}
		w.dues = append(w.dues, row.Due)
	}
	return nil
}

func (w *putSchedules) undo() { w.dues = nil }

func (w *putSchedules) committed(s *Store, _ bool) error {
	for _, due := range w.dues {
		s.schedules.wake(due)
	}
	return nil
}

// Schedules implements [store.Schedules].
func (s *Store) Schedules(ctx context.Context, instance string) ([]*store.Schedule, error) {
	var found []*store.Schedule
	err := s.query(ctx, func(rows *sql.Rows) error {
		row, err := scanSchedule(rows)
		if err == nil {
			found = append(found, &row.Schedule)
		}
		return err
	}, "SELECT "+scheduleColumns+" FROM schedules WHERE instance = ? ORDER BY flow", instance)
	if err != nil {
		return nil, fmt.Errorf("store: schedules of instance %s: %w", instance, err)
	}
	return found, nil
}

const scheduleColumns = "instance, flow, spec, due, last"

func scanSchedule(rows *sql.Rows) (*scheduleRow, error) {
	var row scheduleRow
	var due int64
	err := rows.Scan(&row.Instance, &row.Flow, &row.Spec, &due, &row.last)
	if err != nil {
		return nil, fmt.Errorf("store: read a schedule: %w", err)
	}
	row.Due = decodeTime(due)
	if row.last != nil {
		row.Last, err = decodeID(row.last)
	}
	return &row, err
}

// AdvanceSchedule implements [store.Schedules].
func (s *Store) AdvanceSchedule(ctx context.Context, advance store.ScheduleAdvance) error {
	if err := s.submit(ctx, &advanceSchedule{advance}); err != nil {
		return fmt.Errorf("store: advance the schedule of flow %s of instance %s: %w", advance.Flow, advance.Instance, err)
	}
	return nil
}

type advanceSchedule struct{ store.ScheduleAdvance }

func (w *advanceSchedule) refusable() bool { return true }

func (w *advanceSchedule) apply(s *Store) error { return s.advance(&w.ScheduleAdvance, nil) }

func (w *advanceSchedule) undo() {}

func (w *advanceSchedule) committed(s *Store, _ bool) error {
	s.schedules.advanced(&w.ScheduleAdvance)
	return nil
}

// advance moves a schedule on in the open transaction. last is the id of the execution that
// it brought about, nil for none.
func (s *Store) advance(a *store.ScheduleAdvance, last []byte) error {
	result, err := s.statements.advance.ExecContext(context.Background(),
		encodeTime(a.To), last, a.Instance, a.Flow, encodeTime(a.From))
	if err != nil {
		return err
	}
	moved, err := result.RowsAffected()
	if err == nil && moved == 0 {
		err = fmt.Errorf("the schedule of flow %s of instance %s is not due at %v any more: %w",
			a.Flow, a.Instance, a.From, store.ErrConflict)
	}
	return err
}
