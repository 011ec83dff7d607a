package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/sluice-go/sluice/store"
)

// Cancel implements [store.Canceler].
func (s *Store) Cancel(ctx context.Context, executionID, reason string) (store.Status, error) {
	w := &cancel{reason: reason}
	err := errNoReason
	if reason != "" {
		if w.id, err = encodeID(executionID); err != nil {
			err = store.ErrNotFound
		}
	}
	if err == nil {
		err = s.submit(ctx, w)
	}
	if err != nil {
		return "", fmt.Errorf("store: cancel execution %q: %w", executionID, err)
	}
	return w.status, nil
}

var errNoReason = errors.New("it needs a reason")

type cancel struct {
	id     []byte
	reason string
	status store.Status
	// idle did not run and is over now; running is told, unless it was already, and parked
	// by this write if it was not.
	idle         *idle
	running      *seat
	told, parked bool
}

func (w *cancel) refusable() bool { return true }

func (w *cancel) apply(s *Store) error {
	var seq int64
	err := s.conn.QueryRowContext(context.Background(), "SELECT seq FROM executions WHERE id = ?", w.id).Scan(&seq)
	if errors.Is(err, sql.ErrNoRows) || seq > s.committed { // It may come with this commit, but is not there yet.
		return store.ErrNotFound
	}
	if err != nil {
		return err
	}
	left, err := s.unfinished(seq)
	if err != nil {
		return err
	}
	if left == nil {
		return fmt.Errorf("it is over: %w", store.ErrConflict)
	}
	if w.idle, w.running = s.withdraw(left); w.idle != nil {
		return w.idle.end(w.reason)
	}
	return w.mark(s)
}

// mark writes down that the running execution is to be canceled: whoever claims it next is
// told. The first reason counts.
func (w *cancel) mark(s *Store) error {
	if cmp.Or(w.running.canceling, w.running.canceled) != "" {
		w.told = true
		return nil
	}
	w.parked, w.running.parked = !w.running.parked, true
	w.running.canceling = w.reason
	return s.markCanceled(w.running)
}

// markCanceled writes down why a claimed execution is to be canceled.
func (s *Store) markCanceled(seat *seat) error {
	_, err := s.statements.cancel.ExecContext(context.Background(), seat.instance, seat.lane, seat.seq, seat.limit, seat.payload,
		seat.recovered, seat.canceling)
	return err
}

func (w *cancel) undo() {
	if w.idle != nil {
		w.idle.restore()
	}
	if w.running != nil && !w.told {
		w.running.canceling, w.running.parked = "", !w.parked
	}
	w.idle, w.running, w.told, w.parked = nil, nil, false, false
}

func (w *cancel) committed(s *Store, _ bool) error {
	if w.idle != nil {
		w.idle.ended()
		w.status = store.StatusCanceled
		return nil
	}
	s.queue.cancel(w.running)
	w.status = store.StatusRunning
	return nil
}

// unfinished is what the database has of an execution that is not over.
type unfinished struct {
	laneID
	seq int64
	id  []byte
	// unique is the key of its row in unique_keys, nil for none.
	unique []byte
	// attempts is how many ended.
	attempts int
}

// unfinished returns nil for an execution that is over.
func (s *Store) unfinished(seq int64) (*unfinished, error) {
	left := &unfinished{seq: seq}
	var flow, uniqueKey string
	var last sql.NullInt64
	var status sql.NullString
	err := s.statements.unfinished.QueryRowContext(context.Background(), seq).
		Scan(&left.id, &left.instance, &left.lane, &flow, &uniqueKey, &last, &status)
	if err != nil || store.Status(status.String).Final() {
		return nil, err
	}
	left.unique = uniqueHash(left.instance, flow, uniqueKey)
	left.attempts = int(last.Int64 & maxAttempt)
	return left, nil
}

// idle is an execution that does not run and is ended by the transaction under way.
type idle struct {
	*unfinished
	store *Store
	// seat is what memory had of it; nil for nothing.
	seat *seat
	// kept says that it keeps a seat in its lane, and that memory has no more of it; queued,
	// that it does not wait for its time.
	kept, queued bool
	// payload is how many bytes its payload has.
	payload int64
}

// withdraw takes an execution out of memory so that nobody claims it, or returns the seat
// on which it runs.
func (s *Store) withdraw(left *unfinished) (*idle, *seat) {
	seat, ready := s.queue.withdraw(left.seq)
	switch {
	case seat == nil:
	case ready:
		seat.leaving = true
	case seat.leaving: // It waits from this very commit on.
		seat = nil
	default:
		return nil, seat
	}
	return &idle{unfinished: left, store: s, seat: seat}, nil
}

// end records that the execution was canceled.
func (i *idle) end(reason string) error {
	s, ctx := i.store, context.Background()
	id, err := decodeID(i.id)
	if err != nil {
		return err
	}
	o := &store.Outcome{
		Attempt: i.attempts + 1, Status: store.StatusCanceled, EndedAt: time.Now(), Error: reason, State: endState(id),
	}
	if err := checkOutcome(o); err != nil {
		return err
	}
	if err := s.insertOutcome(i.seq, o); err != nil {
		return err
	}
	err = s.statements.discard.QueryRowContext(ctx, i.instance, i.lane, i.seq).Scan(&i.kept, &i.queued, &i.payload)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	return s.leaveUnique(i.unique)
}

// restore gives it back to memory.
func (i *idle) restore() {
	if i.seat != nil {
		i.seat.leaving = false
		i.store.queue.add(i.seat)
	}
}

// ended tells memory that it is over.
func (i *idle) ended() {
	id, _ := decodeID(i.id) // It was read before.
	if i.seat != nil {
		i.seat.over = true
		i.store.queue.dismiss(i.seat)
	} else if i.queued {
		i.store.queue.addLoad(i.instance, store.Load{Count: -1, Bytes: -i.payload})
	}
	if i.seat == nil && i.kept {
		i.store.queue.free(i.laneID)
	}
	i.store.ends.over(id)
}

// endState clears what only the execution could read.
func endState(id string) []store.StateChange {
	return []store.StateChange{{Scope: store.Scope{Kind: store.ScopeExecution, ID: id}, Op: store.StateClear}}
}
