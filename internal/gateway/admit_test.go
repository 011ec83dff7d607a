package gateway

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestRateLimiterIsExact compares the limiter with the sentence it implements: a request
// passes unless so many have passed within the last second.
func TestRateLimiterIsExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 5).Draw(t, "limit")
		pauses := rapid.SliceOf(rapid.IntRange(0, 1100)).Draw(t, "pauses")
		r := newRateLimiter(limit)
		var passed []time.Duration
		now := time.Duration(0)
		for _, pause := range pauses {
			now += time.Duration(pause) * time.Millisecond
			recent := 0
			for _, at := range passed {
				if now-at < time.Second {
					recent++
				}
			}
			wait, ok := r.allowAt("e", now)
			require.Equal(t, recent < limit, ok)
			if ok {
				passed = append(passed, now)
				continue
			}
			require.Equal(t, passed[len(passed)-limit]+time.Second-now, wait)
		}
	})
}

// TestThreat41UnboundedKeys asks for more endpoints than are remembered.
func TestThreat41UnboundedKeys(t *testing.T) {
	t.Parallel()
	r := newRateLimiter(50)
	id := []byte("0123456789abcdef0123")
	for n := range 200_000 {
		for i := range 4 {
			id[i] = byte(n >> (8 * i))
		}
		_, ok := r.allow(string(id))
		require.True(t, ok)
	}
	require.Less(t, r.windows.Len(), 70_000)
}

func TestRateLimiterWithoutLimit(t *testing.T) {
	t.Parallel()
	r := newRateLimiter(-1)
	for range 1000 {
		_, ok := r.allow("e")
		require.True(t, ok)
	}
}
