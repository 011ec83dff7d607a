package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/sluice-go/sluice/store"
)

// Suspects are executions during which the process died twice. They are never ready: a claim
// takes one of them, if none runs anywhere, before it looks at others.

// anySuspect tells whether there is one that does not run and may be claimed.
var anySuspect = "SELECT EXISTS (SELECT FROM work w WHERE w.deaths > 1 AND w.status = 0 AND NOT " + closed("w.instance", 1) + ")"

// suspectsLock is held by the claim that takes one.
var suspectsLock = lockKey("suspects")

// nextSuspect is the first that may run: its instance is open to the worker, and its lane has
// a seat.
var nextSuspect = `SELECT w.seq, w.instance, w.lane FROM work w WHERE w.deaths > 1 AND w.status = 0
	AND NOT EXISTS (SELECT FROM work r WHERE r.deaths > 1 AND r.status = 2)
	AND NOT ` + closed("w.instance", 1) + `
	AND (w.lane_limit = 0 OR w.seated OR w.lane_limit >
		(SELECT count(*) FROM work o WHERE o.instance = w.instance AND o.lane = w.lane AND o.seated))
	ORDER BY w.seq LIMIT 1`

var takeNextSuspect = "UPDATE work w SET status = 2, seated = w.lane_limit > 0, worker = $4, token = w.token + 1, canceled = " + passed + " FROM (" + nextSuspect + `) AS n, executions e
	WHERE w.seq = n.seq AND e.seq = n.seq AND n.seq = $3 RETURNING ` + claimColumns

// takeSuspect claims the first suspect, if none runs, and gives seats to those who had to let
// it go first. It returns nil if there is nothing to claim.
func takeSuspect(ctx context.Context, tx *transaction, worker store.Worker) (*store.Claim, error) {
	if err := lock(ctx, tx, []int64{suspectsLock}); err != nil {
		return nil, err
	}
	for {
		var seq int64
		var l lane
		err := tx.QueryRow(ctx, nextSuspect, serves(worker)...).Scan(&seq, &l.instance, &l.lane)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil, nil
		}
		if err == nil && l.lane != "" {
			err = lock(ctx, tx, []int64{laneLock(l.instance, l.lane)})
		}
		if err != nil {
			return nil, err
		}
		rows, err := tx.Query(ctx, takeNextSuspect, append(serves(worker), seq, worker.ID)...)
		if err != nil {
			return nil, err
		}
		claim, err := pgx.CollectOneRow(rows, func(row pgx.CollectableRow) (*store.Claim, error) {
			claim, _, err := scanClaim(row, worker.ID)
			return claim, err
		})
		if errors.Is(err, pgx.ErrNoRows) {
			continue // Before we had the lane's lock, its seat was taken, or another came first.
		}
		if err != nil {
			return nil, err
		}
		lanes, err := lockLanes(ctx, tx, "deaths > 1 AND (status = 0 OR seq = $1)", seq)
		if err != nil {
			return nil, err
		}
		return claim, promoteAll(ctx, tx, lanes)
	}
}
