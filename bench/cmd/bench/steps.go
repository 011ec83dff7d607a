package main

import (
	"context"
	"fmt"
	"time"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/store"
)

const (
	// stepsOfFlow is how many steps the flow has that is compared with one without.
	stepsOfFlow = 10
	// stepsToRead is how many recorded steps are read back.
	stepsToRead = 1000
)

// steps asks what a durable step costs.
func steps() table {
	return table{
		name: "steps", title: "Durable steps, SQLite",
		notes: []string{
			"From the request to the recorded outcome. An execution takes two shared commits, and ten more with a step each; so a",
			"step costs one where the second row has a sixth of the first. A tenth of that is left to chance.",
		},
		rows: []row{
			{name: "no steps", start: startEndToEnd(localOptions{open: openSQLiteStore, flow: idle})},
			{name: "ten steps", start: startEndToEnd(localOptions{open: openSQLiteStore, flow: stepping()})},
		},
		targets: []target{rateAtLeast(0.9*2/(2+stepsOfFlow), "ten steps", "no steps")},
	}
}

// journal asks how fast recorded steps come back.
func journal() table {
	return table{
		name: "journal", title: "Recorded steps read back, SQLite", connections: 1, by: byLatency,
		rows:    []row{{name: "1,000 steps", start: startJournal(openSQLiteStore)}},
		targets: []target{takesAtMost(10*time.Millisecond, "1,000 steps")},
	}
}

// stepping is a flow of steps, one after the other.
func stepping() sluice.Flow {
	flow := idle
	flow.OnExecution = func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
		for i := range stepsOfFlow {
			if _, err := sluice.Step(ctx, fmt.Sprintf("step %d", i), func(context.Context) (int, error) { return i, nil }); err != nil {
				return nil, err
			}
		}
		return nil, nil
	}
	return flow
}

// startJournal measures how long it takes to read the steps of an execution.
func startJournal(open opener) func(at site) (*subject, error) {
	return func(at site) (*subject, error) {
		database, err := open(at)
		if err != nil {
			return nil, err
		}
		claim, err := acceptOne(database)
		if err != nil {
			return nil, err
		}
		ctx, now := context.Background(), time.Now().UTC()
		for i := range stepsToRead {
			name := fmt.Sprintf("step %d", i)
			step := &store.Step{Key: name, Name: name, Attempt: 1, StartedAt: now, EndedAt: now, Result: recordedResult}
			if err := database.RecordStep(ctx, claim, step); err != nil {
				return nil, err
			}
		}
		return &subject{
			operation: func(int) error {
				steps, err := database.Steps(ctx, claim.Execution.ID)
				if err == nil && len(steps) != stepsToRead {
					err = fmt.Errorf("%d steps came back", len(steps))
				}
				return err
			},
			stop: database.Close,
		}, nil
	}
}
