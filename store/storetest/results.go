package storetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/store"
)

// result returns a new result, with every field set.
func result(t testing.TB, key string, lasts time.Duration) *store.Result {
	t.Helper()
	return &store.Result{
		Key: []byte(key), Execution: newID(t), Head: []byte(`{"h":1}`), Body: []byte("body\x00\xff"),
		ExpiresAt: time.Now().Add(lasts).UTC().Truncate(time.Microsecond),
	}
}

func testResults(t *testing.T, s *suite) {
	s.test(t, "put and find", func(t *testing.T, h *harness) {
		first, second := result(t, "first", time.Hour), result(t, "second", time.Hour)
		require.NoError(t, h.PutResult(h.ctx(), first))
		require.NoError(t, h.PutResult(h.ctx(), second))
		for _, want := range []*store.Result{first, second} {
			found, err := h.Result(h.ctx(), want.Key)
			require.NoError(t, err)
			require.Equal(t, want, found)
		}
	})
	s.test(t, "not found", func(t *testing.T, h *harness) {
		require.NoError(t, h.PutResult(h.ctx(), result(t, "expired", 0)))
		for _, key := range []string{"", "none", "expired"} {
			_, err := h.Result(h.ctx(), []byte(key))
			require.ErrorIs(t, err, store.ErrNotFound, key)
		}
	})
	s.test(t, "a key is taken once", func(t *testing.T, h *harness) {
		first := result(t, "key", time.Hour)
		require.NoError(t, h.PutResult(h.ctx(), first))
		require.ErrorIs(t, h.PutResult(h.ctx(), result(t, "key", time.Hour)), store.ErrConflict)
		found, err := h.Result(h.ctx(), first.Key)
		require.NoError(t, err)
		require.Equal(t, first, found)
	})
	s.test(t, "expired ones make room", func(t *testing.T, h *harness) {
		for range 5 {
			require.NoError(t, h.PutResult(h.ctx(), result(t, "key", 0)), "the last one with the key is gone")
		}
	})
	s.crashTest(t, "after a crash", func(t *testing.T, h *harness) {
		want := result(t, "key", time.Hour)
		require.NoError(t, h.PutResult(h.ctx(), want))
		h.crash()
		found, err := h.Result(h.ctx(), want.Key)
		require.NoError(t, err)
		require.Equal(t, want, found)
	})
}
