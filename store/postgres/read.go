package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/sluice-go/sluice/store"
)

// Execution implements [store.Reader].
func (s *Store) Execution(ctx context.Context, id string) (*store.Record, error) {
	if err := s.closed(); err != nil {
		return nil, fmt.Errorf("store: execution %q: %w", id, err)
	}
	key, err := encodeID(id)
	if err != nil {
		return nil, fmt.Errorf("store: execution %q: %w", id, store.ErrNotFound)
	}
	q := &query{}
	q.where("e.id = ", key)
	records, err := s.records(ctx, q, 1)
	if err == nil && len(records) == 0 {
		err = store.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("store: execution %s: %w", id, err)
	}
	return records[0], nil
}

// Executions implements [store.Reader]. It walks the executions from the newest back, in
// the order of acceptance, and filters on the way: a filter that few match reads many.
func (s *Store) Executions(ctx context.Context, filter store.Filter, after string, limit int) ([]*store.Record, error) {
	q := &query{oldest: filter.OldestFirst}
	for column, value := range map[string]string{
		"e.instance": filter.Instance, "e.flow": filter.Flow, "e.invoke_type": filter.InvokeType,
		"e.parent": filter.Parent, "e.original": filter.Original,
	} {
		if value != "" {
			q.where(column+" = ", encodeText(value))
		}
	}
	if !filter.From.IsZero() {
		q.where("e.accepted_at >= ", encodeTime(filter.From))
	}
	if !filter.To.IsZero() {
		q.where("e.accepted_at < ", encodeTime(filter.To))
	}
	q.whereStatus(filter.Status)
	if after != "" {
		seq, err := s.seqOf(ctx, after)
		if err != nil {
			return nil, fmt.Errorf("store: list executions after %q: %w", after, err)
		}
		q.where(map[bool]string{false: "e.seq < ", true: "e.seq > "}[filter.OldestFirst], seq)
	}
	records, err := s.records(ctx, q, limit)
	if err != nil {
		return nil, fmt.Errorf("store: list executions: %w", err)
	}
	return records, nil
}

// seqOf is where an execution stands in the order of acceptance.
func (s *Store) seqOf(ctx context.Context, id string) (seq int64, err error) {
	key, err := encodeID(id)
	if err != nil {
		return 0, err
	}
	err = s.within(ctx, func(ctx context.Context) error {
		return s.readers.QueryRow(ctx, "SELECT seq FROM executions WHERE id = $1", key).Scan(&seq)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		err = store.ErrNotFound
	}
	return seq, err
}

// query is what executions are chosen by.
type query struct {
	conditions []string
	args       []any
	// oldest come first, else the newest.
	oldest bool
}

func (q *query) where(condition string, arg any) {
	q.args = append(q.args, arg)
	q.conditions = append(q.conditions, condition+"$"+strconv.Itoa(len(q.args)))
}

// whereStatus adds what a row of work, or the last outcome, says.
func (q *query) whereStatus(status store.Status) {
	switch {
	case status.Final():
		q.where("(SELECT o.status FROM outcomes o WHERE o.execution = e.seq ORDER BY o.attempt DESC LIMIT 1) = ", string(status))
	case status == store.StatusQueued:
		q.conditions = append(q.conditions, "w.status IN (0, 1)")
	case status == store.StatusRunning:
		q.conditions = append(q.conditions, "w.status = 2")
	case status == store.StatusWaiting:
		q.conditions = append(q.conditions, "w.status IN (3, 4)")
	case status != "":
		q.conditions = append(q.conditions, "false")
	}
}

// records returns whole records of one snapshot.
func (s *Store) records(ctx context.Context, q *query, limit int) (records []*store.Record, err error) {
	err = s.within(ctx, func(ctx context.Context) error {
		return pgx.BeginTxFunc(ctx, s.readers, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
			bySeq, err := q.read(ctx, tx, limit, &records)
			if err != nil || len(records) == 0 {
				return err
			}
			return complete(ctx, tx, bySeq)
		})
	})
	if err != nil {
		return nil, err
	}
	return records, nil
}

// read reads the executions, and where each stands that is not over.
func (q *query) read(ctx context.Context, tx pgx.Tx, limit int, records *[]*store.Record) (map[int64]*store.Record, error) {
	where := ""
	if len(q.conditions) > 0 {
		where = " WHERE " + strings.Join(q.conditions, " AND ")
	}
	order := " ORDER BY e.seq DESC"
	if q.oldest {
		order = " ORDER BY e.seq"
	}
	rows, err := tx.Query(ctx, "SELECT "+executionColumns+", w.status, w.due FROM executions e LEFT JOIN work w ON w.seq = e.seq"+
		where+order+" LIMIT $"+strconv.Itoa(len(q.args)+1), append(q.args, limit)...)
	if err != nil {
		return nil, err
	}
	bySeq := map[int64]*store.Record{}
	*records, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (*store.Record, error) {
		var where *status
		var due *int64
		execution, seq, err := scanExecution(row, &where, &due)
		if err != nil {
			return nil, err
		}
		record := &store.Record{Execution: *execution}
		if where != nil {
			record.Status = where.public()
		}
		if record.Status == store.StatusWaiting {
			record.Due = decodeTime(*due)
		}
		bySeq[seq] = record
		return record, nil
	})
	return bySeq, err
}

// public is the status that others see.
func (s status) public() store.Status {
	switch s {
	case claimed:
		return store.StatusRunning
	case waiting, paused:
		return store.StatusWaiting
	default:
		return store.StatusQueued
	}
}

// complete adds the attempts and steps. The last outcome says how an execution ended.
func complete(ctx context.Context, tx pgx.Tx, bySeq map[int64]*store.Record) error {
	seqs := make([]int64, 0, len(bySeq))
	for seq := range bySeq {
		seqs = append(seqs, seq)
	}
	rows, err := tx.Query(ctx, "SELECT execution, "+outcomeColumns+" FROM outcomes WHERE execution = ANY($1) ORDER BY execution, attempt", seqs)
	if err != nil {
		return err
	}
	if _, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (struct{}, error) {
		outcome, seq, err := scanOutcome(row)
		if err == nil {
			record := bySeq[seq]
			record.Attempts = append(record.Attempts, outcome)
			if outcome.Status.Final() {
				record.Status = outcome.Status
			}
		}
		return struct{}{}, err
	}); err != nil {
		return err
	}
	rows, err = tx.Query(ctx, "SELECT execution, "+stepColumns+" FROM steps WHERE execution = ANY($1) ORDER BY id", seqs)
	if err != nil {
		return err
	}
	_, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (struct{}, error) {
		step, seq, err := scanStep(row)
		if err == nil {
			bySeq[seq].Steps = append(bySeq[seq].Steps, step)
		}
		return struct{}{}, err
	})
	return err
}

// Steps implements [store.Journal].
func (s *Store) Steps(ctx context.Context, executionID string) (steps []*store.Step, err error) {
	key, err := encodeID(executionID)
	if err != nil {
		return nil, err
	}
	err = s.within(ctx, func(ctx context.Context) error {
		rows, err := s.readers.Query(ctx, "SELECT execution, "+stepColumns+
			" FROM steps WHERE execution = (SELECT seq FROM executions WHERE id = $1) ORDER BY id", key)
		if err != nil {
			return err
		}
		steps, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (*store.Step, error) {
			step, _, err := scanStep(row)
			return step, err
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: steps of execution %s: %w", executionID, err)
	}
	return steps, nil
}
