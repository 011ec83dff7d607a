package main

import (
	"context"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/sluice-go/sluice/bench/order"
	"github.com/sluice-go/sluice/store"
	"github.com/sluice-go/sluice/store/postgres"
	"github.com/sluice-go/sluice/store/sqlite"
)

// opener opens the database of a site.
type opener func(at site) (store.Store, error)

func openSQLiteStore(at site) (store.Store, error) {
	database, err := sqlite.Open(context.Background(), filepath.Join(at.Dir, "bench.db"))
	if err != nil {
		return nil, err
	}
	return database, nil
}

func openPostgresStore(at site) (store.Store, error) {
	database, err := postgres.Open(context.Background(), at.Postgres)
	if err != nil {
		return nil, err
	}
	return database, nil
}

// startAccept measures the store's acceptances alone: of what the callers bring, whatever waits shares a commit, or
// each has its own.
func startAccept(open opener, alone bool) func(at site) (*subject, error) {
	return func(at site) (*subject, error) {
		database, err := open(at)
		if err != nil {
			return nil, err
		}
		var turn sync.Mutex
		return &subject{
			operation: func(int) error {
				if alone {
					turn.Lock()
					defer turn.Unlock()
				}
				_, err := acceptOne(database)
				return err
			},
			stop: database.Close,
		}, nil
	}
}

// startExecute measures the store's part of executions: from their acceptance to their recorded outcome.
func startExecute(open opener) func(at site) (*subject, error) {
	return func(at site) (*subject, error) {
		database, err := open(at)
		if err != nil {
			return nil, err
		}
		return &subject{
			operation: func(int) error {
				claim, err := acceptOne(database)
				if err != nil {
					return err
				}
				return database.Finish(context.Background(), claim, outcome())
			},
			stop: database.Close,
		}, nil
	}
}

// storeWorker is who claims where no runtime does.
var storeWorker = store.Worker{ID: "bench", Lease: time.Minute}

// acceptOne takes an execution in and claims it.
func acceptOne(database store.Store) (*store.Claim, error) {
	execution, err := newExecution("bench")
	if err != nil {
		return nil, err
	}
	accepted, err := database.Accept(context.Background(), &store.Acceptance{Execution: execution, Worker: storeWorker})
	if err != nil {
		return nil, err
	}
	return accepted.Claim, nil
}

func newExecution(instance string) (*store.Execution, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	return &store.Execution{
		ID: id.String(), Integration: "Bench", Customer: "default", Instance: instance, Flow: "idle", InvokeType: "webhook",
		AcceptedAt: time.Now().UTC(), Payload: store.Payload{Head: recordedHead, Body: order.Document()},
	}, nil
}

func outcome() *store.Outcome {
	now := time.Now().UTC()
	return &store.Outcome{Attempt: 1, Status: store.StatusSucceeded, StartedAt: now, EndedAt: now, Result: recordedResult}
}

// What the engine records beside the body, for a request of the load generator.
var (
	recordedHead = []byte(`{"headers":{"content-length":["1024"],"content-type":["application/json"]},` +
		`"url":"http://127.0.0.1:8080/trigger/pv7n26ubdn-clVLVJYQolQ","at":"2026-01-02T03:04:05.678901234Z",` +
		`"rawType":"application/json","bodyType":"application/json","rawSize":1024,"same":true}`)
	recordedResult = []byte(`{"statusCode":200,"contentType":"application/json","data":null}`)
)
