package sqlite

import (
	"testing"

	"github.com/stretchr/testify/require"
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
