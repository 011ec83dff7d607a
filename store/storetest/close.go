package storetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/store"
)

func testClose(t *testing.T, s *suite) {
	s.test(t, "ends everything", func(t *testing.T, h *harness) {
		claim := h.run("a")
		waiting := make(chan error)
		go func() {
			_, err := h.Claim(h.ctx(), worker("w1"), 1)
			waiting <- err
		}()
		require.NoError(t, h.Close())
		require.ErrorIs(t, <-waiting, store.ErrClosed)
		_, err := h.Accept(h.ctx(), &store.Acceptance{Execution: execution(t, "a")})
		require.ErrorIs(t, err, store.ErrClosed)
		require.ErrorIs(t, h.Finish(h.ctx(), claim, outcome(1, store.StatusFailed)), store.ErrClosed)
		require.ErrorIs(t, h.Release(h.ctx(), claim, store.Pause{}), store.ErrClosed)
		require.ErrorIs(t, h.RecordStep(h.ctx(), claim, step("a", 1)), store.ErrClosed)
		_, err = h.Claim(h.ctx(), worker("w1"), 1)
		require.ErrorIs(t, err, store.ErrClosed)
		_, err = h.Execution(h.ctx(), claim.Execution.ID)
		require.ErrorIs(t, err, store.ErrClosed)
		_, err = h.Executions(h.ctx(), store.Filter{}, "", 1)
		require.ErrorIs(t, err, store.ErrClosed)
		require.ErrorIs(t, h.PutResult(h.ctx(), result(t, "key", time.Hour)), store.ErrClosed)
		_, err = h.Result(h.ctx(), []byte("key"))
		require.ErrorIs(t, err, store.ErrClosed)
		_, err = h.ClaimSchedules(h.ctx(), worker("w1"), 1)
		require.ErrorIs(t, err, store.ErrClosed)
		require.ErrorIs(t, h.PutSchedules(h.ctx(), "a", nil), store.ErrClosed)
		_, err = h.State(h.ctx(), ofInstance("a"), "k")
		require.ErrorIs(t, err, store.ErrClosed)
		_, err = h.StateKeys(h.ctx(), ofInstance("a"))
		require.ErrorIs(t, err, store.ErrClosed)
		require.NoError(t, h.Close(), "a second time")
	})
}
