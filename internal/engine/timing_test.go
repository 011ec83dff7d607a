package engine

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestSpecs(t *testing.T) {
	t.Parallel()
	daily, err := newTiming(" 0  9 * * * ", "Europe/Berlin")
	require.NoError(t, err)
	require.Equal(t, "cron Europe/Berlin 0 9 * * *", daily.spec)
	utc, err := newTiming("0 9 * * *", "")
	require.NoError(t, err)
	require.Equal(t, "cron UTC 0 9 * * *", utc.spec)
	now := time.Date(2026, time.July, 1, 12, 0, 0, 0, time.UTC)
	again, err := parseTiming(daily.spec)
	require.NoError(t, err)
	require.Equal(t, "2026-07-02T07:00:00Z", again.first(now).Format(time.RFC3339))
	once, err := parseTiming(onceSpec)
	require.NoError(t, err)
	require.Equal(t, now, once.first(now))
	require.Zero(t, once.next(now))
	for _, spec := range []string{"", "paused once", "cron", "cron UTC", "cron UTC 0 9 * *", "cron Mars 0 9 * * *", "every day"} {
		_, err := parseTiming(spec)
		require.Error(t, err, spec)
	}
}

func TestTurn(t *testing.T) {
	t.Parallel()
	hourly, err := newTiming("0 * * * *", "")
	require.NoError(t, err)
	at := func(hour, minute int) time.Time { return time.Date(2026, time.May, 4, hour, minute, 0, 0, time.UTC) }
	for name, c := range map[string]struct {
		due, began, now time.Time
		catchUp         int
		runs            bool
		next            time.Time
	}{
		"in time":                     {at(9, 0), at(8, 0), at(9, 0), 0, true, at(10, 0)},
		"late":                        {at(9, 0), at(8, 0), at(9, 50), 0, true, at(10, 0)},
		"very late":                   {at(9, 0), at(8, 0), at(11, 30), 0, true, at(12, 0)},
		"after a short restart":       {at(9, 0), at(9, 1), at(9, 1), 0, true, at(10, 0)},
		"missed":                      {at(9, 0), at(9, 2), at(9, 2), 0, false, at(10, 0)},
		"missed all but the last":     {at(5, 0), at(9, 1), at(9, 1), 0, false, at(9, 0)},
		"in time with catch-up":       {at(9, 0), at(8, 0), at(9, 0), 3, true, at(10, 0)},
		"all are made up for":         {at(7, 0), at(9, 30), at(9, 30), 3, true, at(8, 0)},
		"the next of them":            {at(8, 0), at(9, 30), at(9, 31), 3, true, at(9, 0)},
		"only the latest":             {at(2, 0), at(9, 30), at(9, 30), 3, false, at(7, 0)},
		"the latest one":              {at(2, 0), at(9, 30), at(9, 30), 1, false, at(9, 0)},
		"late ones are made up for":   {at(6, 0), at(1, 0), at(9, 30), 2, false, at(8, 0)},
		"exactly at the next instant": {at(8, 0), at(1, 0), at(9, 0), 1, false, at(9, 0)},
	} {
		runs, next := hourly.turn(c.due, c.began, c.now, c.catchUp)
		require.Equal(t, c.runs, runs, name)
		require.Equal(t, c.next, next, name)
	}
	once := &timing{spec: onceSpec}
	runs, next := once.turn(at(1, 0), at(9, 0), at(9, 0), 0)
	require.True(t, runs, "once is never missed")
	require.Zero(t, next)
}

// TestCatchUp takes turn after turn: what runs are the latest due times, each once.
func TestCatchUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		timing, err := newTiming(rapid.SampledFrom([]string{"* * * * *", "*/7 * * * *", "0 9-17 * * 1-5", "30 2 * * *"}).Draw(r, "cron"), "Europe/Berlin")
		require.NoError(r, err)
		now := time.Date(2026, time.April, 2, 9, 13, 20, 0, time.UTC)
		due := timing.next(now.Add(-time.Duration(rapid.Int64Range(int64(2*time.Hour), int64(10*24*time.Hour)).Draw(r, "ago"))))
		catchUp := rapid.IntRange(1, 20).Draw(r, "catchUp")
		var all, ran []time.Time
		for next := due; !next.After(now); next = timing.next(next) {
			all = append(all, next)
		}
		for !due.After(now) {
			runs, next := timing.turn(due, now.Add(-time.Minute), now, catchUp)
			if runs {
				ran = append(ran, due)
			}
			require.True(r, next.After(due))
			due = next
		}
		require.Equal(r, all[max(0, len(all)-catchUp):], ran)
	})
}
