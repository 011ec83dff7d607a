package cron_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/internal/cron"
)

func TestParse(t *testing.T) {
	t.Parallel()
	after := time.Date(2026, time.January, 1, 10, 30, 0, 0, time.UTC)
	for expression, want := range map[string]string{
		"0 * * * *":          "2026-01-01T11:00:00Z",
		" 30  7 * * 1-5 ":    "2026-01-02T07:30:00Z",
		"*/5 * * * *":        "2026-01-01T10:35:00Z",
		"0 0 1 JAN *":        "2027-01-01T00:00:00Z",
		"0 0 13 * 5":         "2026-01-02T00:00:00Z",
		"0 22-2 * * *":       "2026-01-01T22:00:00Z",
		"0 12 * * SUN":       "2026-01-04T12:00:00Z",
		"0 0 29 2 *":         "2028-02-29T00:00:00Z",
		"15,45 9-17/2 ? * *": "2026-01-01T11:15:00Z",
	} {
		schedule, err := cron.Parse(expression)
		require.NoError(t, err, expression)
		require.Equal(t, want, schedule.Next(after).Format(time.RFC3339), expression)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]string{
		"":                     "five fields",
		"* * * *":              "five fields",
		"0 0 0 * * *":          "seconds are not supported",
		"@daily":               "five fields",
		"@every 5m":            "five fields",
		"TZ=UTC 0 0 * * *":     "five fields",
		"TZ=UTC":               "five fields",
		"CRON_TZ=UTC 0 0 * *":  "no field",
		"TZ=UTC 0 0 * *":       "no field",
		"60 * * * *":           "invalid cron expression",
		"* 24 * * *":           "invalid cron expression",
		"* * * 13 *":           "invalid cron expression",
		"*/0 * * * *":          "invalid cron expression",
		"H * * * *":            "invalid cron expression",
		"0 0 L * *":            "invalid cron expression",
		"0 0 * * 5#2":          "no field",
		"0 0 30 2 *":           "never comes due",
		"0 0 * * \x00":         "no field",
		"every day at noon ok": "invalid cron expression",
	} {
		_, err := cron.Parse(expression)
		require.ErrorContains(t, err, want, expression)
	}
}

func TestLocation(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "UTC", "Europe/Berlin"} {
		location, err := cron.Location(name)
		require.NoError(t, err)
		again, err := cron.Location(name)
		require.NoError(t, err)
		require.Same(t, location, again)
	}
	for _, name := range []string{"Local", "Berlin", "../../etc/passwd", "Europe/Berlin\x00"} {
		_, err := cron.Location(name)
		require.Error(t, err, name)
	}
}

// FuzzCron feeds any text: what parses has five fields and comes due.
func FuzzCron(f *testing.F) {
	for _, seed := range []string{"* * * * *", "0 0 31 2 *", "@daily", "TZ=UTC", "CRON_TZ= * * * * *", "1-59/7 */2 1,15 JAN-DEC MON", "99999999999999999999 * * * *", "? ? ? ? ?"} {
		f.Add(seed)
	}
	after := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, expression string) {
		schedule, err := cron.Parse(expression)
		if err != nil {
			return
		}
		next := schedule.Next(after)
		require.True(t, next.After(after))
		require.Zero(t, next.Second())
		require.True(t, schedule.Next(next).After(next))
	})
}
