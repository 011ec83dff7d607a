package main

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"

	"github.com/google/uuid"
	_ "modernc.org/sqlite" // The driver of the raw database.

	"github.com/sluice-go/sluice/bench/order"
)

// rawBatch is how many rows share a commit at most.
const rawBatch = 64

// startRaw measures what the disk and the driver give: one table, one insert a row, one
// goroutine that commits whatever waits, with the settings of the product's database.
func startRaw(dir string) (*subject, error) {
	database, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "raw.db")+
		"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate")
	if err != nil {
		return nil, err
	}
	database.SetMaxOpenConns(1)
	if _, err := database.ExecContext(context.Background(),
		"CREATE TABLE raw (seq INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, head BLOB, body BLOB) STRICT"); err != nil {
		return nil, errors.Join(err, database.Close())
	}
	writer := &rawWriter{database: database, waiting: make(chan chan error, rawBatch), ended: make(chan struct{})}
	go writer.run()
	return &subject{
		operation: func(int) error {
			done := make(chan error, 1)
			writer.waiting <- done
			return <-done
		},
		stop: func() error {
			close(writer.waiting)
			<-writer.ended
			return database.Close()
		},
	}, nil
}

type rawWriter struct {
	database *sql.DB
	waiting  chan chan error
	ended    chan struct{}
}

func (w *rawWriter) run() {
	defer close(w.ended)
	for first := range w.waiting {
		batch := []chan error{first}
		for len(batch) < rawBatch && len(w.waiting) > 0 {
			batch = append(batch, <-w.waiting)
		}
		err := w.commit(len(batch))
		for _, done := range batch {
			done <- err
		}
	}
}

func (w *rawWriter) commit(rows int) error {
	ctx := context.Background()
	tx, err := w.database.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	insert, err := tx.PrepareContext(ctx, "INSERT INTO raw (id, head, body) VALUES (?, ?, ?)")
	if err != nil {
		return errors.Join(err, tx.Rollback())
	}
	defer insert.Close()
	for range rows {
		id, err := uuid.NewV7()
		if err != nil {
			return errors.Join(err, tx.Rollback())
		}
		if _, err := insert.ExecContext(ctx, id[:], recordedHead, order.Document()); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	return tx.Commit()
}
