// Package cron reads cron expressions and time zones. It is the only place that knows the
// parser behind them.
package cron

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // Time zones must load on machines that have no database of them.

	"github.com/netresearch/go-cron"
)

// allowed are the characters of a field: digits, names of months and days, and operators.
// What the parser knows beyond the five classic fields (seconds, descriptors, TZ= prefixes,
// hashes) is kept out, because an exported schedule must mean the same elsewhere.
const allowed = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz*,-/?"

// parser follows crontab(5): when the day of month and the day of week are both given, a
// day that fits one of them is due.
var parser = cron.MustNewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.DowOrDom).
	WithMaxSearchYears(searchYears)

// searchYears is more than the eight between two 29ths of February around the year 2100.
const searchYears = 9

// reference is the time from which Parse looks for a due time. Any will do.
var reference = time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC)

// Parse reads a cron expression with exactly five fields: minute, hour, day of month,
// month and day of week. An expression that never comes due is refused.
func Parse(expression string) (Schedule, error) {
	fields := strings.Fields(expression)
	if len(fields) == 6 {
		return Schedule{}, errors.New("a cron expression has five fields (minute, hour, day of month, month, day of week), not six: seconds are not supported")
	}
	if len(fields) != 5 {
		return Schedule{}, fmt.Errorf("a cron expression has five fields (minute, hour, day of month, month, day of week), not %d", len(fields))
	}
	for _, field := range fields {
		if strings.ContainsFunc(field, func(r rune) bool { return !strings.ContainsRune(allowed, r) }) {
			return Schedule{}, fmt.Errorf("%q is no field of a cron expression", field)
		}
	}
	schedule, err := parser.Parse(strings.Join(fields, " "))
	if err != nil {
		return Schedule{}, fmt.Errorf("invalid cron expression: %w", err)
	}
	if schedule.Next(reference).IsZero() {
		return Schedule{}, errors.New("the cron expression never comes due")
	}
	spec, ok := schedule.(*cron.SpecSchedule)
	return Schedule{schedule, ok && spec.Hour&everyHour == everyHour}, nil
}

// locations keeps the time zones that were loaded: there are some hundreds.
var locations sync.Map

// Location returns the time zone of an IANA name; an empty name is UTC.
func Location(name string) (*time.Location, error) {
	if known, ok := locations.Load(name); ok {
		location, _ := known.(*time.Location)
		return location, nil
	}
	if name == "Local" {
		return nil, errors.New("the time zone Local differs between machines: give an IANA name such as Europe/Berlin")
	}
	location, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("%q is no IANA time zone such as Europe/Berlin", name)
	}
	locations.Store(name, location)
	return location, nil
}
