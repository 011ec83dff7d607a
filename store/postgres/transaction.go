package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/sluice-go/sluice/store"
)

// transaction is one of the server, as long as its function runs. It begins in the same round
// trip as its first statements.
type transaction struct {
	conn *pgx.Conn
	// id is what the server calls it, once it has begun.
	id string
	// saved says that there is a savepoint.
	saved bool
}

// SendBatch runs statements, whose answers go to their callbacks.
func (t *transaction) SendBatch(ctx context.Context, b *pgx.Batch) error {
	if t.id == "" {
		first := &pgx.Batch{}
		first.Queue("BEGIN")
		first.Queue("SELECT pg_current_xact_id()::text").QueryRow(func(row pgx.Row) error { return row.Scan(&t.id) })
		b.QueuedQueries = append(first.QueuedQueries, b.QueuedQueries...)
	}
	return t.conn.SendBatch(ctx, b).Close()
}

func (t *transaction) begin(ctx context.Context) error {
	if t.id != "" {
		return nil
	}
	return t.SendBatch(ctx, &pgx.Batch{})
}

// Exec runs one statement.
func (t *transaction) Exec(ctx context.Context, statement string, args ...any) (pgconn.CommandTag, error) {
	if err := t.begin(ctx); err != nil {
		return pgconn.CommandTag{}, err
	}
	return t.conn.Exec(ctx, statement, args...)
}

// Query asks for rows, which must be closed before the next statement.
func (t *transaction) Query(ctx context.Context, statement string, args ...any) (pgx.Rows, error) {
	if err := t.begin(ctx); err != nil {
		return nil, err
	}
	return t.conn.Query(ctx, statement, args...)
}

// QueryRow asks for one row.
func (t *transaction) QueryRow(ctx context.Context, statement string, args ...any) pgx.Row {
	if err := t.begin(ctx); err != nil {
		return noRow{err}
	}
	return t.conn.QueryRow(ctx, statement, args...)
}

// noRow is the answer of a transaction that could not begin.
type noRow struct{ err error }

// Scan implements [pgx.Row].
func (r noRow) Scan(...any) error { return r.err }

// save has the statements of b begin with a savepoint, instead of the last one.
func (t *transaction) save(b *pgx.Batch) {
	if t.saved {
		b.Queue("RELEASE SAVEPOINT write")
	}
	t.saved = true
	b.Queue("SAVEPOINT write")
}

// takeBack undoes what came after the savepoint.
func (t *transaction) takeBack(ctx context.Context) error {
	_, err := t.conn.Exec(ctx, "ROLLBACK TO SAVEPOINT write")
	return err
}

// commit ends the transaction, if it has begun.
func (t *transaction) commit(ctx context.Context) error {
	if t.id == "" {
		return nil
	}
	tag, err := t.conn.Exec(ctx, "COMMIT")
	if err == nil && tag.String() != "COMMIT" {
		err = pgx.ErrTxCommitRollback
	}
	return err
}

// rollback ends it without effect. The pool does not keep a connection where that fails.
func (t *transaction) rollback(ctx context.Context) { _, _ = t.conn.Exec(ctx, "ROLLBACK") }

const (
	// transactTimeout bounds one try of a transaction, so that a server which does not answer
	// holds nothing up forever.
	transactTimeout = 30 * time.Second
	// maxTries bounds how often a transaction is tried when others get in its way, or its
	// connection turns out to be dead.
	maxTries = 5
)

// transact runs fn in a transaction, again if others got in its way or the connection broke
// before the commit. fn must start anew each time.
func (s *Store) transact(ctx context.Context, fn func(ctx context.Context, tx *transaction) error) error {
	for try := 1; ; try++ {
		err := s.try(ctx, fn)
		if err == nil || ctx.Err() != nil || try == maxTries || !collided(err) && !broke(err) {
			return unavailable(err)
		}
	}
}

// broke tells whether an open connection broke; a failure to open one is no reason to try
// again at once.
func broke(err error) bool {
	_, connecting := errors.AsType[*pgconn.ConnectError](err)
	return disconnected(err) && !connecting && !errors.Is(err, context.DeadlineExceeded)
}

// try runs fn in a transaction. When the connection breaks during the commit, it asks the
// server what became of it.
func (s *Store) try(ctx context.Context, fn func(ctx context.Context, tx *transaction) error) error {
	bounded, cancel := context.WithTimeout(ctx, transactTimeout)
	defer cancel()
	conn, err := s.pool.Acquire(bounded)
	if err != nil {
		return err
	}
	defer conn.Release()
	tx := &transaction{conn: conn.Conn()}
	if err := fn(bounded, tx); err != nil {
		tx.rollback(context.WithoutCancel(ctx))
		return timedOut(ctx, bounded, err)
	}
	err = tx.commit(bounded)
	if err == nil || !disconnected(err) && bounded.Err() == nil {
		return err
	}
	return s.settle(context.WithoutCancel(ctx), tx.id, err)
}

// timedOut marks an error that the time limit of a try caused.
func timedOut(ctx, bounded context.Context, err error) error {
	if bounded.Err() != nil && ctx.Err() == nil {
		return fmt.Errorf("%w: the server did not answer within %v: %w", store.ErrUnavailable, transactTimeout, err)
	}
	return err
}

// settleTimeout bounds how long a server is waited for that went away during a commit.
const settleTimeout = time.Minute

// settle finds out whether a transaction was committed. It returns nil if it was, and lost
// if it was not.
func (s *Store) settle(ctx context.Context, id string, lost error) error {
	ctx, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	for {
		var status *string
		err := s.pool.QueryRow(ctx, "SELECT pg_xact_status($1::text::xid8)", id).Scan(&status)
		switch {
		case err == nil && status != nil && *status == "committed":
			return nil
		case err == nil && status != nil && *status == "aborted":
			return lost
		case err != nil && !disconnected(err) && code(err) != "": // It answers, but does not know.
			return fmt.Errorf("%w: a commit was interrupted (%w), and what became of it cannot be read: %w", store.ErrUnavailable, lost, err)
		}
		if !sleep(ctx, 100*time.Millisecond) {
			return fmt.Errorf("%w: a commit was interrupted, and the server did not come back: %w", store.ErrUnavailable, lost)
		}
	}
}

// sleep waits for d and returns true, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
