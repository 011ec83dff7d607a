package postgres

import (
	"context"
	"errors"
	"fmt"
	"math"

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
func (h *held) promote(b *pgx.Batch) {
	if e := h.claim.Execution; h.limited() {
		b.Queue(promote, encodeText(e.Instance), laneName(e), fewSeats)
	}
}

// vacated wakes those who may take what the claim held up: its seat, or the turn of the
// suspects.
func (h *held) vacated(s *Store) {
	if h.limited() {
		s.say(toldReady)
	}
	if h.claim.Recovered {
		s.lookNow()
	}
}

type finish struct {
	held
	*store.Outcome
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

// endWork records a final outcome.
const endWork = `WITH w AS (DELETE FROM work w USING executions e WHERE ` + fence + ` RETURNING w.seq, w.canceled)
	INSERT INTO outcomes (execution, attempt, status, started_at, ended_at, next_attempt, error, result, logs)
	SELECT seq, $4::integer, $5::text, $6::bigint, $7::bigint, $8::bigint,
		CASE WHEN $5::text = 'canceled' AND $9::text = '' THEN canceled ELSE $9::text END, $10::bytea, $11::bytea FROM w`

// deferWork records a waiting outcome, or a canceled one if there is a newer execution about
// the same. What is to be canceled does not wait.
const deferWork = `WITH n AS (SELECT EXISTS (SELECT FROM executions e, executions n WHERE e.id = $1 AND e.unique_key <> '' AND n.unique_key <> ''
		AND n.instance = e.instance AND n.flow = e.flow AND n.unique_key = e.unique_key AND n.seq > e.seq) AS newer),
	g AS (DELETE FROM work w USING executions e, n WHERE ` + fence + ` AND n.newer RETURNING w.seq),
	d AS (UPDATE work w SET status = 3, due = CASE WHEN canceled = '' THEN $8::bigint ELSE 0 END, seated = seated AND $12, attempt = attempt + 1,
			recovered = false, deaths = 0, crashes = 0, worker = ''
		FROM executions e, n WHERE ` + fence + ` AND NOT n.newer RETURNING w.seq)
	INSERT INTO outcomes (execution, attempt, status, started_at, ended_at, next_attempt, error, result, logs)
	SELECT seq, $4::integer, 'canceled', $6::bigint, $7::bigint, 0, $9::text, $10::bytea, $11::bytea FROM g
	UNION ALL SELECT seq, $4::integer, $5::text, $6::bigint, $7::bigint, $8::bigint, $9::text, $10::bytea, $11::bytea FROM d`

func (w *finish) queue(b *pgx.Batch) {
	statement, args := endWork, w.fenced(outcomeArgs(w.Outcome)...)
	if w.Status == store.StatusWaiting {
		statement, args = deferWork, append(args, w.KeepSeat)
	}
	b.Queue(statement, args...).Exec(w.written)
	w.promote(b)
}

func (w *finish) rest(ctx context.Context, tx pgx.Tx) error {
	if w.lost {
		return nil
	}
	return change(ctx, tx, w.State)
}

func (w *finish) committed(s *Store, _ bool) error {
	if w.lost {
		return store.ErrLeaseLost
	}
	w.vacated(s)
	s.sayOver(w.claim.Execution.ID) // Also of what waits: it may be canceled.
	if w.Status == store.StatusWaiting {
		s.lookNow()
	}
	return nil
}
