package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/store"
)

// maxShortSleep is how long a sleep just waits.
const maxShortSleep = 10 * time.Second

// sleepKind begins the keys of sleeps. Those of steps begin with a quote.
const sleepKind = "sleep "

// sleepRecord is a durable sleep in the journal. It keeps what the attempt would lose by it.
type sleepRecord struct {
	// Until is when it ends.
	Until time.Time `json:"until"`
	// StartedAt is when the attempt started, Logs is what it had logged.
	StartedAt time.Time       `json:"startedAt"`
	Logs      json.RawMessage `json:"logs,omitempty"`
}

// Sleep implements host.Run.
func (u *unit) Sleep(ctx context.Context, name string, d time.Duration) error {
	if err := u.ready(ctx); err != nil {
		return err
	}
	if d <= maxShortSleep {
		pause(ctx, d)
		return context.Cause(ctx)
	}
	l := label{kind: sleepKind, text: strconv.Quote(name)}
	key, err := u.enter(l)
	if err != nil {
		return err
	}
	slept := false
	defer func() { u.leave(l, slept) }()
	if err := u.sleep(ctx, key, name, d); err != nil {
		return fmt.Errorf("sleep %q: %w", name, err)
	}
	slept = true
	return nil
}

// sleep waits until the time that is on record, or suspends the execution.
func (u *unit) sleep(ctx context.Context, key, name string, d time.Duration) error {
	x := u.x
	step, err := x.find(ctx, key)
	if err != nil {
		return err
	}
	if step == nil {
		if step, err = x.recordSleep(ctx, key, name, d); err != nil {
			return err
		}
	}
	var record sleepRecord
	if err := json.Unmarshal(step.Result, &record); err != nil {
		return sluice.Permanent(fmt.Errorf("its record: %w", err))
	}
	if time.Until(record.Until) > maxShortSleep && !x.awaited(record.Until) {
		x.suspendUntil(record.Until)
		return sluice.ErrSuspended
	}
	pause(ctx, time.Until(record.Until))
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if x.journal.wake(key) {
		return x.logs.restore(record.Logs)
	}
	return nil
}

// maxSleep keeps the end of a sleep among the times that stores can keep.
const maxSleep = 100 * 365 * 24 * time.Hour

func (x *execution) recordSleep(ctx context.Context, key, name string, d time.Duration) (*store.Step, error) {
	now := time.Now().UTC()
	record := sleepRecord{Until: now.Add(min(d, maxSleep)), StartedAt: x.started, Logs: x.logs.encode()}
	result, err := json.Marshal(&record)
	if err != nil {
		return nil, err
	}
	step := &store.Step{Key: key, Name: name, Attempt: x.attempt, StartedAt: now, EndedAt: record.Until, Result: result}
	return step, x.recordStep(ctx, step)
}

// resume takes over when the attempt started, if it has slept.
func (x *execution) resume() {
	x.journal.mu.Lock()
	defer x.journal.mu.Unlock()
	for _, step := range x.journal.recorded {
		if step.Attempt != x.attempt || !strings.HasPrefix(step.Key, sleepKind) {
			continue
		}
		var record sleepRecord
		if json.Unmarshal(step.Result, &record) == nil {
			x.started = record.StartedAt
			x.journal.slept = append(x.journal.slept, step.Key)
		}
	}
}

// wake tells whether the attempt goes on after the sleep with the key, for the first time.
func (j *journal) wake(key string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	i := slices.Index(j.slept, key)
	if i < 0 {
		return false
	}
	j.slept = slices.Delete(j.slept, i, i+1)
	return true
}

// awaited tells whether a caller waits for the execution at least until then.
func (x *execution) awaited(until time.Time) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return until.Before(x.callerUntil)
}

// suspendUntil has the execution end without an outcome, and run again then. Of several times
// the first counts.
func (x *execution) suspendUntil(wake time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.wake.IsZero() || wake.Before(x.wake) {
		x.wake = wake
	}
}

// wakeTime is when a suspended execution runs again.
func (x *execution) wakeTime() (time.Time, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.wake, !x.wake.IsZero()
}

// suspend gives the claim back until the execution is to go on.
func (x *execution) suspend(wake time.Time) {
	x.mu.Lock()
	x.over = true
	x.err = ErrDeadline
	claim := x.claim
	x.mu.Unlock()
	x.engine.release(claim, store.Pause{Until: wake, KeepSeat: true})
}
