package postgres

import (
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/sluice-go/sluice/store"
)

// status is where an execution without a final outcome stands; see the table work.
type status int16

const (
	queued status = iota
	ready
	claimed
	waiting
	paused
)

// acceptKind is what an acceptance has of what changes its statement.
type acceptKind struct{ dedupe, limited, over bool }

const payloadSize = "coalesce(octet_length($16), 0) + coalesce(octet_length($17), 0)"

// acceptStatements insert an execution and its row of work, or its outcome. They return its
// status; a duplicate returns nothing.
var acceptStatements = func() map[acceptKind]string {
	statements := map[acceptKind]string{}
	for i := range 8 {
		kind := acceptKind{i&1 > 0, i&2 > 0, i&4 > 0}
		statements[kind] = kind.statement()
	}
	return statements
}()

func (k acceptKind) statement() string {
	with, when, next := "WITH ", "", 19
	if k.dedupe {
		// A key past its window is taken over.
		with += `d AS (INSERT INTO dedupe AS d (key, until, execution) VALUES ($19, $20, $1)
			ON CONFLICT (key) DO UPDATE SET until = excluded.until, execution = excluded.execution WHERE d.until <= $2
			RETURNING 1), `
		when, next = " WHERE EXISTS (SELECT FROM d)", 21
	}
	with += `e AS (INSERT INTO executions (id, accepted_at, integration, version, customer, owner, instance, flow, invoke_type,
		lane, lane_limit, unique_key, parent, original, depth, head, body, logs)
		SELECT $1::uuid, $2::bigint, $3::text, $4::text, $5::text, $6::text, $7::text, $8::text, $9::text, $10::text, $11::integer,
			$12::text, $13::text, $14::text, $15::integer, $16::bytea, $17::bytea, $18::bytea` + when + " RETURNING seq)\n"
	switch {
	case k.over:
		return with + fmt.Sprintf(`INSERT INTO outcomes (execution, attempt, status, started_at, ended_at, next_attempt, error, result, logs)
			SELECT seq, $%d::integer, $%d::text, $%d::bigint, $%d::bigint, $%d::bigint, $%d::text, $%d::bytea, $%d::bytea FROM e RETURNING 2::smallint`,
			next, next+1, next+2, next+3, next+4, next+5, next+6, next+7)
	case k.limited:
		// It takes a seat if one is free and nobody waits for it, and runs at once if nobody
		// who has a seat is still to begin.
		return with + fmt.Sprintf(`, f AS (SELECT e.seq, (SELECT count(*) FROM work WHERE instance = $7 AND lane = $%d AND seated) < $11
				AND NOT EXISTS (SELECT FROM work WHERE instance = $7 AND lane = $%[1]d AND status = 0 AND deaths < 2)
				AND NOT EXISTS (SELECT FROM work WHERE instance = $7 AND lane = $%[1]d AND status = 0 AND deaths > 1) AS free,
				EXISTS (SELECT FROM work WHERE instance = $7 AND lane = $%[1]d AND status = 1) OR `+closedTo("$7", placeholder(next+2))+` AS others FROM e),
			s AS (SELECT seq, free, CASE WHEN NOT free THEN 0 WHEN others OR $%[2]d::text = '' THEN 1 ELSE 2 END AS status FROM f)
			INSERT INTO work (seq, instance, lane, lane_limit, size, status, seated, worker, token)
			SELECT seq, $7, $%[1]d::text, $11, `+payloadSize+`, status, free, CASE status WHEN 2 THEN $%[2]d::text ELSE '' END, CASE status WHEN 2 THEN 1 ELSE 0 END
			FROM s RETURNING status`, next, next+1)
	default:
		return with + fmt.Sprintf(`INSERT INTO work (seq, instance, lane, lane_limit, size, status, seated, worker, token)
			SELECT seq, $7, '', 0, `+payloadSize+`, s, false, CASE s WHEN 2 THEN $%d::text ELSE '' END, s - 1
			FROM e, (SELECT CASE WHEN $%[1]d::text = '' OR `+closedTo("$7", placeholder(next+1))+` THEN 1 ELSE 2 END AS s) AS s RETURNING status`, next)
	}
}

// acceptPlain are acceptances that ask for nothing but to be run, one of each array. It
// returns the status of each by its place.
var acceptPlain = `WITH s AS MATERIALIZED (
		SELECT u.*, nextval('executions_seq_seq') AS seq,
			CASE WHEN u.worker = '' OR ` + closedTo("u.instance", "u.versions") + ` THEN 1 ELSE 2 END AS status
		FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
				$10::text[], $11::integer[], $12::text[], $13::text[], $14::text[], $15::integer[], $16::bytea[], $17::bytea[],
				$18::bytea[], $19::text[], $20::text[])
			WITH ORDINALITY AS u (id, accepted_at, integration, version, customer, owner, instance, flow, invoke_type,
				lane, lane_limit, unique_key, parent, original, depth, head, body, logs, worker, versions, place)),
	e AS (INSERT INTO executions (seq, id, accepted_at, integration, version, customer, owner, instance, flow, invoke_type,
			lane, lane_limit, unique_key, parent, original, depth, head, body, logs) OVERRIDING SYSTEM VALUE
		SELECT seq, id, accepted_at, integration, version, customer, owner, instance, flow, invoke_type,
			lane, lane_limit, unique_key, parent, original, depth, head, body, logs FROM s),
	w AS (INSERT INTO work (seq, instance, lane, lane_limit, size, status, seated, worker, token)
		SELECT seq, instance, '', 0, coalesce(octet_length(head), 0) + coalesce(octet_length(body), 0), status, false, CASE status WHEN 2 THEN worker ELSE '' END, status - 1 FROM s)
	SELECT place, status FROM s`

// acceptTogether accepts those that are plain with one statement.
func acceptTogether(b *batch, writes []*accept) {
	b.Queue(acceptPlain, columns(writes, func(w *accept) []any {
		_, args := w.statement()
		return args
	})...).Query(func(rows pgx.Rows) error {
		var place int
		var found status
		_, err := pgx.ForEachRow(rows, []any{&place, &found}, func() error {
			writes[place-1].status = found
			return nil
		})
		return err
	})
}

// statement returns the statement that accepts, and its arguments.
func (w *accept) statement() (statement string, args []any) {
	e := w.Execution
	kind := acceptKind{dedupe: w.DedupeKey != "", limited: e.Lane.Limit > 0, over: w.Outcome != nil}
	args = []any{
		w.id, encodeTime(e.AcceptedAt), encodeText(e.Integration), encodeText(e.Version), encodeText(e.Customer),
		encodeText(e.User), encodeText(e.Instance), encodeText(e.Flow), encodeText(e.InvokeType), encodeText(e.Lane.Key), e.Lane.Limit,
		encodeText(e.UniqueKey), encodeText(e.Parent), encodeText(e.Original), e.Depth, e.Payload.Head, e.Payload.Body, e.Logs,
	}
	if kind.dedupe {
		args = append(args, w.dedupeKey(), encodeTime(w.DedupeUntil))
	}
	switch {
	case kind.over:
		args = append(args, outcomeArgs(w.Outcome)...)
	case kind.limited:
		args = append(args, laneName(e), w.Worker.ID, versionsOf(w.Worker, e.Integration))
	default:
		args = append(args, w.Worker.ID, versionsOf(w.Worker, e.Integration))
	}
	return acceptStatements[kind], args
}

func outcomeArgs(o *store.Outcome) []any {
	return []any{
		o.Attempt, string(o.Status), encodeTime(o.StartedAt), encodeTime(o.EndedAt), encodeTime(o.NextAttempt),
		encodeText(o.Error), o.Result, o.Logs,
	}
}

// purgeDedupe removes up to two keys past their window with each that is written, so that
// they never pile up.
const purgeDedupe = `DELETE FROM dedupe WHERE key IN
	(SELECT key FROM dedupe WHERE until <= $1 ORDER BY until LIMIT 2 FOR UPDATE SKIP LOCKED)`

// cancelOlder ends the executions that failed and do not run while the one with the id $1 is
// about the same. A duplicate is not there, and cancels none.
const cancelOlder = `WITH n AS (SELECT seq, id FROM executions WHERE id = $1),
	c AS (DELETE FROM work w USING n, executions o
		WHERE o.instance = $2 AND o.flow = $3 AND o.unique_key = $4 AND o.unique_key <> '' AND o.seq < n.seq AND w.seq = o.seq
			AND w.status <> 2 AND w.attempt > 1
		RETURNING o.seq, o.id, w.attempt, n.id AS by),
	i AS (INSERT INTO outcomes (execution, attempt, status, started_at, ended_at, next_attempt, error)
		SELECT seq, attempt, 'canceled', 0, ` + clock + `, 0, '` + superseded + `' || by FROM c),
	s AS (SELECT s.id FROM state_scopes s, c WHERE s.kind = 'execution' AND s.owner = c.id::text AND s.flow = ''),
	v AS (DELETE FROM state_values WHERE scope IN (SELECT id FROM s)),
	d AS (DELETE FROM state_scopes WHERE id IN (SELECT id FROM s))
	SELECT id FROM c ORDER BY seq`

// superseded begins the reason why an execution is canceled for which there is a newer one:
// that one's id follows.
const superseded = "superseded by execution "

const (
	// fewSeats are so many as come free with one write.
	fewSeats = 4
	// manySeats are more than a lane has, most often.
	manySeats = 1000
)

// promote gives the first of a lane that wait for a seat the free ones, up to $3. Where a
// suspect of the lane waits and none runs, it comes first: the next claim takes it. The
// transaction holds the lock of the lane.
const promote = `WITH taken AS (SELECT count(*) AS n FROM work WHERE instance = $1 AND lane = $2 AND seated),
	head AS (SELECT seq, lane_limit, row_number() OVER (ORDER BY seq) AS nth FROM (
		SELECT seq, lane_limit FROM work WHERE instance = $1 AND lane = $2 AND status = 0 AND deaths < 2 ORDER BY seq LIMIT $3) AS q),
	fit AS (SELECT seq, bool_and(nth + taken.n <= lane_limit) OVER (ORDER BY seq) AS fits FROM head, taken)
	UPDATE work SET status = 1, seated = true WHERE seq IN (SELECT seq FROM fit WHERE fits) AND (
		NOT EXISTS (SELECT FROM work WHERE instance = $1 AND lane = $2 AND status = 0 AND deaths > 1)
		OR EXISTS (SELECT FROM work WHERE deaths > 1 AND status = 2))`

// unseat takes the seats of those of a lane who have not begun back, for one that was
// accepted before them and waits for its seat again. The transaction holds the lock of the
// lane.
const unseat = `UPDATE work SET status = 0, seated = false WHERE seq IN (
	SELECT seq FROM work WHERE instance = $1 AND lane = $2 AND status = 1 AND attempt = 1 AND NOT recovered AND seq >
		(SELECT min(seq) FROM work WHERE instance = $1 AND lane = $2 AND status = 0 AND deaths < 2)
	FOR UPDATE SKIP LOCKED)`
