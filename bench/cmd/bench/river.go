package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/sluice-go/sluice/bench/order"
)

// riverOptions say how the job queue is set up.
type riverOptions struct {
	tuned bool // It looks for jobs as often as it can, over as many connections as it can use.
	batch bool // Inserts that wait share a transaction, which takes code of the user's own.
	start bool // What is measured ends when a job is worked, not when its end is on record.
}

// riverWorkers is how many jobs run at once, at most: more than are under way.
const riverWorkers = 100

// riverJob carries what an execution does.
type riverJob struct {
	Head json.RawMessage `json:"head"`
	Body json.RawMessage `json:"body"`
}

// Kind implements [river.JobArgs].
func (riverJob) Kind() string { return "idle" }

// riverWorker does nothing.
type riverWorker struct {
	river.WorkerDefaults[riverJob]

	started *board[int64]
}

// Work implements [river.Worker].
func (w *riverWorker) Work(_ context.Context, job *river.Job[riverJob]) error {
	if w.started != nil {
		w.started.post(job.ID)
	}
	return nil
}

// startRiverSQLite measures River on SQLite with the settings of the product's database and, as its documentation has
// it, one connection.
func startRiverSQLite(options riverOptions) func(at site) (*subject, error) {
	return func(at site) (*subject, error) {
		database, err := sql.Open("sqlite", "file:"+filepath.Join(at.Dir, "river.db")+
			"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(5000)&_txlock=immediate")
		if err != nil {
			return nil, err
		}
		database.SetMaxOpenConns(1)
		return startRiver(riversqlite.New(database), options, database.Close)
	}
}

// startRiverPostgres measures River on PostgreSQL.
func startRiverPostgres(options riverOptions) func(at site) (*subject, error) {
	return func(at site) (*subject, error) {
		config, err := pgxpool.ParseConfig(at.Postgres)
		if err != nil {
			return nil, err
		}
		if options.tuned {
			config.MaxConns = 16
		}
		pool, err := pgxpool.NewWithConfig(context.Background(), config)
		if err != nil {
			return nil, err
		}
		return startRiver(riverpgxv5.New(pool), options, func() error {
			pool.Close()
			return nil
		})
	}
}

func startRiver[TTx any](driver riverdriver.Driver[TTx], options riverOptions, closeDatabase func() error) (*subject, error) {
	ctx := context.Background()
	news := newBoard[int64]()
	worker := &riverWorker{}
	if options.start {
		worker.started = news
	}
	client, err := newRiver(ctx, driver, worker, options.tuned)
	if err != nil {
		return nil, errors.Join(err, closeDatabase())
	}
	var events <-chan *river.Event
	unsubscribe := func() {}
	if !options.start {
		events, unsubscribe = client.SubscribeConfig(&river.SubscribeConfig{
			ChanSize: 100_000, Kinds: []river.EventKind{river.EventKindJobCompleted},
		})
		go func() {
			for event := range events {
				news.post(event.Job.ID)
			}
		}()
	}
	if err := client.Start(ctx); err != nil {
		unsubscribe()
		return nil, errors.Join(err, closeDatabase())
	}
	insert, stopInserting := inserter(client, options.batch)
	return &subject{
		operation: func(int) error {
			id, err := insert()
			if err != nil {
				return err
			}
			return news.await(id)
		},
		stop: func() error {
			stopInserting()
			err := client.StopAndCancel(ctx)
			unsubscribe()
			return errors.Join(err, closeDatabase())
		},
	}, nil
}

// newRiver makes the tables and the client.
func newRiver[TTx any](
	ctx context.Context, driver riverdriver.Driver[TTx], worker *riverWorker, tuned bool,
) (*river.Client[TTx], error) {
	migrator, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return nil, err
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, worker)
	config := &river.Config{
		Logger: slog.New(slog.DiscardHandler), Workers: workers,
		Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: riverWorkers}},
	}
	if tuned {
		config.FetchCooldown, config.FetchPollInterval = river.FetchCooldownMin, 2*time.Millisecond
	}
	return river.NewClient(driver, config)
}

// insertion is a job that waits for its transaction, and its id afterwards.
type insertion struct{ id int64 }

// inserter returns what inserts a job, each in a transaction of its own or those that wait in one, and what ends it.
func inserter[TTx any](client *river.Client[TTx], batch bool) (insert func() (int64, error), stop func()) {
	ctx := context.Background()
	job := riverJob{Head: recordedHead, Body: order.Document()}
	if !batch {
		return func() (int64, error) {
			inserted, err := client.Insert(ctx, job, nil)
			if err != nil {
				return 0, err
			}
			return inserted.Job.ID, nil
		}, func() {}
	}
	batcher := startBatcher(func(waiting []*insertion) error {
		params := make([]river.InsertManyParams, len(waiting))
		for i := range waiting {
			params[i].Args = job
		}
		inserted, err := client.InsertMany(ctx, params)
		if err != nil {
			return err
		}
		for i, result := range inserted {
			waiting[i].id = result.Job.ID
		}
		return nil
	})
	return func() (int64, error) {
		var one insertion
		err := batcher.do(&one)
		return one.id, err
	}, batcher.stop
}
