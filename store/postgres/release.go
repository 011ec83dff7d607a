package postgres

import (
	"context"
	"fmt"

	"github.com/sluice-go/sluice/store"
)

// Release implements [store.Claimer].
func (s *Store) Release(ctx context.Context, claim *store.Claim, pause store.Pause) error {
	if err := s.submit(ctx, newRelease(claim, pause)); err != nil {
		return fmt.Errorf("store: release execution %s: %w", claim.Execution.ID, err)
	}
	return nil
}

type release struct {
	held
	store.Pause
}

func newRelease(claim *store.Claim, pause store.Pause) *release {
	return &release{held: held{claim: claim}, Pause: pause}
}

// releaseWork has what is ready at once wait for its turn: a suspect for that of the
// suspects, and what has no seat for that of its lane. What is to be canceled does not wait.
const releaseWork = `UPDATE work w SET worker = '', recovered = true, seated = seated AND $4, due = CASE WHEN canceled = '' THEN $5::bigint ELSE 0 END,
	status = CASE WHEN $5::bigint > 0 AND canceled = '' THEN 4 WHEN deaths < 2 AND (w.lane_limit = 0 OR seated AND $4) THEN 1 ELSE 0 END
	FROM executions e WHERE ` + fence

func (w *release) refusable() bool { return false }

func (w *release) queue(b *batch) {
	b.Queue(releaseWork, w.fenced(w.KeepSeat, encodeTime(w.Until))...).Exec(w.written)
	if w.limited() && !w.KeepSeat {
		b.Queue(unseat, encodeText(w.claim.Execution.Instance), laneName(w.claim.Execution))
	}
	w.promote(b)
}

func (w *release) rest(context.Context, *transaction) error { return nil }

func (w *release) committed(s *Store, _ bool) error {
	if w.lost {
		return store.ErrLeaseLost
	}
	s.say(toldReady)
	s.lookNow()
	return nil
}
