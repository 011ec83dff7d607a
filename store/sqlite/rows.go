package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"sync"

	"github.com/sluice-go/sluice/store"
)

// read runs fn, which makes several queries, on a connection for reading, in one snapshot. In
// memory there is only the one connection: fn must close its rows before the next query, and is
// not interrupted.
func (s *Store) read(ctx context.Context, fn func(ctx context.Context, conn *sql.Conn) error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var err error
	if s.readers == nil {
		s.conn.Lock()
		err = fn(context.WithoutCancel(ctx), s.conn.Conn)
		s.conn.Unlock()
	} else {
		err = s.snapshot(ctx, fn)
	}
	return s.readError(ctx, err)
}

// query calls scan for every row of one query, which is prepared at its first call. It is not
// interrupted in memory.
func (s *Store) query(ctx context.Context, scan func(*sql.Rows) error, text string, args ...any) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	statement, err := s.queries.prepare(context.WithoutCancel(ctx), s, text)
	if err != nil {
		return s.readError(ctx, err)
	}
	if s.readers != nil {
		return s.readError(ctx, eachOf(ctx, statement, scan, args...))
	}
	s.conn.Lock()
	defer s.conn.Unlock()
	return s.readError(ctx, eachOf(context.WithoutCancel(ctx), statement, scan, args...))
}

// queries are those of the readers, or of the one connection of a store in memory, by their text.
type queries struct {
	mu       sync.Mutex
	prepared map[string]*sql.Stmt
}

func (q *queries) prepare(ctx context.Context, s *Store, text string) (*sql.Stmt, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if statement := q.prepared[text]; statement != nil {
		return statement, nil
	}
	prepare := s.conn.PrepareContext
	if s.readers != nil {
		prepare = s.readers.PrepareContext
	}
	statement, err := prepare(ctx, text) //nolint:sqlclosecheck // close closes them all.
	if err != nil {
		return nil, err
	}
	if q.prepared == nil {
		q.prepared = map[string]*sql.Stmt{}
	}
	q.prepared[text] = statement
	return statement, nil
}

// close closes all: the connection stays open as long as one is.
func (q *queries) close() (first error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, statement := range q.prepared {
		if err := statement.Close(); err != nil && first == nil {
			first = err
		}
	}
	q.prepared = nil
	return first
}

// readError says what ended a read.
func (s *Store) readError(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case s.inbox.isClosed():
		return store.ErrClosed
	case ctx.Err() != nil:
		return context.Cause(ctx)
	default:
		return unavailable(err)
	}
}

func (s *Store) snapshot(ctx context.Context, fn func(ctx context.Context, conn *sql.Conn) error) error {
	conn, err := s.readers.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
		return err
	}
	defer func() { _, _ = conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK") }()
	return fn(ctx, conn)
}

// each calls scan for every row of a query.
func each(ctx context.Context, conn *sql.Conn, scan func(*sql.Rows) error, query string, args ...any) error {
	rows, err := conn.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	return scanAll(rows, scan)
}

// eachOf calls scan for every row of a prepared query.
func eachOf(ctx context.Context, statement *sql.Stmt, scan func(*sql.Rows) error, args ...any) error {
	rows, err := statement.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	return scanAll(rows, scan)
}

func scanAll(rows *sql.Rows, scan func(*sql.Rows) error) error {
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

const executionColumns = `e.seq, e.id, e.accepted_at, e.integration, e.version, e.customer, e.user, e.instance, e.flow,
	e.invoke_type, e.lane, e.lane_limit, e.unique_key, e.parent, e.original, e.depth, e.head, e.body, e.logs`

// scanExecution scans executionColumns and what follows them.
func scanExecution(rows *sql.Rows, more ...any) (*store.Execution, int64, error) {
	var e store.Execution
	var seq, acceptedAt int64
	var id []byte
	err := rows.Scan(append([]any{
		&seq, &id, &acceptedAt, &e.Integration, &e.Version, &e.Customer, &e.User, &e.Instance,
		&e.Flow, &e.InvokeType, &e.Lane.Key, &e.Lane.Limit, &e.UniqueKey, &e.Parent, &e.Original, &e.Depth,
		&e.Payload.Head, &e.Payload.Body, &e.Logs,
	}, more...)...)
	if err != nil {
		return nil, 0, fmt.Errorf("store: read an execution: %w", err)
	}
	e.AcceptedAt = decodeTime(acceptedAt)
	e.ID, err = decodeID(id)
	return &e, seq, err
}

// scanOutcome returns also the seq of the execution.
func scanOutcome(rows *sql.Rows) (*store.Outcome, int64, error) {
	var o store.Outcome
	var id, startedAt, endedAt, nextAttempt int64
	err := rows.Scan(&id, &o.Status, &startedAt, &endedAt, &nextAttempt, &o.Error, &o.Result, &o.Logs)
	if err != nil {
		return nil, 0, fmt.Errorf("store: read an outcome: %w", err)
	}
	o.Attempt = int(id & maxAttempt)
	o.StartedAt, o.EndedAt, o.NextAttempt = decodeTime(startedAt), decodeTime(endedAt), decodeTime(nextAttempt)
	return &o, id >> attemptBits, nil
}

// scanStep scans the columns of a step and what follows them.
func scanStep(rows *sql.Rows, more ...any) (*store.Step, error) {
	var step store.Step
	var startedAt, endedAt int64
	columns := []any{&step.Key, &step.Name, &step.Attempt, &startedAt, &endedAt, &step.Result, &step.Error, &step.State}
	err := rows.Scan(append(columns, more...)...)
	if err != nil {
		return nil, fmt.Errorf("store: read a step: %w", err)
	}
	step.StartedAt, step.EndedAt = decodeTime(startedAt), decodeTime(endedAt)
	return &step, nil
}
