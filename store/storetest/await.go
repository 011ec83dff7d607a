package storetest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/store"
)

// awaited is what Await returns.
type awaited struct {
	record *store.Record
	err    error
}

// await waits for executions in the background, each on its own.
func (h *harness) await(ids ...string) <-chan awaited {
	answers := make(chan awaited, len(ids))
	for _, id := range ids {
		go func() {
			record, err := h.Await(h.ctx(), id)
			answers <- awaited{record, err}
		}()
	}
	return answers
}

func testAwait(t *testing.T, s *suite) {
	t.Helper()
	for _, status := range []store.Status{store.StatusSucceeded, store.StatusFailed} {
		s.test(t, string(status), func(t *testing.T, h *harness) {
			claim := h.run("a")
			answer := h.await(claim.Execution.ID)
			require.NoError(t, h.RecordStep(h.ctx(), claim, step("a", 1)))
			h.finish(claim, status)
			got := <-answer
			require.NoError(t, got.err)
			require.Equal(t, h.record(claim.Execution.ID), got.record)
			require.Equal(t, status, got.record.Status)
			got = <-h.await(claim.Execution.ID)
			require.NoError(t, got.err, "also afterwards")
			require.Equal(t, status, got.record.Status)
		})
	}
	s.test(t, "over at once", func(t *testing.T, h *harness) {
		e := execution(t, "a")
		h.acceptAs(&store.Acceptance{Execution: e, Outcome: outcome(1, store.StatusSkipped)})
		require.Equal(t, store.StatusSkipped, (<-h.await(e.ID)).record.Status)
	})
	s.test(t, "not found", func(t *testing.T, h *harness) {
		for _, id := range []string{newID(t), "", "42"} {
			require.ErrorIs(t, (<-h.await(id)).err, store.ErrNotFound)
		}
	})
	s.test(t, "waits", func(t *testing.T, h *harness) {
		waiting := h.run("a")
		require.NoError(t, h.Finish(h.ctx(), waiting, retry(1, time.Now().Add(time.Hour))))
		for _, id := range []string{h.accept("b").ID, h.run("b").Execution.ID, waiting.Execution.ID} {
			ctx, cancel := context.WithTimeoutCause(h.ctx(), 10*time.Millisecond, errPatience)
			record, err := h.Await(ctx, id)
			cancel()
			require.ErrorIs(t, err, errPatience)
			require.Nil(t, record)
		}
	})
	s.test(t, "over attempts", func(t *testing.T, h *harness) {
		claim := h.run("a")
		answer := h.await(claim.Execution.ID)
		require.NoError(t, h.Finish(h.ctx(), claim, retry(1, start)))
		h.finish(h.claim(1)[0], store.StatusSucceeded)
		require.Len(t, (<-answer).record.Attempts, 2)
	})
	s.test(t, "many", testAwaitMany)
	s.test(t, "closed", func(t *testing.T, h *harness) {
		id := h.accept("a").ID
		answers := h.await(id, id, id)
		require.NoError(t, h.Close())
		for range cap(answers) {
			require.ErrorIs(t, (<-answers).err, store.ErrClosed)
		}
		_, err := h.Await(h.ctx(), id)
		require.ErrorIs(t, err, store.ErrClosed)
	})
}

// testAwaitMany waits for executions from before, while and after they end.
func testAwaitMany(t *testing.T, h *harness) {
	const n, waiters = 20, 5
	var all sync.WaitGroup
	for range n {
		claim := h.run("a")
		for range waiters {
			all.Go(func() {
				record, err := h.Await(h.ctx(), claim.Execution.ID)
				if err != nil || record.ID != claim.Execution.ID || record.Status != store.StatusSucceeded {
					t.Errorf("await: %v, %v", record, err)
				}
			})
		}
		all.Go(func() { h.finish(claim, store.StatusSucceeded) })
	}
	all.Wait()
}
