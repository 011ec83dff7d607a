package cron_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluice-go/sluice/internal/cron"
)

// TestClockChange lists what is due around the nights in which clocks are set.
func TestClockChange(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, zone, expression, after string
		want                          []string
	}{
		{
			"a time that does not exist runs right after the gap",
			"Europe/Berlin", "30 2 * * *", "2026-03-28T00:00:00+01:00",
			[]string{"2026-03-28T02:30:00+01:00", "2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"},
		},
		{
			"several times that do not exist run once",
			"Europe/Berlin", "*/20 2,3 * * *", "2026-03-29T00:00:00+01:00",
			[]string{"2026-03-29T03:00:00+02:00", "2026-03-29T03:20:00+02:00", "2026-03-29T03:40:00+02:00", "2026-03-30T02:00:00+02:00"},
		},
		{
			"a time that occurs twice runs the first time",
			"Europe/Berlin", "30 2 * * *", "2026-10-24T03:00:00+02:00",
			[]string{"2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"},
		},
		{
			"from between the two",
			"Europe/Berlin", "30 2 * * *", "2026-10-25T02:15:00+01:00",
			[]string{"2026-10-26T02:30:00+01:00"},
		},
		{
			"every hour skips what does not exist",
			"America/New_York", "30 * * * *", "2026-03-08T01:00:00-05:00",
			[]string{"2026-03-08T01:30:00-05:00", "2026-03-08T03:30:00-04:00"},
		},
		{
			"every hour runs twice what occurs twice",
			"America/New_York", "0 * * * *", "2026-11-01T00:30:00-04:00",
			[]string{"2026-11-01T01:00:00-04:00", "2026-11-01T01:00:00-05:00", "2026-11-01T02:00:00-05:00"},
		},
		{
			"daily in New York",
			"America/New_York", "0 2 * * *", "2026-03-07T12:00:00-05:00",
			[]string{"2026-03-08T03:00:00-04:00", "2026-03-09T02:00:00-04:00"},
		},
		{
			"half an hour does not exist",
			"Australia/Lord_Howe", "15 2 * * *", "2026-10-03T12:00:00+10:30",
			[]string{"2026-10-04T02:30:00+11:00", "2026-10-05T02:15:00+11:00"},
		},
		{
			"half an hour occurs twice",
			"Australia/Lord_Howe", "*/15 * * * *", "2026-04-05T01:29:00+11:00",
			[]string{"2026-04-05T01:30:00+11:00", "2026-04-05T01:45:00+11:00", "2026-04-05T01:30:00+10:30", "2026-04-05T01:45:00+10:30", "2026-04-05T02:00:00+10:30"},
		},
		{
			"midnight does not exist",
			"Africa/Cairo", "0 0 * * *", "2026-04-23T12:00:00+02:00",
			[]string{"2026-04-24T01:00:00+03:00", "2026-04-25T00:00:00+03:00"},
		},
		{
			"a day that does not exist",
			"Pacific/Apia", "0 9,12 * * *", "2011-12-29T10:00:00-10:00",
			[]string{"2011-12-29T12:00:00-10:00", "2011-12-31T00:00:00+14:00", "2011-12-31T09:00:00+14:00"},
		},
		{
			"a leap day over eight years",
			"UTC", "0 0 29 2 *", "2096-03-01T00:00:00Z",
			[]string{"2104-02-29T00:00:00Z"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			location, err := cron.Location(c.zone)
			require.NoError(t, err)
			schedule, err := cron.Parse(c.expression)
			require.NoError(t, err)
			after, err := time.ParseInLocation(time.RFC3339, c.after, location)
			require.NoError(t, err)
			for _, want := range c.want {
				after = schedule.Next(after.In(location))
				require.Equal(t, want, after.Format(time.RFC3339))
			}
		})
	}
}

// TestYear compares all due times of a year with those that a walk through its minutes finds.
func TestYear(t *testing.T) {
	t.Parallel()
	zones := []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Havana", "UTC"}
	years := map[string]*year{}
	for _, name := range zones {
		years[name] = newYear(t, name)
	}
	rapid.Check(t, func(r *rapid.T) {
		e := drawExpression(r)
		y := years[rapid.SampledFrom(zones).Draw(r, "zone")]
		schedule, err := cron.Parse(e.String())
		require.NoError(r, err)
		var due []int64
		last := y.minutes[len(y.minutes)-1].at
		for next := schedule.Next(time.Unix(y.minutes[0].at-1, 0).In(y.location)); next.Unix() <= last; next = schedule.Next(next) {
			require.Equal(r, y.location, next.Location())
			due = append(due, next.Unix())
		}
		require.Equal(r, y.due(e), due, e.String())
	})
}

// expression is a cron expression of lists, with the hours and minutes that it is due at.
// Its day fields are drawn so that one of them is open.
type expression struct {
	minutes, hours uint64
	day            int // of the month; 0 is every
	weekday        int // 7 is every
}

func drawExpression(r *rapid.T) expression {
	minutes := rapid.SliceOfNDistinct(rapid.IntRange(0, 59), 1, 4, rapid.ID).Draw(r, "minutes")
	hours := rapid.OneOf(
		rapid.SliceOfNDistinct(rapid.IntRange(0, 3), 1, 3, rapid.ID),
		rapid.SliceOfNDistinct(rapid.IntRange(0, 23), 1, 24, rapid.ID),
		rapid.SliceOfNDistinct(rapid.IntRange(0, 23), 24, 24, rapid.ID),
	).Draw(r, "hours")
	e := expression{weekday: 7}
	for _, minute := range minutes {
		e.minutes |= 1 << minute
	}
	for _, hour := range hours {
		e.hours |= 1 << hour
	}
	switch rapid.IntRange(0, 2).Draw(r, "days") {
	case 1:
		e.day = rapid.IntRange(1, 31).Draw(r, "day")
	case 2:
		e.weekday = rapid.IntRange(0, 6).Draw(r, "weekday")
	}
	return e
}

func (e expression) String() string {
	day, weekday := "*", "*"
	if e.day != 0 {
		day = strconv.Itoa(e.day)
	}
	if e.weekday != 7 {
		weekday = strconv.Itoa(e.weekday)
	}
	return fmt.Sprintf("%s %s %s * %s", list(e.minutes), list(e.hours), day, weekday)
}

func list(bits uint64) string {
	var numbers []string
	for i := range 60 {
		if bits>>i&1 == 1 {
			numbers = append(numbers, strconv.Itoa(i))
		}
	}
	return strings.Join(numbers, ",")
}

func (e expression) fits(c clock) bool {
	return e.minutes>>c.minute&1 == 1 && e.hours>>c.hour&1 == 1 &&
		(e.day == 0 || e.day == c.day) && (e.weekday == 7 || e.weekday == c.weekday)
}

// clock is what a clock shows.
type clock struct{ minute, hour, day, weekday int }

// minute is one of a year: what the clock shows, whether it has shown it before, and what it
// left out just before.
type minute struct {
	at int64
	clock
	again   bool
	skipped []clock
}

type year struct {
	location *time.Location
	minutes  []minute
}

func newYear(t *testing.T, zone string) *year {
	t.Helper()
	location, err := cron.Location(zone)
	require.NoError(t, err)
	y := &year{location: location}
	begin := time.Date(2026, time.January, 1, 0, 0, 0, 0, location)
	shown := shows(begin).Add(-time.Minute) // the latest that the clock has shown
	for at := begin; at.Year() == 2026; at = at.Add(time.Minute) {
		now := shows(at)
		m := minute{at: at.Unix(), clock: newClock(now), again: !now.After(shown)}
		for missing := shown.Add(time.Minute); missing.Before(now); missing = missing.Add(time.Minute) {
			m.skipped = append(m.skipped, newClock(missing))
		}
		if now.After(shown) {
			shown = now
		}
		y.minutes = append(y.minutes, m)
	}
	return y
}

// shows is what the clock shows, as if it were UTC.
func shows(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), 0, 0, time.UTC)
}

func newClock(t time.Time) clock {
	return clock{t.Minute(), t.Hour(), t.Day(), int(t.Weekday())}
}

func (y *year) due(e expression) (due []int64) {
	hourly := e.hours == 1<<24-1
	for _, m := range y.minutes {
		is := e.fits(m.clock) && (hourly || !m.again)
		for _, missing := range m.skipped {
			is = is || !hourly && e.fits(missing)
		}
		if is {
			due = append(due, m.at)
		}
	}
	return due
}
