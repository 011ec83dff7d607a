package sqlite

import (
	"cmp"
	"slices"

	"github.com/sluice-go/sluice/store"
)

// laneID tells lanes apart. Executions of an instance without a limit share the lane with
// no name.
type laneID struct{ instance, lane string }

func laneOf(e *store.Execution) laneID {
	if e.Lane.Limit == 0 {
		return laneID{instance: e.Instance}
	}
	return laneID{e.Instance, "=" + e.Lane.Key}
}

// laneColumn is what pending.lane has for a row e of executions.
const laneColumn = "iif(e.lane_limit = 0, '', '=' || e.lane)"

// lane holds the first ready executions of a lane, or the first suspects.
type lane struct {
	laneID
	tenant *tenant
	// ready have no seat yet, resumed have kept theirs. Both are in the order of acceptance.
	ready, resumed []*seat
	// seats is how many are taken: by those that are claimed, or have kept theirs.
	seats int
	// suspects is how many of the lane stand among the ready suspects.
	suspects int
	// read is how far pending was read into ready; more says that there may be rows after.
	read int64
	more bool
	// inTurn lanes stand in tenant.turns, filling ones in queue.fills.
	inTurn, filling bool
}

// known tells whether the first of ready is the first of the lane: a seat that was given
// back or became due may have to wait for rows that were not read yet.
func (l *lane) known() bool { return len(l.ready) > 0 && l.has(l.ready[0]) }

// has tells whether all before the seat were read.
func (l *lane) has(s *seat) bool { return !l.more || s.seq <= l.read }

// free tells whether a new execution may be claimed at once: nobody waits for the seat.
func (l *lane) free(limit int) bool {
	return l.seats < limit && len(l.ready) == 0 && len(l.resumed) == 0 && l.suspects == 0 && !l.more
}

// empty tells whether nothing is known of the lane that a new one would not know.
func (l *lane) empty() bool {
	return len(l.ready) == 0 && len(l.resumed) == 0 && l.seats == 0 && l.suspects == 0 && !l.more && !l.filling && !l.inTurn
}

// insert puts a seat in its place.
func insert(list []*seat, s *seat) []*seat {
	at, _ := slices.BinarySearchFunc(list, s.seq, func(s *seat, seq int64) int { return cmp.Compare(s.seq, seq) })
	return slices.Insert(list, at, s)
}

// without takes one out: most often the first.
func without[T any](list []*T, one *T) []*T {
	if list[0] == one {
		list[0] = nil
		return list[1:]
	}
	at := slices.Index(list, one)
	return slices.Delete(list, at, at+1)
}
