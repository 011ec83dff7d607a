package sqlite

import "github.com/sluice-go/sluice/store"

// seat is an execution that is ready or claimed.
type seat struct {
	seq int64
	laneID
	// limit is that of its lane when it was accepted; 0 is none.
	limit int
	// payload is how many bytes its payload has.
	payload int64
	// execution and attempt are nil and 0 as long as they are not read back.
	execution *store.Execution
	attempt   int
	// recovered says that an earlier claim may have ended without an outcome.
	recovered bool
	// seated says that it has one of the seats of its lane; kept, that its row in pending
	// says so.
	seated, kept bool
	// deaths is how often the process died while it was claimed, in this attempt; crashes
	// counts since its last step. If there were any, its row in pending has one more as
	// long as it is claimed.
	deaths, crashes int
	// canceled says why it is to be canceled, canceling already before that is committed.
	canceled, canceling string
	// token is that of the current claim, 0 without one; lessee is the worker that has it,
	// nil once its lease ran out.
	token  int64
	lessee *lessee
	// parked seats have a row in pending. The transaction under way ends the claim of ending
	// ones; leaving ones need no row of the mark after it. over ones have left memory. Only
	// the committing goroutine looks at them.
	parked, ending, leaving, over bool
}

func newSeat(seq int64, e *store.Execution) *seat {
	return &seat{seq: seq, laneID: laneOf(e), limit: e.Lane.Limit, payload: e.Payload.Size(), execution: e, attempt: 1}
}

// claim is that of the worker who has the seat.
func (s *seat) claim() *store.Claim {
	return &store.Claim{
		Execution: s.execution, Worker: s.lessee.id, Token: s.token, Until: s.lessee.until, Attempt: s.attempt,
		Recovered: s.recovered, Crashes: s.crashes, Canceled: s.canceled,
	}
}

func (s *seat) size() int {
	if s.execution == nil {
		return 0
	}
	return len(s.execution.Payload.Head) + len(s.execution.Payload.Body) + len(s.execution.Logs)
}
