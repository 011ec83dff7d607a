package postgres

import (
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/sluice-go/sluice/store"
)

const executionColumns = `e.seq, e.id, e.accepted_at, e.integration, e.version, e.customer, e.owner, e.instance, e.flow,
	e.invoke_type, e.lane, e.lane_limit, e.unique_key, e.parent, e.original, e.depth, e.head, e.body, e.logs`

// scanExecution scans executionColumns and what follows them.
func scanExecution(row pgx.CollectableRow, more ...any) (*store.Execution, int64, error) {
	var e store.Execution
	var seq, acceptedAt int64
	var id [16]byte
	err := row.Scan(append([]any{
		&seq, &id, &acceptedAt, &e.Integration, &e.Version, &e.Customer, &e.User, &e.Instance,
		&e.Flow, &e.InvokeType, &e.Lane.Key, &e.Lane.Limit, &e.UniqueKey, &e.Parent, &e.Original, &e.Depth,
		&e.Payload.Head, &e.Payload.Body, &e.Logs,
	}, more...)...)
	if err != nil {
		return nil, 0, fmt.Errorf("store: read an execution: %w", err)
	}
	e.ID, e.AcceptedAt = decodeID(id), decodeTime(acceptedAt)
	return &e, seq, decodeText(&e.Integration, &e.Version, &e.Customer, &e.User, &e.Instance, &e.Flow, &e.InvokeType,
		&e.Lane.Key, &e.UniqueKey, &e.Parent, &e.Original)
}

const outcomeColumns = "attempt, status, started_at, ended_at, next_attempt, error, result, logs"

// scanOutcome scans the execution's seq and outcomeColumns.
func scanOutcome(row pgx.CollectableRow) (*store.Outcome, int64, error) {
	var o store.Outcome
	var seq, startedAt, endedAt, nextAttempt int64
	if err := row.Scan(&seq, &o.Attempt, &o.Status, &startedAt, &endedAt, &nextAttempt, &o.Error, &o.Result, &o.Logs); err != nil {
		return nil, 0, fmt.Errorf("store: read an outcome: %w", err)
	}
	o.StartedAt, o.EndedAt, o.NextAttempt = decodeTime(startedAt), decodeTime(endedAt), decodeTime(nextAttempt)
	return &o, seq, decodeText(&o.Error)
}

const stepColumns = "key, name, attempt, started_at, ended_at, result, error, state"

// scanStep scans the execution's seq and stepColumns.
func scanStep(row pgx.CollectableRow) (*store.Step, int64, error) {
	var step store.Step
	var seq, startedAt, endedAt int64
	if err := row.Scan(&seq, &step.Key, &step.Name, &step.Attempt, &startedAt, &endedAt, &step.Result, &step.Error, &step.State); err != nil {
		return nil, 0, fmt.Errorf("store: read a step: %w", err)
	}
	step.StartedAt, step.EndedAt = decodeTime(startedAt), decodeTime(endedAt)
	return &step, seq, decodeText(&step.Key, &step.Name, &step.Error)
}
