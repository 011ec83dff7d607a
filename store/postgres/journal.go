package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/sluice-go/sluice/store"
)

// RecordStep implements [store.Journal].
func (s *Store) RecordStep(ctx context.Context, claim *store.Claim, step *store.Step) error {
	err := checkState(step.Commit)
	if err == nil {
		err = s.submit(ctx, &record{held: held{claim: claim}, Step: step})
	}
	if err != nil {
		return fmt.Errorf("store: record step %q of execution %s: %w", step.Key, claim.Execution.ID, err)
	}
	return nil
}

type record struct {
	held
	*store.Step
	recorded bool
}

func (w *record) refusable() bool { return len(w.Commit) > 0 }

func (w *record) locks() []int64 { return stateLocks(w.Commit) }

// insertStep records a step of an execution that is accepted in the same transaction.
const insertStep = `INSERT INTO steps (execution, key, name, attempt, started_at, ended_at, result, error, state)
	SELECT e.seq, $2::text, $3::text, $4::integer, $5::bigint, $6::bigint, $7::bytea, $8::text, $9::bytea
	FROM executions e WHERE e.id = $1 ON CONFLICT (execution, key) DO NOTHING`

func stepArgs(id [16]byte, step *store.Step) []any {
	return []any{
		id, encodeText(step.Key), encodeText(step.Name), step.Attempt, encodeTime(step.StartedAt), encodeTime(step.EndedAt),
		step.Result, encodeText(step.Error), step.State,
	}
}

// recordStep keeps the claim from ending before the commit. It returns whether the step was
// not on record; nothing if the claim is lost.
const recordStep = `WITH w AS (SELECT w.seq, w.crashes FROM work w, executions e WHERE ` + fence + ` FOR UPDATE OF w),
	c AS (UPDATE work SET crashes = 0 FROM w WHERE work.seq = w.seq AND w.crashes > 0),
	i AS (INSERT INTO steps (execution, key, name, attempt, started_at, ended_at, result, error, state)
		SELECT seq, $4::text, $5::text, $6::integer, $7::bigint, $8::bigint, $9::bytea, $10::text, $11::bytea FROM w
		ON CONFLICT (execution, key) DO NOTHING RETURNING 1)
	SELECT EXISTS (SELECT FROM i) FROM w`

// recordPlain is recordStep for many, one of each array. It returns the places of those whose
// claim is current.
const recordPlain = `WITH w AS MATERIALIZED (SELECT u.*, w.seq, w.crashes FROM unnest($1::uuid[], $2::text[], $3::bigint[],
			$4::text[], $5::text[], $6::integer[], $7::bigint[], $8::bigint[], $9::bytea[], $10::text[], $11::bytea[])
		WITH ORDINALITY AS u (id, worker, token, key, name, attempt, started_at, ended_at, result, error, state, place)` + holding + `),
	c AS (UPDATE work SET crashes = 0 WHERE seq = ANY (ARRAY(SELECT seq FROM w WHERE crashes > 0))),
	i AS (INSERT INTO steps (execution, key, name, attempt, started_at, ended_at, result, error, state)
		SELECT seq, key, name, attempt, started_at, ended_at, result, error, state FROM w ORDER BY place
		ON CONFLICT (execution, key) DO NOTHING)
	SELECT place FROM w`

// recordTogether records steps without changes of state with one statement.
func recordTogether(b *batch, writes []*record) {
	b.Queue(recordPlain, columns(writes, (*record).args)...).Query(func(rows pgx.Rows) error {
		var place int
		_, err := pgx.ForEachRow(rows, []any{&place}, func() error {
			writes[place-1].lost = false
			return nil
		})
		return err
	})
}

func (w *record) args() []any { return w.fenced(stepArgs([16]byte{}, w.Step)[1:]...) }

func (w *record) queue(b *batch) {
	w.lost = true
	b.records = append(b.records, w)
}

func (w *record) queueAlone(b *batch) {
	b.Queue(recordStep, w.args()...).Query(func(rows pgx.Rows) error {
		defer rows.Close()
		if rows.Next() {
			w.lost = false
			if err := rows.Scan(&w.recorded); err != nil {
				return err
			}
		}
		rows.Close()
		return rows.Err()
	})
}

func (w *record) rest(ctx context.Context, tx *transaction) error {
	if w.lost || !w.recorded {
		return nil
	}
	return change(ctx, tx, w.Commit)
}

func (w *record) committed(*Store, bool) error {
	if w.lost {
		return store.ErrLeaseLost
	}
	return nil
}
