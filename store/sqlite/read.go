package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sluice-go/sluice/store"
)

// Execution implements [store.Reader].
func (s *Store) Execution(ctx context.Context, id string) (*store.Record, error) {
	key, err := encodeID(id)
	if err != nil {
		return nil, fmt.Errorf("store: execution %q: %w", id, store.ErrNotFound)
	}
	running := s.queue.claimed(id)
	records, err := s.records(ctx, "e.id = ?", []any{key}, "e.seq", 1)
	if err != nil {
		return nil, fmt.Errorf("store: execution %s: %w", id, err)
	}
	if len(records) == 0 {
		return nil, fmt.Errorf("store: execution %s: %w", id, store.ErrNotFound)
	}
	if records[0].Status == store.StatusQueued && running {
		records[0].Status = store.StatusRunning // Its outcome came after the snapshot.
	}
	return records[0], nil
}

// Executions implements [store.Reader]. It walks the executions from the newest back, in
// the order of acceptance, and filters on the way: a filter that few match reads many.
func (s *Store) Executions(ctx context.Context, filter store.Filter, after string, limit int) ([]*store.Record, error) {
	where, args := []string{"TRUE"}, []any{}
	for column, value := range map[string]string{
		"instance": filter.Instance, "flow": filter.Flow, "invoke_type": filter.InvokeType,
		"parent": filter.Parent, "original": filter.Original,
	} {
		if value != "" {
			where, args = append(where, "e."+column+" = ?"), append(args, value)
		}
	}
	if !filter.From.IsZero() {
		where, args = append(where, "e.accepted_at >= ?"), append(args, encodeTime(filter.From))
	}
	if !filter.To.IsZero() {
		where, args = append(where, "e.accepted_at < ?"), append(args, encodeTime(filter.To))
	}
	if filter.Original != "" {
		where = append(where, "e.original <> ''") // As the index has it.
	}
	switch {
	case filter.Status.Final():
		where, args = append(where, lastStatus+" = ?"), append(args, string(filter.Status))
	case filter.Status != "":
		where = append(where, "coalesce("+lastStatus+", 'waiting') = 'waiting'")
	}
	order, beyond := "e.seq DESC", "e.seq < ?"
	if filter.OldestFirst {
		order, beyond = "e.seq", "e.seq > ?"
	}
	var found []*store.Record
	for len(found) < limit {
		page, pageArgs := where, args
		if after != "" {
			seq, err := s.seqOf(ctx, after)
			if err != nil {
				return nil, fmt.Errorf("store: list executions after %q: %w", after, err)
			}
			page, pageArgs = append(slices.Clip(page), beyond), append(slices.Clip(args), seq)
		}
		records, err := s.records(ctx, strings.Join(page, " AND "), pageArgs, order, limit)
		if err != nil {
			return nil, fmt.Errorf("store: list executions: %w", err)
		}
		for _, record := range records {
			if len(found) < limit && (filter.Status == "" || filter.Status == record.Status) {
				found = append(found, record)
			}
		}
		if len(records) < limit {
			break
		}
		after = records[len(records)-1].ID
	}
	return found, nil
}

// seqOf is where an execution stands in the order of acceptance.
func (s *Store) seqOf(ctx context.Context, id string) (seq int64, err error) {
	key, err := encodeID(id)
	if err != nil {
		return 0, err
	}
	found := false
	err = s.query(ctx, func(rows *sql.Rows) error {
		found = true
		return rows.Scan(&seq)
	}, "SELECT seq FROM executions WHERE id = ?", key)
	if err == nil && !found {
		err = store.ErrNotFound
	}
	return seq, err
}

// lastStatus is the status of the last attempt that ended, null before the first.
const lastStatus = `(SELECT o.status FROM outcomes o
	WHERE o.id BETWEEN e.seq << 20 AND e.seq << 20 | 0xFFFFF ORDER BY o.id DESC LIMIT 1)`

// records returns whole records.
func (s *Store) records(ctx context.Context, where string, args []any, order string, limit int) ([]*store.Record, error) {
	var records []*store.Record
	err := s.read(ctx, func(ctx context.Context, conn *sql.Conn) error {
		bySeq := map[int64]*store.Record{}
		if err := each(ctx, conn, func(rows *sql.Rows) error {
			var due sql.NullInt64
			execution, seq, err := scanExecution(rows, &due)
			if err != nil {
				return err
			}
			record := &store.Record{Execution: *execution, Status: store.StatusQueued}
			switch {
			case s.queue.claimed(execution.ID):
				record.Status = store.StatusRunning
			case due.Int64 > atOnce:
				record.Status, record.Due = store.StatusWaiting, decodeTime(due.Int64)
			}
			records, bySeq[seq] = append(records, record), record
			return nil
		}, "SELECT "+executionColumns+`, p.due FROM executions e
			LEFT JOIN pending p ON p.instance = e.instance AND p.lane = `+laneColumn+` AND p.seq = e.seq
			WHERE `+where+" ORDER BY "+order+" LIMIT ?", append(slices.Clip(args), limit)...); err != nil {
			return err
		}
		return complete(ctx, conn, bySeq)
	})
	return records, err
}

// complete adds the attempts and steps. A final outcome is the status, whatever memory says.
func complete(ctx context.Context, conn *sql.Conn, records map[int64]*store.Record) error {
	if len(records) == 0 {
		return nil
	}
	seqs, err := json.Marshal(slices.Collect(maps.Keys(records)))
	if err != nil {
		return err
	}
	if err := each(ctx, conn, func(rows *sql.Rows) error {
		outcome, seq, err := scanOutcome(rows)
		if err != nil {
			return err
		}
		record := records[seq]
		record.Attempts = append(record.Attempts, outcome)
		if outcome.Status.Final() {
			record.Status, record.Due = outcome.Status, time.Time{}
		}
		return nil
	}, `SELECT o.id, o.status, o.started_at, o.ended_at, o.next_attempt, o.error, o.result, o.logs
		FROM json_each(?) e CROSS JOIN outcomes o ON o.id BETWEEN e.value << 20 AND e.value << 20 | 0xFFFFF ORDER BY o.id`, string(seqs)); err != nil {
		return err
	}
	return each(ctx, conn, func(rows *sql.Rows) error {
		var seq int64
		step, err := scanStep(rows, &seq)
		if err != nil {
			return err
		}
		records[seq].Steps = append(records[seq].Steps, step)
		return nil
	}, `SELECT key, name, attempt, started_at, ended_at, result, error, state, execution FROM steps
		WHERE execution IN (SELECT value FROM json_each(?)) ORDER BY id`, string(seqs))
}

// Steps implements [store.Journal].
func (s *Store) Steps(ctx context.Context, executionID string) ([]*store.Step, error) {
	key, err := encodeID(executionID)
	if err != nil {
		return nil, err
	}
	var steps []*store.Step
	err = s.query(ctx, func(rows *sql.Rows) error {
		step, err := scanStep(rows)
		steps = append(steps, step)
		return err
	}, `SELECT key, name, attempt, started_at, ended_at, result, error, state FROM steps
		WHERE execution = (SELECT seq FROM executions WHERE id = ?) ORDER BY id`, key)
	if err != nil {
		return nil, fmt.Errorf("store: steps of execution %s: %w", executionID, err)
	}
	return steps, nil
}
