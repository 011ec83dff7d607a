package sluice

import (
	"context"
	"time"
)

// Sleep pauses the execution for d. Up to 10 seconds it just waits. A longer sleep is
// durable: its end is journalled under the name, as a step's result is, and Sleep returns
// [ErrSuspended], which the flow must return, wrapped or not. The execution then waits
// without a goroutine and without its time-out running, through stops and crashes; when it
// is time the flow runs again in the same attempt, its steps and this Sleep return what is on
// record, and it goes on. In a lane that runs one execution at a time it keeps its place. A
// flow that does not return the error sleeps all the same, and its outcome is not looked at:
// it runs again as well.
//
// A caller who waits for the result of a synchronous flow goes on waiting if the sleep ends
// in time; otherwise the caller gets 504 at once, and the execution goes on later. The end of
// ctx ends the waiting with its cause. No sleep takes longer than 100 years. Outside OnExecution Sleep returns [ErrNotAccepted].
func Sleep(ctx context.Context, name string, d time.Duration) error {
	run, err := hostOf(ctx, "sleep", name)
	if err != nil {
		return err
	}
	return run.Sleep(ctx, name, d)
}
