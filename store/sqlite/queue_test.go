package sqlite

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/store"
)

// TestQueueHoldsBack keeps a seat back until the rows before it are read, also when there
// turn out to be none.
func TestQueueHoldsBack(t *testing.T) {
	t.Parallel()
	a := laneID{instance: "a"}
	for name, rows := range map[string][]*seat{
		"none before": nil,
		"one before":  {{seq: 3, laneID: a}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked := 0
			q := newQueue(defaultLimits, func() { asked++ })
			q.spilled(a)
			q.add(&seat{seq: 7, laneID: a})
			seats, waiter, err := q.take(worker("w"), 2)
			require.NoError(t, err)
			require.Empty(t, seats)
			require.Equal(t, 1, asked)
			q.filled(q.toFill(), rows, false, nil)
			<-waiter.woken
			seats, _, err = q.take(worker("w"), 2)
			require.NoError(t, err)
			require.Len(t, seats, len(rows)+1)
			require.EqualValues(t, 7, seats[len(rows)].seq)
			require.Empty(t, q.lanes, "an empty lane is forgotten")
			require.Empty(t, q.tenants)
		})
	}
}

// TestLongQueueStaysInTheDatabase: memory holds as much of it as it may, and all of it is run,
// in its order.
func TestLongQueueStaysInTheDatabase(t *testing.T) {
	t.Parallel()
	few := defaultLimits
	few.ready, few.laneReady, few.refillBelow, few.fill, few.heldBytes = 40, 20, 5, 10, 1000
	s := openTest(t, filepath.Join(t.TempDir(), "s.db"), few)
	held := func() (seats, bytes int) {
		s.queue.mu.Lock()
		defer s.queue.mu.Unlock()
		for _, seat := range s.queue.seats {
			bytes += seat.size()
		}
		return len(s.queue.seats), bytes
	}
	var ids []string
	for range 1000 {
		ids = append(ids, acceptTest(t, s, 200))
	}
	for i, id := range ids {
		claims, err := s.Claim(t.Context(), worker("w"), 1)
		require.NoError(t, err)
		require.Equal(t, id, claims[0].Execution.ID)
		require.Len(t, claims[0].Execution.Payload.Body, 200)
		seats, bytes := held()
		require.LessOrEqual(t, seats, few.ready+few.fill+1, "after %d", i)
		require.LessOrEqual(t, bytes, few.heldBytes+200)
		require.NoError(t, s.Finish(t.Context(), claims[0], &store.Outcome{Attempt: 1, Status: store.StatusSucceeded}))
	}
	require.NoError(t, s.Close())
}
