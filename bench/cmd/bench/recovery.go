package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sluice-go/sluice"
)

const (
	// killed is how many executions run when their process is killed.
	killed = 100
	// recoveryPatience is how long they may take to run again; none of those that are measured does.
	recoveryPatience = time.Minute
)

// recoverySQLite asks how long the executions of a killed process wait for the next one.
func recoverySQLite() table {
	const name = "recovery-sqlite"
	return table{
		name: name, title: "100 executions of a killed process run again, SQLite", by: byLatency, rare: true,
		notes:   []string{"From the start of the next process's runtime until the last of them runs again."},
		rows:    []row{{name: "reopened", start: startReopen(name)}},
		helpers: []row{{name: victim, start: startVictim(localOptions{open: openSQLiteStore})}},
		targets: []target{takesAtMost(time.Second, "reopened")},
	}
}

// lease is how long the executions of a process are its own after it died, in this table.
const lease = 2 * time.Second

// recoveryPostgres asks how long the executions of a killed process wait for another one that runs already.
func recoveryPostgres() table {
	const name = "recovery-postgres"
	return table{
		name: name, title: "100 executions of a killed process run again, PostgreSQL", by: byLatency, rare: true, postgres: true,
		notes:   []string{"From the death of the process until the last of them runs in another one; the lease is 2 s."},
		rows:    []row{{name: "taken over", start: startTakeover(name)}},
		helpers: []row{{name: victim, start: startVictim(localOptions{open: openPostgresStore, lease: lease})}},
		targets: []target{takesAtMost(lease+time.Second, "taken over")},
	}
}

// victim is the row of the process that is killed.
const victim = "victim"

// startVictim has executions accepted that begin and do not end.
func startVictim(options localOptions) func(at site) (*subject, error) {
	return func(at site) (*subject, error) {
		running := newBoard[string]()
		options.flow = until(func(ctx context.Context, id string) {
			running.post(id)
			<-ctx.Done()
		})
		l, err := startLocal(at, options)
		if err != nil {
			return nil, err
		}
		return &subject{
			operation: func(int) error {
				id, err := l.send()
				if err != nil {
					return err
				}
				return running.await(id)
			},
			stop: l.stop,
		}, nil
	}
}

// until is the idle flow with something to do in between.
func until(do func(ctx context.Context, id string)) sluice.Flow {
	flow := idle
	flow.OnExecution = func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		do(ctx, run.ExecutionID)
		return nil, nil
	}
	return flow
}

// killOne starts a victim on the site and kills it while its executions run.
func killOne(table string, at site) error {
	process, err := start(context.Background(), table, victim, at)
	if err != nil {
		return err
	}
	measured, err := process.measure(context.Background(), killed, killed, time.Minute)
	if err == nil && measured.Errors > 0 {
		err = fmt.Errorf("%d of %d executions did not begin", measured.Errors, killed)
	}
	return errors.Join(err, process.kill())
}

// startReopen measures how long it takes until a new runtime on the files of a victim runs its executions.
func startReopen(table string) func(at site) (*subject, error) {
	return func(at site) (*subject, error) {
		running := make(chan string, killed)
		var l *local
		return &subject{
			prepare: func() error { return killOne(table, at) },
			operation: func(int) (err error) {
				l, err = startLocal(at, localOptions{
					open: openSQLiteStore, flow: until(func(_ context.Context, id string) { running <- id }),
				})
				if err != nil {
					return err
				}
				return awaitAll(running)
			},
			stop: func() error {
				if l == nil {
					return nil
				}
				return l.stop()
			},
		}, nil
	}
}

// startTakeover measures how long it takes until a runtime on the database of a victim runs its executions.
func startTakeover(table string) func(at site) (*subject, error) {
	return func(at site) (*subject, error) {
		running := make(chan string, killed)
		l, err := startLocal(at, localOptions{
			open: openPostgresStore, lease: lease, flow: until(func(_ context.Context, id string) { running <- id }),
		})
		if err != nil {
			return nil, err
		}
		return &subject{
			prepare:   func() error { return killOne(table, at) },
			operation: func(int) error { return awaitAll(running) },
			stop:      l.stop,
		}, nil
	}
}

// awaitAll waits until every execution of the victim runs.
func awaitAll(running <-chan string) error {
	timer := time.NewTimer(recoveryPatience)
	defer timer.Stop()
	for seen := make(map[string]bool); len(seen) < killed; {
		select {
		case id := <-running:
			seen[id] = true
		case <-timer.C:
			return fmt.Errorf("%d of %d executions run again after %v", len(seen), killed, recoveryPatience)
		}
	}
	return nil
}
