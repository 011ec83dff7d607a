package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sluice-go/sluice/store"
)

// Claim implements [store.Claimer].
func (s *Store) Claim(ctx context.Context, worker store.Worker, limit int) ([]*store.Claim, error) {
	for {
		changed := s.ready.next()
		claims, wait, err := s.claim(ctx, worker, limit)
		if err == nil && len(claims) == 0 {
			err = s.waitFor(ctx, changed, wait)
		}
		switch {
		case err == nil && len(claims) == 0:
		case err == nil, len(claims) > 0: // What is claimed is handed over, even if the context ended.
			return claims, nil
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		default:
			return nil, fmt.Errorf("store: claim: %w", err)
		}
	}
}

// contended is how long a claim waits that found ready executions in the hands of others: if
// they let go of them, nobody says so.
const contended = 10 * time.Millisecond

// claim claims what is ready now, or returns when to look again. Claims of one process take
// turns: at the same time they would look at the same rows.
func (s *Store) claim(ctx context.Context, worker store.Worker, limit int) (claims []*store.Claim, wait time.Duration, err error) {
	if err := s.turns.enter(ctx, s.running); err != nil {
		return nil, 0, err
	}
	defer s.turns.leave()
	wait = poll
	err = s.within(ctx, func(ctx context.Context) error {
		lanes, suspects, err := s.look(ctx, worker, limit)
		if err != nil || len(lanes) == 0 && !suspects {
			return err
		}
		until, err := s.employ(ctx, worker)
		if err != nil {
			return err
		}
		var suspect *store.Claim
		// What may be written is claimed, even if the context ends meanwhile.
		err = s.transact(context.WithoutCancel(ctx), func(ctx context.Context, tx *transaction) error {
			claims, suspect = nil, nil
			if suspects {
				if suspect, err = takeSuspect(ctx, tx, worker); err != nil {
					return err
				}
			}
			free := limit
			if suspect != nil {
				claims, free = append(claims, suspect), limit-1
			}
			if len(lanes) == 0 || free == 0 {
				return nil
			}
			others, err := takeTurns(ctx, tx, worker, s.turns.take(lanes, free))
			claims = append(claims, others...)
			return err
		})
		if err != nil {
			claims = nil
			return err
		}
		for _, claim := range claims {
			claim.Until = until
		}
		if len(lanes) > 0 {
			wait = contended
		}
		if suspect != nil { // What waited behind it may be ready.
			s.say(toldReady)
			s.tell.send()
		}
		return nil
	})
	return claims, wait, err
}

// maxLanes bounds how many lanes of an instance a claim chooses from.
const maxLanes = 256

// selectLanes finds up to $2 instances with ready executions, and their lanes that have
// some, from the instance after $1 on. It steps from one instance in the index to the next,
// however many executions each has.
var selectLanes = `WITH RECURSIVE
	later (instance) AS (
		(SELECT instance FROM work WHERE status = 1 AND instance > $1 ORDER BY instance LIMIT 1)
		UNION ALL
		SELECT n.instance FROM later t, LATERAL
			(SELECT instance FROM work WHERE status = 1 AND instance > t.instance ORDER BY instance LIMIT 1) AS n),
	earlier (instance) AS (
		(SELECT instance FROM work WHERE status = 1 AND instance <= $1 ORDER BY instance LIMIT 1)
		UNION ALL
		SELECT n.instance FROM earlier t, LATERAL
			(SELECT instance FROM work WHERE status = 1 AND instance > t.instance AND instance <= $1 ORDER BY instance LIMIT 1) AS n),
	chosen AS (
		SELECT instance FROM (SELECT instance FROM later UNION ALL SELECT instance FROM earlier) AS t
		WHERE NOT ` + closed("t.instance", 4) + ` LIMIT $2)
	SELECT c.instance, l.lane FROM chosen c, LATERAL (
		WITH RECURSIVE lanes (lane) AS (
			(SELECT lane FROM work WHERE status = 1 AND instance = c.instance ORDER BY lane LIMIT 1)
			UNION ALL
			SELECT n.lane FROM lanes t, LATERAL
				(SELECT lane FROM work WHERE status = 1 AND instance = c.instance AND lane > t.lane ORDER BY lane LIMIT 1) AS n)
		SELECT lane FROM lanes LIMIT $3) AS l`

// look returns the lanes with ready executions, those of an instance together, and whether
// suspects wait. For a worker that does not know that its lease was lost it returns ErrLeaseLost,
// also where there is nothing to claim.
func (s *Store) look(ctx context.Context, worker store.Worker, limit int) (lanes []lane, suspects bool, err error) {
	b := &pgx.Batch{}
	b.Queue(selectLanes, append([]any{s.turns.instance, limit, maxLanes}, serves(worker)...)...).Query(func(rows pgx.Rows) error {
		lanes, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (l lane, err error) {
			err = row.Scan(&l.instance, &l.lane)
			return l, err
		})
		return err
	})
	b.Queue(anySuspect, serves(worker)...).QueryRow(func(row pgx.Row) error { return row.Scan(&suspects) })
	lost := false
	b.Queue("SELECT EXISTS (SELECT FROM workers WHERE id = $1 AND lost)", worker.ID).QueryRow(func(row pgx.Row) error { return row.Scan(&lost) })
	err = s.pool.SendBatch(ctx, b).Close()
	if err == nil && lost {
		err = store.ErrLeaseLost
	}
	return lanes, suspects, err
}

// takeTurn locks the first ready executions of lanes and claims them, if they are ready
// still. It returns the place of each among all.
var takeTurn = `WITH picked AS (
		SELECT r.seq, t.turn FROM unnest($1::text[], $2::text[], $3::bigint[]) WITH ORDINALITY AS t (instance, lane, want, turn), LATERAL (
			SELECT seq FROM work WHERE status = 1 AND instance = t.instance AND lane = t.lane ORDER BY seq LIMIT t.want
			FOR UPDATE SKIP LOCKED) AS r
		WHERE NOT ` + closed("t.instance", 5) + `)
	UPDATE work w SET status = 2, worker = $4, token = w.token + 1, canceled = ` + passed + ` FROM picked p, executions e
	WHERE w.seq = p.seq AND e.seq = p.seq AND w.status = 1
	RETURNING ` + claimColumns + ", p.turn"

// passed is why a claimed execution of work w and executions e is to be canceled: also because it
// failed before and a newer one with its key came while it was claimed, whose claim was lost or
// given back. One that comes while it waits ends it.
const passed = `CASE WHEN w.canceled = '' AND w.attempt > 1 AND e.unique_key <> ''
	THEN coalesce('` + superseded + `' || ` + newer + `, '') ELSE w.canceled END`

const claimColumns = executionColumns + ", w.token, w.attempt, w.recovered, w.crashes, w.canceled"

// scanClaim scans claimColumns and what follows them.
func scanClaim(row pgx.CollectableRow, worker string, more ...any) (*store.Claim, int64, error) {
	claim := &store.Claim{Worker: worker}
	execution, seq, err := scanExecution(row, append([]any{
		&claim.Token, &claim.Attempt, &claim.Recovered, &claim.Crashes, &claim.Canceled,
	}, more...)...)
	if err != nil {
		return nil, 0, err
	}
	claim.Execution = execution
	return claim, seq, decodeText(&claim.Canceled)
}

func takeTurns(ctx context.Context, tx *transaction, worker store.Worker, turns []turn) ([]*store.Claim, error) {
	instances, lanes, wants := make([]string, len(turns)), make([]string, len(turns)), make([]int64, len(turns))
	for i, t := range turns {
		instances[i], lanes[i], wants[i] = t.instance, t.lane.lane, int64(t.want)
	}
	type place struct {
		seq, turn int64
		claim     *store.Claim
	}
	var places []place
	b := &pgx.Batch{}
	b.Queue(takeTurn, append([]any{instances, lanes, wants, worker.ID}, serves(worker)...)...).Query(func(rows pgx.Rows) (err error) {
		places, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (p place, err error) {
			p.claim, p.seq, err = scanClaim(row, worker.ID, &p.turn)
			return p, err
		})
		return err
	})
	if err := tx.SendBatch(ctx, b); err != nil {
		return nil, err
	}
	// One of each lane after the other, and each lane in its order.
	slices.SortFunc(places, func(a, b place) int { return cmp.Compare(a.seq, b.seq) })
	rounds := map[int64]int{}
	round := make(map[int64]int, len(places))
	for _, p := range places {
		round[p.seq] = rounds[p.turn]
		rounds[p.turn]++
	}
	slices.SortStableFunc(places, func(a, b place) int {
		return cmp.Or(cmp.Compare(round[a.seq], round[b.seq]), cmp.Compare(a.turn, b.turn))
	})
	claims := make([]*store.Claim, len(places))
	for i, p := range places {
		claims[i] = p.claim
	}
	return claims, nil
}

// turns remembers whose turn it was: instances take turns, and the lanes of each. The claim
// that has entered chooses.
type turns struct {
	gate
	// instance had the last turn, and its lanes as said in lanes.
	instance string
	lanes    map[string]string
}

// turn is that of a lane: it has as many executions as it wants.
type turn struct {
	lane
	want int
}

// maxRemembered bounds the instances whose last lane is remembered.
const maxRemembered = 10_000

// take chooses whose turns are next, and for how many executions, limit together. lanes has
// those of an instance side by side, in their order.
func (t *turns) take(lanes []lane, limit int) []turn {
	var instances [][]lane
	for i, l := range lanes {
		if i == 0 || lanes[i-1].instance != l.instance {
			instances = append(instances, nil)
		}
		instances[len(instances)-1] = append(instances[len(instances)-1], l)
	}
	for i, list := range instances { // Each begins after the lane that had its last turn.
		last, ok := t.lanes[list[0].instance]
		at := slices.IndexFunc(list, func(l lane) bool { return l.lane > last })
		if ok && at > 0 {
			instances[i] = append(slices.Clone(list[at:]), list[:at]...)
		}
	}
	if t.lanes == nil || len(t.lanes) > maxRemembered {
		t.lanes = map[string]string{}
	}
	places := map[lane]int{}
	var chosen []turn
	for n := range limit {
		list := instances[n%len(instances)]
		next := list[n/len(instances)%len(list)]
		if at, ok := places[next]; ok {
			chosen[at].want++
		} else {
			places[next] = len(chosen)
			chosen = append(chosen, turn{next, 1})
		}
		t.instance, t.lanes[next.instance] = next.instance, next.lane
	}
	return chosen
}
