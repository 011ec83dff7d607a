package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sluice-go/sluice/store/postgres/pgtest"
)

// team is the processes of a row, and the site that they share.
type team struct {
	site      site
	server    *pgtest.Server // Whose database the site has; nil when it has none.
	processes []*process
}

// assemble makes a site for what is planned and starts the processes of a row on it.
func assemble(ctx context.Context, table table, row row, plan plan, server *pgtest.Server) (_ *team, err error) {
	dir, err := os.MkdirTemp("", "bench-*")
	if err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	t := &team{site: site{Dir: dir, Backlog: plan.backlog, Operations: plan.requests}}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.dismiss(ctx))
		}
	}()
	if table.postgres {
		if t.site.Postgres, err = server.NewDatabase(ctx); err != nil {
			return nil, err
		}
		t.server = server
	}
	for range max(row.processes, 1) {
		process, err := start(ctx, table.name, row.name, t.site)
		if err != nil {
			return nil, err
		}
		t.processes = append(t.processes, process)
	}
	return t, nil
}

// measure shares the work out and adds up what comes of it. Latencies are those of the slowest process.
func (t *team) measure(ctx context.Context, workers, count int, duration time.Duration) (turn, error) {
	turns := make([]turn, len(t.processes))
	group, ctx := errgroup.WithContext(ctx)
	for i, process := range t.processes {
		group.Go(func() error {
			part := max(workers/len(t.processes), 1)
			requests := count
			if count > 0 {
				requests = max(count/len(t.processes), 1)
			}
			measured, err := process.measure(ctx, part, requests, duration)
			turns[i] = measured
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return turn{}, err
	}
	var sum turn
	var cpu time.Duration
	for _, turn := range turns {
		sum.Requests += turn.Requests
		sum.Errors += turn.Errors
		sum.Elapsed = max(sum.Elapsed, turn.Elapsed)
		sum.P50, sum.P99 = max(sum.P50, turn.P50), max(sum.P99, turn.P99)
		sum.memory += turn.memory
		cpu += turn.cpu
	}
	if sum.Requests > 0 {
		sum.cpu = cpu / time.Duration(sum.Requests)
	}
	return sum, nil
}

// dismiss ends the processes and removes the site.
func (t *team) dismiss(ctx context.Context) error {
	var faults []error
	for _, process := range t.processes {
		faults = append(faults, process.stop())
	}
	if t.server != nil {
		faults = append(faults, t.server.DropDatabase(context.WithoutCancel(ctx), t.site.Postgres))
	}
	return errors.Join(append(faults, os.RemoveAll(t.site.Dir))...)
}
