package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/sluice-go/sluice/store"
)

// Finish implements [store.Finisher].
func (s *Store) Finish(ctx context.Context, claim *store.Claim, outcome *store.Outcome) error {
	w := &finish{held: held{claim: claim}, Outcome: outcome}
	err := w.check()
	if err == nil {
		err = s.submit(ctx, w)
	}
	if err != nil {
		return fmt.Errorf("store: finish execution %s: %w", claim.Execution.ID, err)
	}
	return nil
}

// held is what writes of a claim's holder have in common.
type held struct {
	claim *store.Claim
	// lost says that the claim is not the current one.
	lost bool
}

// fence chooses the row w of work, and e of executions, of a current claim.
const fence = "e.id = $1 AND w.seq = e.seq AND w.status = 2 AND w.worker = $2 AND w.token = $3"

// fenced are the arguments of fence, and more.
func (h *held) fenced(more ...any) []any {
	id, err := encodeID(h.claim.Execution.ID)
	if err != nil {
		id = [16]byte{} // Nobody's, so the claim is lost.
	}
	return append([]any{id, h.claim.Worker, h.claim.Token}, more...)
}

// written notes whether the statement found the claim to be current.
func (h *held) written(tag pgconn.CommandTag) error {
	h.lost = tag.RowsAffected() == 0
	return nil
}

func (h *held) locks() []int64 { return executionLocks(h.claim.Execution) }

func (h *held) limited() bool { return h.claim.Execution.Lane.Limit > 0 }

// promote passes the seat on.
func (h *held) promote(b *batch) {
	if e := h.claim.Execution; h.limited() {
		b.Queue(promote, encodeText(e.Instance), laneName(e), fewSeats)
	}
}

// vacated wakes those who may take what the claim held up: its seat, or the turn of the
// suspects.
func (h *held) vacated(s *Store) {
	if h.limited() || h.claim.Recovered {
		s.say(toldReady)
	}
}

type finish struct {
	held
	*store.Outcome
	// reason says why it is recorded as canceled instead of waiting, or without an error of
	// its own.
	reason string
}

func (w *finish) check() error {
	waits := w.Status == store.StatusWaiting
	switch {
	case w.Attempt != w.claim.Attempt:
		return fmt.Errorf("the outcome is of attempt %d, the claim of attempt %d", w.Attempt, w.claim.Attempt)
	case !waits && !w.Status.Final():
		return fmt.Errorf("its outcome is %q, which is neither final nor waiting", w.Status)
	case waits == w.NextAttempt.IsZero():
		return errors.New("a waiting outcome needs the time of the next attempt, others have none")
	default:
		return checkOutcome(w.Outcome)
	}
}

func checkOutcome(o *store.Outcome) error {
	if o.Attempt < 1 || o.Attempt > math.MaxInt32 {
		return fmt.Errorf("attempt %d is not between 1 and %d", o.Attempt, math.MaxInt32)
	}
	return checkState(o.State)
}

func (w *finish) refusable() bool { return len(w.State) > 0 }

func (w *finish) locks() []int64 { return append(w.held.locks(), stateLocks(w.State)...) }

// endWork records a final outcome, and returns why the execution was to be canceled.
const endWork = `WITH w AS (DELETE FROM work w USING executions e WHERE ` + fence + ` RETURNING w.seq, w.canceled),
	i AS (INSERT INTO outcomes (execution, attempt, status, started_at, ended_at, next_attempt, error, result, logs)
		SELECT seq, $4::integer, $5::text, $6::bigint, $7::bigint, $8::bigint,
			CASE WHEN $5::text = 'canceled' AND $9::text = '' THEN canceled ELSE $9::text END, $10::bytea, $11::bytea FROM w)
	SELECT canceled FROM w`

// holding chooses the rows w of work that belong to the claims u, and keeps them from others.
// It looks for them one by one: what the server knows of how many there are is old.
const holding = `, LATERAL (SELECT w.seq, w.canceled, w.crashes FROM work w
	WHERE w.seq = (SELECT e.seq FROM executions e WHERE e.id = u.id) AND w.status = 2 AND w.worker = u.worker AND w.token = u.token
	FOR UPDATE) AS w`

// endPlain is endWork for claims without a lane, one of each array. It returns the places of
// those that are current.
const endPlain = `WITH w AS MATERIALIZED (SELECT u.*, w.seq, w.canceled FROM unnest($1::uuid[], $2::text[], $3::bigint[],
			$4::integer[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[], $9::text[], $10::bytea[], $11::bytea[])
		WITH ORDINALITY AS u (id, worker, token, attempt, status, started_at, ended_at, next_attempt, error, result, logs, place)` + holding + `),
	d AS (DELETE FROM work WHERE seq = ANY (ARRAY(SELECT seq FROM w))),
	i AS (INSERT INTO outcomes (execution, attempt, status, started_at, ended_at, next_attempt, error, result, logs)
		SELECT seq, attempt, status, started_at, ended_at, next_attempt,
			CASE WHEN status = 'canceled' AND error = '' THEN canceled ELSE error END, result, logs FROM w)
	SELECT place, canceled FROM w`

// finishTogether records outcomes that are plain with one statement.
func finishTogether(b *batch, writes []*finish) {
	for _, w := range writes {
		w.lost = true
	}
	b.Queue(endPlain, columns(writes, (*finish).args)...).Query(func(rows pgx.Rows) error {
		var place int
		var reason string
		_, err := pgx.ForEachRow(rows, []any{&place, &reason}, func() error {
			w := writes[place-1]
			w.lost, w.reason = false, reason
			return decodeText(&w.reason)
		})
		return err
	})
}

// newer is the id of the newest execution that is about the same as one of executions e, null if
// there is none.
const newer = `(SELECT n.id FROM executions n WHERE e.unique_key <> '' AND n.unique_key <> ''
			AND n.instance = e.instance AND n.flow = e.flow AND n.unique_key = e.unique_key AND n.seq > e.seq
			ORDER BY n.seq DESC LIMIT 1)`

// deferWork records a waiting outcome. An execution that is to be canceled, or has a newer
// one about the same, is over instead: the reason is returned.
const deferWork = `WITH w AS (SELECT w.seq, w.canceled, ` + newer + ` AS by
		FROM work w, executions e WHERE ` + fence + ` FOR UPDATE OF w),
	r AS (SELECT seq, CASE WHEN canceled <> '' THEN canceled WHEN by IS NOT NULL THEN '` + superseded + `' || by ELSE '' END AS reason FROM w),
	g AS (DELETE FROM work USING r WHERE work.seq = r.seq AND reason <> ''),
	d AS (UPDATE work SET status = 3, due = $8::bigint, seated = seated AND $12, attempt = attempt + 1,
			recovered = false, deaths = 0, crashes = 0, worker = '' FROM r WHERE work.seq = r.seq AND reason = ''),
	i AS (INSERT INTO outcomes (execution, attempt, status, started_at, ended_at, next_attempt, error, result, logs)
		SELECT seq, $4::integer, $5::text, $6::bigint, $7::bigint, $8::bigint, $9::text, $10::bytea, $11::bytea FROM r)
	SELECT reason FROM r`

func (w *finish) queue(b *batch) {
	w.lost, w.reason = false, ""
	if w.plain() {
		b.finishes = append(b.finishes, w)
		return
	}
	w.queueAlone(b)
}

func (w *finish) args() []any { return w.fenced(outcomeArgs(w.Outcome)...) }

// plain says that the outcome is final and concerns no lane.
func (w *finish) plain() bool { return w.Status.Final() && !w.limited() }

func (w *finish) queueAlone(b *batch) {
	statement, args := endWork, w.args()
	if w.Status == store.StatusWaiting {
		statement, args = deferWork, append(args, w.KeepSeat)
	}
	b.Queue(statement, args...).QueryRow(func(row pgx.Row) error {
		err := row.Scan(&w.reason)
		if w.lost = errors.Is(err, pgx.ErrNoRows); w.lost {
			return nil
		}
		return cmp.Or(err, decodeText(&w.reason))
	})
	w.promote(b)
}

func (w *finish) rest(ctx context.Context, tx *transaction) error {
	if w.lost {
		return nil
	}
	if err := change(ctx, tx, w.State); err != nil || w.Status != store.StatusWaiting || w.reason == "" {
		return err
	}
	id := w.claim.Execution.ID
	if _, err := tx.Exec(ctx, `UPDATE outcomes SET status = 'canceled', next_attempt = 0, error = $3
		WHERE execution = (SELECT seq FROM executions WHERE id = $1::text::uuid) AND attempt = $2`,
		id, w.Attempt, encodeText(w.recorded().Error)); err != nil {
		return err
	}
	return change(ctx, tx, endState(id))
}

// endState clears the state that ends with an execution. Nobody else changes it then.
func endState(id string) []store.StateChange {
	return []store.StateChange{{Scope: store.Scope{Kind: store.ScopeExecution, ID: id}, Op: store.StateClear}}
}

// recorded is the outcome as it stands on record.
func (w *finish) recorded() store.Outcome {
	o := *w.Outcome
	switch {
	case w.reason == "":
	case o.Status == store.StatusWaiting:
		o.Status, o.NextAttempt, o.Error = store.StatusCanceled, time.Time{}, w.reason+": "+o.Error
	case o.Status == store.StatusCanceled:
		o.Error = cmp.Or(o.Error, w.reason)
	}
	return o
}

func (w *finish) committed(s *Store, abandoned bool) error {
	if w.lost {
		return store.ErrLeaseLost
	}
	o := w.recorded()
	if !abandoned && (o.Status != w.Status || o.Error != w.Error) {
		w.Status, w.NextAttempt, w.Error = o.Status, o.NextAttempt, o.Error
	}
	w.vacated(s)
	if o.Status == store.StatusWaiting {
		s.lookNow()
	} else {
		s.sayOver(w.claim.Execution.ID)
	}
	return nil
}
