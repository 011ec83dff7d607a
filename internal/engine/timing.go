package engine

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/internal/cron"
)

// timing is when a flow of an instance is due. Its text stands in the store, so that a
// schedule goes on as it was deployed, whatever code serves it.
type timing struct {
	// cron in the location; nil is once, soon.
	cron     *cron.Schedule
	location *time.Location
	spec     string
}

const (
	onceSpec = "once"
	cronSpec = "cron "
	// pausedSpec begins the spec of a paused instance's schedule.
	pausedSpec = "paused "
)

// timing is what the schedule says for the instance; nil is never.
func (i *Instance) timing(schedule *sluice.Schedule) (*timing, error) {
	if schedule == nil {
		return nil, nil
	}
	if schedule.ConfigVar == "" {
		return newTiming(schedule.Value, schedule.TimeZone)
	}
	values, err := i.config()
	if err != nil {
		return nil, err
	}
	value, _ := values[schedule.ConfigVar].(sluice.ScheduleValue)
	switch value.ScheduleType {
	case "", sluice.ScheduleNone:
		return nil, nil
	case sluice.ScheduleOnce:
		return &timing{spec: onceSpec}, nil
	default:
		zone := value.TimeZone
		if zone == "" {
			zone = schedule.TimeZone
		}
		return newTiming(value.Value, zone)
	}
}

func newTiming(expression, zone string) (*timing, error) {
	parsed, err := cron.Parse(expression)
	if err != nil {
		return nil, err
	}
	location, err := cron.Location(zone)
	if err != nil {
		return nil, err
	}
	spec := cronSpec + location.String() + " " + strings.Join(strings.Fields(expression), " ")
	return &timing{&parsed, location, spec}, nil
}

// parseTiming reads the spec of a schedule in the store.
func parseTiming(spec string) (*timing, error) {
	if spec == onceSpec {
		return &timing{spec: spec}, nil
	}
	rest, isCron := strings.CutPrefix(spec, cronSpec)
	zone, expression, _ := strings.Cut(rest, " ")
	if !isCron {
		return nil, errors.New("no such schedule can be read: a newer program may have written it")
	}
	t, err := newTiming(expression, zone)
	if err != nil {
		return nil, fmt.Errorf("the schedule cannot be read: %w", err)
	}
	return t, nil
}

// first is when a schedule is due that is deployed now.
func (t *timing) first(now time.Time) time.Time {
	if t.cron == nil {
		return now.UTC()
	}
	return t.next(now)
}

// next is the first due time after the given one; zero is never.
func (t *timing) next(after time.Time) time.Time {
	if t.cron == nil {
		return time.Time{}
	}
	next := t.cron.Next(after.In(t.location))
	if next.IsZero() {
		return next
	}
	return next.UTC()
}

// missedGrace is how long nobody may have been there, so that a run is still made: a restart
// costs no run.
const missedGrace = time.Minute

// turn says whether a schedule that is due runs, and when it is due next. Runs were missed
// that were due more than the grace before this process began; what is merely late is made
// once for all that came due meanwhile. With catchUp, the latest so many that came due are
// made, one after the other.
func (t *timing) turn(due, began, now time.Time, catchUp int) (runs bool, next time.Time) {
	missed := began.Add(-missedGrace)
	switch {
	case t.cron == nil:
		return true, time.Time{}
	case catchUp > 0:
		if first := t.latest(catchUp, due, now); first.After(due) {
			return false, first
		}
		return true, t.next(due)
	case due.Before(missed):
		return false, t.next(missed.Add(-time.Nanosecond))
	default:
		return true, t.next(now)
	}
}

// latest is the first of the n latest due times between two, which are both among them.
func (t *timing) latest(n int, due, now time.Time) time.Time {
	for span := time.Duration(n) * time.Minute; ; span *= 2 {
		from, all := now.Add(-span), false
		if !from.After(due) {
			from, all = due.Add(-time.Nanosecond), true
		}
		var times []time.Time
		for next := t.next(from); !next.IsZero() && !next.After(now); next = t.next(next) {
			times = append(times, next)
		}
		if len(times) >= n {
			return times[len(times)-n]
		}
		if all {
			return due
		}
	}
}
