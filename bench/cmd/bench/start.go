package main

import (
	"context"
	"time"

	"github.com/sluice-go/sluice"
)

// pace is how many executions a second are accepted, to see when they start.
const pace = 100

// startSQLite asks how long an execution waits for its start when there is time enough.
func startSQLite() table {
	return table{
		name: "start-sqlite", title: "From the request to the start of the flow, at 100 a second, SQLite", by: byLatency,
		rows: []row{
			{name: "one raw commit", start: paced(startRaw)},
			{name: "Sluice", start: paced(startUntilStart(openSQLiteStore))},
			{name: "River, tuned", start: paced(startRiverSQLite(riverOptions{tuned: true, start: true}))},
			{name: "River, default", start: paced(startRiverSQLite(riverOptions{start: true}))},
		},
		targets: []target{latencyAtMost(3, "Sluice", "one raw commit")},
	}
}

// startPostgres asks the same of PostgreSQL.
func startPostgres() table {
	return table{
		name: "start-postgres", title: "From the request to the start of the flow, at 100 a second, PostgreSQL", by: byLatency,
		postgres: true,
		rows: []row{
			{name: "one round trip", start: paced(startRoundTrip)},
			{name: "one raw commit", start: paced(startRawPostgres)},
			{name: "Sluice", start: paced(startUntilStart(openPostgresStore))},
			{name: "River, tuned", start: paced(startRiverPostgres(riverOptions{tuned: true, start: true}))},
			{name: "River, default", start: paced(startRiverPostgres(riverOptions{start: true}))},
		},
		targets: []target{latencyAtMost(3, "Sluice", "one round trip")},
	}
}

// paced has operations begin at an even pace, as long as callers are free.
func paced(start func(at site) (*subject, error)) func(at site) (*subject, error) {
	return func(at site) (*subject, error) {
		subject, err := start(at)
		if err != nil {
			return nil, err
		}
		ticker := time.NewTicker(time.Second / pace)
		subject.prepare = func() error {
			<-ticker.C
			return nil
		}
		return subject, nil
	}
}

// startUntilStart measures executions from their request to the start of their flow.
func startUntilStart(open opener) func(at site) (*subject, error) {
	return func(at site) (*subject, error) {
		started := newBoard[string]()
		flow := idle
		flow.OnExecution = func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
			started.post(run.ExecutionID)
			return nil, nil
		}
		l, err := startLocal(at, localOptions{open: open, flow: flow})
		if err != nil {
			return nil, err
		}
		return &subject{
			operation: func(int) error {
				id, err := l.send()
				if err != nil {
					return err
				}
				return started.await(id)
			},
			stop: l.stop,
		}, nil
	}
}
