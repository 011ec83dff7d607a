package main

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	_ "modernc.org/sqlite" // The driver of the raw database.

	"github.com/sluice-go/sluice/bench/order"
)

// startRaw measures what the disk and the driver give: one table, one insert a row with what an execution writes, one
// goroutine that commits whatever waits, with the settings of the product's database.
func startRaw(at site) (*subject, error) {
	database, err := sql.Open("sqlite", "file:"+filepath.Join(at.Dir, "raw.db")+
		"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate")
	if err != nil {
		return nil, err
	}
	database.SetMaxOpenConns(1)
	if _, err := database.ExecContext(context.Background(),
		"CREATE TABLE raw (seq INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, head BLOB, body BLOB, result BLOB) STRICT"); err != nil {
		return nil, errors.Join(err, database.Close())
	}
	writer := startBatcher(func(batch []uuid.UUID) error { return commitRaw(database, batch) })
	return &subject{
		operation: func(int) error { return writeRaw(writer) },
		stop: func() error {
			writer.stop()
			return database.Close()
		},
	}, nil
}

func writeRaw(writer *batcher[uuid.UUID]) error {
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	return writer.do(id)
}

func commitRaw(database *sql.DB, ids []uuid.UUID) error {
	ctx := context.Background()
	tx, err := database.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	insert, err := tx.PrepareContext(ctx, "INSERT INTO raw (id, head, body, result) VALUES (?, ?, ?, ?)")
	if err != nil {
		return errors.Join(err, tx.Rollback())
	}
	defer insert.Close()
	for _, id := range ids {
		if _, err := insert.ExecContext(ctx, id[:], recordedHead, order.Document(), recordedResult); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	return tx.Commit()
}

// startRawPostgres is the same on PostgreSQL: whatever waits is one COPY.
func startRawPostgres(at site) (*subject, error) {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, at.Postgres)
	if err != nil {
		return nil, err
	}
	if _, err := pool.Exec(ctx, "CREATE TABLE raw (seq bigserial PRIMARY KEY, id uuid NOT NULL UNIQUE, head bytea, body bytea, result bytea)"); err != nil {
		pool.Close()
		return nil, err
	}
	writer := startBatcher(func(ids []uuid.UUID) error {
		rows := make([][]any, len(ids))
		for i, id := range ids {
			rows[i] = []any{id, recordedHead, order.Document(), recordedResult}
		}
		_, err := pool.CopyFrom(ctx, pgx.Identifier{"raw"}, []string{"id", "head", "body", "result"}, pgx.CopyFromRows(rows))
		return err
	})
	return &subject{
		operation: func(int) error { return writeRaw(writer) },
		stop: func() error {
			writer.stop()
			pool.Close()
			return nil
		},
	}, nil
}

// startRoundTrip measures a question to PostgreSQL that takes it no work.
func startRoundTrip(at site) (*subject, error) {
	ctx := context.Background()
	pool, err := pgxpool.New(ctx, at.Postgres)
	if err != nil {
		return nil, err
	}
	return &subject{
		operation: func(int) error {
			var one int
			return pool.QueryRow(ctx, "SELECT 1").Scan(&one)
		},
		stop: func() error {
			pool.Close()
			return nil
		},
	}, nil
}
