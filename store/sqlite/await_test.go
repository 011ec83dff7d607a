package sqlite

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/store"
)

// TestAwaitDoesNotPoll waits a day for an execution in a bubble, beside some who give up,
// and leaves nothing behind.
func TestAwaitDoesNotPoll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := openTest(t, inMemory, defaultLimits)
		accepted, err := s.Accept(t.Context(), &store.Acceptance{Execution: testExecution(10), Worker: worker("w")})
		require.NoError(t, err)
		id := accepted.Claim.Execution.ID
		answers := make(chan *store.Record, 8)
		for i := range cap(answers) {
			go func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i+1)*6*time.Hour)
				defer cancel()
				record, _ := s.Await(ctx, id)
				answers <- record
			}()
		}
		time.Sleep(24*time.Hour + time.Minute)
		require.NoError(t, s.Finish(t.Context(), accepted.Claim, &store.Outcome{Attempt: 1, Status: store.StatusFailed}))
		for i := range cap(answers) {
			record := <-answers
			require.Equal(t, i < 4, record == nil, "the first four gave up")
		}
		require.Empty(t, s.ends.ends)
		require.NoError(t, s.Close())
	})
}
