package sqlite

import (
	"context"
	"database/sql"
)

// statements are those of the writing connection, prepared once.
type statements struct {
	begin, commit, rollback    *sql.Stmt
	savepoint, undo, release   *sql.Stmt
	execution, outcome, step   *sql.Stmt
	pend, unpend, due, resume  *sql.Stmt
	pending, suspects, crashes *sql.Stmt
	lane, mark, closed         *sql.Stmt
	dedupe, duplicate, purge   *sql.Stmt
	dueSchedules, advance      *sql.Stmt
	version                    *sql.Stmt

	unfinished, discard, cancel          *sql.Stmt
	newest, superseder                   *sql.Stmt
	enterUnique, passUnique, leaveUnique *sql.Stmt
	dropUnique                           *sql.Stmt

	state, setState, deleteState, clearState      *sql.Stmt
	stateScope, makeScope, resizeScope, dropScope *sql.Stmt

	all []*sql.Stmt
}

// prepare prepares them. A bare ? as a LIMIT has SQLite compile its statement anew each time that
// it is bound, to plan for the number: +? does not.
func prepare(ctx context.Context, conn *sql.Conn) (*statements, error) {
	s := &statements{}
	for _, p := range []struct {
		statement **sql.Stmt
		text      string
	}{
		{&s.begin, "BEGIN IMMEDIATE"},
		{&s.commit, "COMMIT"},
		{&s.rollback, "ROLLBACK"},
		{&s.savepoint, "SAVEPOINT write"},
		{&s.undo, "ROLLBACK TO write"},
		{&s.release, "RELEASE write"},
		{&s.execution, `INSERT INTO executions (seq, id, accepted_at, integration, version, customer, user, instance,
			flow, invoke_type, lane, lane_limit, unique_key, parent, original, depth, head, body, logs)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`},
		{&s.outcome, `INSERT INTO outcomes (id, status, started_at, ended_at, next_attempt, error, result, logs)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?)`},
		{&s.step, `INSERT INTO steps (execution, key, name, attempt, started_at, ended_at, result, error, state)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (execution, key) DO NOTHING`},
		{&s.pend, `INSERT INTO pending (instance, lane, seq, lane_limit, size, due, kept, recovered, deaths, crashes)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (instance, lane, seq) DO UPDATE SET due = excluded.due,
			kept = excluded.kept, recovered = excluded.recovered, deaths = excluded.deaths, crashes = excluded.crashes`},
		{&s.unpend, "DELETE FROM pending WHERE instance = ? AND lane = ? AND seq = ?"},
		{&s.due, "SELECT " + pendingColumns + ", due FROM pending WHERE due IS NOT NULL ORDER BY due LIMIT +?"},
		{&s.resume, "UPDATE pending SET due = NULL WHERE instance = ? AND lane = ? AND seq = ?"},
		{&s.pending, "SELECT " + pendingColumns + ` FROM pending WHERE instance = ? AND lane = ? AND seq > ?
			AND due IS NULL AND kept = 0 AND deaths < 2 ORDER BY seq LIMIT +?`},
		{&s.suspects, "SELECT " + pendingColumns + ` FROM pending WHERE deaths > 1 AND seq > ?
			AND due IS NULL AND kept = 0 ORDER BY seq LIMIT +?`},
		{&s.crashes, "UPDATE pending SET deaths = ?, crashes = ? WHERE instance = ? AND lane = ? AND seq = ?"},
		{&s.lane, "SELECT instance, lane FROM pending WHERE (instance, lane) > (?, ?) ORDER BY instance, lane LIMIT 1"},
		{&s.mark, "UPDATE recovery SET mark = ?"},
		{&s.closed, "UPDATE recovery SET closed = epoch"},
		{&s.dedupe, `INSERT INTO dedupe (key, until, execution) VALUES (?, ?, ?)
			ON CONFLICT (key) DO UPDATE SET until = excluded.until, execution = excluded.execution WHERE until <= ?`},
		{&s.duplicate, "SELECT execution FROM dedupe WHERE key = ?"},
		{&s.dueSchedules, "SELECT " + scheduleColumns + ` FROM schedules WHERE due > 0 AND (?1 IS NULL OR NOT EXISTS (
			SELECT 1 FROM instances i WHERE i.id = schedules.instance
			AND (i.integration, i.version) NOT IN (SELECT value ->> 0, value ->> 1 FROM json_each(?1))))
			ORDER BY due, instance, flow LIMIT +?2`},
		{&s.version, "SELECT integration, version FROM instances WHERE id = ?"},
		{&s.advance, "UPDATE schedules SET due = ?, last = coalesce(?, last) WHERE instance = ? AND flow = ? AND due = ?"},
		{&s.purge, "DELETE FROM dedupe WHERE key IN (SELECT key FROM dedupe WHERE until <= ? ORDER BY until LIMIT 2)"},
		{&s.unfinished, "SELECT e.id, e.instance, " + laneColumn + `, e.flow, e.unique_key, o.id, o.status FROM executions e
			LEFT JOIN outcomes o ON o.id = (SELECT max(id) FROM outcomes WHERE id BETWEEN e.seq << 20 AND e.seq << 20 | 0xFFFFF)
			WHERE e.seq = ?`},
		{&s.discard, "DELETE FROM pending WHERE instance = ? AND lane = ? AND seq = ? RETURNING kept, due IS NULL, size"},
		{&s.cancel, `INSERT INTO pending (instance, lane, seq, lane_limit, size, kept, recovered, deaths, crashes, canceled)
			VALUES (?, ?, ?, ?, ?, 0, ?, 0, 0, ?) ON CONFLICT (instance, lane, seq)
			DO UPDATE SET canceled = iif(canceled = '', excluded.canceled, canceled)`},
		{&s.newest, "SELECT newest FROM unique_keys WHERE key = ?"},
		{&s.superseder, `SELECT e.id FROM unique_keys u JOIN executions e ON e.seq = u.newest
			WHERE u.key = ? AND u.newest > ?`},
		{&s.enterUnique, `INSERT INTO unique_keys (key, newest, unfinished) VALUES (?, ?, 1)
			ON CONFLICT (key) DO UPDATE SET newest = excluded.newest, unfinished = unfinished + 1`},
		{&s.passUnique, "UPDATE unique_keys SET newest = ? WHERE key = ?"},
		{&s.leaveUnique, "UPDATE unique_keys SET unfinished = unfinished - 1 WHERE key = ?"},
		{&s.dropUnique, "DELETE FROM unique_keys WHERE key = ? AND unfinished = 0"},
		{&s.state, "SELECT value FROM state_values WHERE scope = ? AND key = ?"},
		{&s.setState, `INSERT INTO state_values (scope, key, value) VALUES (?, ?, ?)
			ON CONFLICT (scope, key) DO UPDATE SET value = excluded.value`},
		{&s.deleteState, "DELETE FROM state_values WHERE scope = ? AND key = ?"},
		{&s.clearState, "DELETE FROM state_values WHERE scope = ?"},
		{&s.stateScope, "SELECT id, size FROM state_scopes WHERE kind = ? AND owner = ? AND flow = ?"},
		{&s.makeScope, "INSERT INTO state_scopes (kind, owner, flow, size) VALUES (?, ?, ?, 0)"},
		{&s.resizeScope, "UPDATE state_scopes SET size = ? WHERE id = ?"},
		{&s.dropScope, "DELETE FROM state_scopes WHERE id = ?"},
	} {
		statement, err := conn.PrepareContext(ctx, p.text) //nolint:sqlclosecheck // Store.release closes them all.
		if err != nil {
			return s, err
		}
		*p.statement = statement
		s.all = append(s.all, statement)
	}
	return s, nil
}

// close closes all: the connection stays open as long as one is.
func (s *statements) close() error {
	var first error
	for _, statement := range s.all {
		if err := statement.Close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}
