package sqlite

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/store"
)

// TestOneClaimInOneCommit puts writes of one claim into one commit: what follows its
// outcome has lost it.
func TestOneClaimInOneCommit(t *testing.T) {
	t.Parallel()
	s := openTest(t, inMemory, defaultLimits)
	defer func() { require.NoError(t, s.Close()) }()
	accepted, err := s.Accept(t.Context(), &store.Acceptance{Execution: testExecution(10), Worker: worker("w")})
	require.NoError(t, err)
	claim := accepted.Claim
	over := &store.Outcome{Attempt: 1, Status: store.StatusSucceeded}
	again := &store.Outcome{Attempt: 1, Status: store.StatusWaiting, NextAttempt: time.Now().Add(time.Hour)}
	var batch []*ticket
	for _, w := range []write{
		&record{claim: claim, Step: &store.Step{Key: "before", Attempt: 1}},
		&finish{claim: claim, given: over},
		&release{claim: claim},
		&finish{claim: claim, given: again},
		&record{claim: claim, Step: &store.Step{Key: "after", Attempt: 1}},
	} {
		batch = append(batch, &ticket{write: w, answer: make(chan error, 1)})
	}
	s.conn.Lock()
	s.commit(batch)
	s.conn.Unlock()
	for i, ticket := range batch {
		if i < 2 {
			require.NoError(t, <-ticket.answer)
		} else {
			require.ErrorIs(t, <-ticket.answer, store.ErrLeaseLost)
		}
	}
	found, err := s.Execution(t.Context(), claim.Execution.ID)
	require.NoError(t, err)
	require.Equal(t, store.StatusSucceeded, found.Status)
	require.Len(t, found.Steps, 1)
}

// worker is one whose lease outlasts every test that does not wait for its end.
func worker(id string) store.Worker { return store.Worker{ID: id, Lease: time.Hour} }
