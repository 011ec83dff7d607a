package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/sluice-go/sluice/store"
)

// Cancel implements [store.Canceler].
func (s *Store) Cancel(ctx context.Context, executionID, reason string) (store.Status, error) {
	w := &cancel{reason: reason, state: endState(executionID)}
	err := errNoReason
	if reason != "" {
		if w.id, err = encodeID(executionID); err != nil {
			err = store.ErrNotFound
		}
	}
	if err == nil {
		err = s.within(ctx, func(ctx context.Context) error { return s.transact(ctx, w.run) })
	}
	if err != nil {
		return "", fmt.Errorf("store: cancel execution %s: %w", executionID, err)
	}
	if w.running {
		return store.StatusRunning, nil
	}
	s.sayOver(executionID)
	s.say(toldReady) // Its seat.
	s.say(toldUpkeep)
	s.tell.send()
	return store.StatusCanceled, nil
}

var errNoReason = errors.New("it needs a reason")

type cancel struct {
	id      [16]byte
	reason  string
	state   []store.StateChange
	running bool
}

func (w *cancel) run(ctx context.Context, tx *transaction) error {
	w.running = false
	var seq int64
	var l lane
	var limit int
	err := tx.QueryRow(ctx, `SELECT e.seq, w.instance, w.lane, w.lane_limit FROM executions e JOIN work w ON w.seq = e.seq WHERE e.id = $1`, w.id).
		Scan(&seq, &l.instance, &l.lane, &limit)
	if errors.Is(err, pgx.ErrNoRows) {
		return w.missing(ctx, tx)
	}
	if err == nil && limit > 0 {
		err = lock(ctx, tx, []int64{laneLock(l.instance, l.lane)})
	}
	if err != nil {
		return err
	}
	var where status
	err = tx.QueryRow(ctx, "SELECT status FROM work WHERE seq = $1 FOR UPDATE", seq).Scan(&where)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return w.missing(ctx, tx)
	case err != nil:
		return err
	case where == claimed:
		w.running = true
		_, err = tx.Exec(ctx, "UPDATE work SET canceled = $2 WHERE seq = $1 AND canceled = ''", seq, encodeText(w.reason)) // The first reason counts.
		return err
	}
	_, err = tx.Exec(ctx, `WITH w AS (DELETE FROM work WHERE seq = $1 RETURNING seq, attempt)
		INSERT INTO outcomes (execution, attempt, status, started_at, ended_at, next_attempt, error)
		SELECT seq, attempt, 'canceled', 0, `+clock+", 0, $2 FROM w", seq, encodeText(w.reason))
	if err == nil && limit > 0 {
		err = promoteAll(ctx, tx, []lane{l})
	}
	if err != nil {
		return err
	}
	return change(ctx, tx, w.state)
}

// missing tells what is over from what never was.
func (w *cancel) missing(ctx context.Context, tx *transaction) error {
	var exists bool
	if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT FROM executions WHERE id = $1)", w.id).Scan(&exists); err != nil {
		return err
	}
	if exists {
		return fmt.Errorf("it is over: %w", store.ErrConflict)
	}
	return store.ErrNotFound
}
