package sluice_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
)

// TestRetryDelays: the same each time, or doubled each time, up to a day.
func TestRetryDelays(t *testing.T) {
	t.Parallel()
	steady := sluice.RetryConfig{MaxAttempts: 10, DelayMinutes: 60}
	doubling := sluice.RetryConfig{MaxAttempts: 10, DelayMinutes: 60, UsesExponentialBackoff: true}
	want := []int{1, 2, 4, 8, 16, 24, 24, 24, 24, 24}
	for i, hours := range want {
		require.InDelta(t, 1, steady.Delay(i+1).Hours(), 0)
		require.InDelta(t, hours, doubling.Delay(i+1).Hours(), 0)
	}
}
