package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/sluice-go/sluice/store"
)

const (
	// drained is how many executions a measurement of a queue takes out of it, where it is no mere check.
	drained = 30_000
	// claimedAtOnce is how many the engine claims at most in one call.
	claimedAtOnce = 32
	// filling is how many executions are accepted in one transaction to fill a queue.
	filling = 1000
	// fillingInstances is how many instances they belong to.
	fillingInstances = 100
)

// queued asks what it costs to have many executions queued.
func queued() table {
	return table{
		name: "queued", title: "Many queued executions, SQLite",
		notes:      []string{"Claimed by one, finished by many, of 100 instances. Few are the 30,000 that are measured; many come on top."},
		operations: drained,
		rows: []row{
			{name: "few queued", start: startDrain(openSQLiteStore, false)},
			{name: "many queued", start: startDrain(openSQLiteStore, true)},
		},
		targets: []target{
			rateAtLeast(0.8, "many queued", "few queued"),
			growsAtMost(200, "many queued", "few queued"),
		},
	}
}

// finished asks what it costs to have many executions on record.
func finished() table {
	return table{
		name: "finished", title: "Many finished executions, SQLite",
		notes: []string{"Acceptances alone."},
		rows: []row{
			{name: "none finished", start: startAccept(openSQLiteStore, false)},
			{name: "many finished", start: startAcceptAfter(openSQLiteStore)},
		},
		targets: []target{rateAtLeast(0.9, "many finished", "none finished")},
	}
}

// startDrain measures claims, and the outcomes that they need to make room.
func startDrain(open opener, many bool) func(at site) (*subject, error) {
	return func(at site) (*subject, error) {
		count := at.Operations
		if many {
			count += at.Backlog
		}
		database, err := filled(at, open, count, nil)
		if err != nil {
			return nil, err
		}
		ctx, cancel := context.WithCancel(context.Background())
		claims := make(chan *store.Claim)
		ended := make(chan error, 1)
		go func() { ended <- dispatch(ctx, database, claims) }()
		return &subject{
			operation: func(int) error {
				claim, ok := <-claims
				if !ok {
					return errors.New("nothing is claimed any more")
				}
				return database.Finish(ctx, claim, outcome())
			},
			stop: func() error {
				cancel()
				return errors.Join(<-ended, database.Close())
			},
		}, nil
	}
}

// dispatch claims what is queued and hands it on, as the engine does, until ctx ends.
func dispatch(ctx context.Context, database store.Store, to chan<- *store.Claim) error {
	defer close(to)
	for {
		claims, err := database.Claim(ctx, storeWorker, claimedAtOnce)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		for _, claim := range claims {
			select {
			case to <- claim:
			case <-ctx.Done():
				return nil
			}
		}
	}
}

// startAcceptAfter measures acceptances after many that are over.
func startAcceptAfter(open opener) func(at site) (*subject, error) {
	return func(at site) (*subject, error) {
		return startAccept(func(at site) (store.Store, error) {
			return filled(at, open, at.Backlog, outcome())
		}, false)(at)
	}
}

// filled opens a database with many executions, queued or with an outcome.
func filled(at site, open opener, count int, outcome *store.Outcome) (store.Store, error) {
	database, err := open(at)
	if err != nil {
		return nil, err
	}
	for accepted := 0; accepted < count; accepted += filling {
		acceptances := make([]*store.Acceptance, min(filling, count-accepted))
		for i := range acceptances {
			execution, err := newExecution(fmt.Sprintf("instance-%d", i%fillingInstances))
			if err != nil {
				return nil, errors.Join(err, database.Close())
			}
			acceptances[i] = &store.Acceptance{Execution: execution, Outcome: outcome}
		}
		if _, err := database.AcceptAll(context.Background(), acceptances); err != nil {
			return nil, errors.Join(err, database.Close())
		}
	}
	return database, nil
}
