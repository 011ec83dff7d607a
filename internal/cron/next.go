package cron

import (
	"time"

	"github.com/netresearch/go-cron"
)

// Schedule is a parsed cron expression.
type Schedule struct {
	// schedule is only asked in UTC, which stands for the wall clock of any zone.
	schedule cron.Schedule
	// hourly schedules are due in every hour of a day.
	hourly bool
}

// everyHour are the bits of all hours.
const everyHour = 1<<24 - 1

// Next returns the first due time after the given one, in its location. Where the clock is
// set forward or back, a schedule that is due in every hour follows the wall clock: it skips
// the times that do not exist, and runs at those that occur twice both times. Any other runs
// as often as on other days: at a time that does not exist right after the gap, once for
// all of them, and at one that occurs twice the first time.
func (s Schedule) Next(after time.Time) time.Time {
	if s.hourly {
		return s.nextByWallClock(after)
	}
	for wall := s.schedule.Next(wallClock(after)); !wall.IsZero(); wall = s.schedule.Next(wall) {
		if next := instant(wall, after.Location()); next.After(after) {
			return next
		}
	}
	return time.Time{}
}

// nextByWallClock looks through one period of the same offset after the other.
func (s Schedule) nextByWallClock(after time.Time) time.Time {
	wall := wallClock(after)
	for offsetFrom := after; ; {
		next := s.schedule.Next(wall)
		if next.IsZero() {
			return next
		}
		_, end := offsetFrom.ZoneBounds()
		if due := atOffset(next, offsetFrom); end.IsZero() || due.Before(end) {
			return due
		}
		offsetFrom, wall = end, wallClock(end).Add(-time.Nanosecond)
	}
}

// wallClock is what a clock shows at t, as a time in UTC.
func wallClock(t time.Time) time.Time {
	_, offset := t.Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

// atOffset is when a clock with the offset of reference shows wall, in its location.
func atOffset(wall, reference time.Time) time.Time {
	_, offset := reference.Zone()
	return wall.Add(-time.Duration(offset) * time.Second).In(reference.Location())
}

// instant is when the clocks of a location first show wall, or have passed over it.
func instant(wall time.Time, location *time.Location) time.Time {
	t := time.Date(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), wall.Second(), 0, location)
	start, end := t.ZoneBounds()
	switch shown := wallClock(t); {
	case shown.Before(wall): // In a gap, t is by the offset of after it or by that of before it.
		return end
	case shown.After(wall):
		return start
	case start.IsZero():
		return t
	}
	if earlier := atOffset(wall, start.Add(-time.Nanosecond)); earlier.Before(start) {
		return earlier
	}
	return t
}
