package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/sluice-go/sluice"
)

// steps is how far an execution counts.
const steps = 10

// counting counts slowly, one execution after the other over all processes. What was counted
// is not counted again, whoever goes on.
func counting(out io.Writer) *sluice.Integration {
	return &sluice.Integration{Name: "Counting", Flows: []sluice.Flow{{
		Name: "Count", StableKey: "count",
		QueueConfig: sluice.SequentialQueueConfig{},
		OnExecution: func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
			for n := 1; n <= steps; n++ {
				if _, err := sluice.Step(ctx, fmt.Sprint("count ", n), func(ctx context.Context) (int, error) {
					fmt.Fprintf(out, "process %d counts %d\n", os.Getpid(), n)
					return n, wait(ctx, 200*time.Millisecond)
				}); err != nil {
					return nil, err
				}
			}
			fmt.Fprintf(out, "process %d is done\n", os.Getpid())
			return &sluice.Result{Data: steps}, nil
		},
	}}}
}

// wait waits for d, or until ctx ends.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
