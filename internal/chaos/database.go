//go:build unix

package main

import (
	"context"
	"errors"
	"strings"

	"github.com/sluice-go/sluice/store"
	"github.com/sluice-go/sluice/store/postgres"
	"github.com/sluice-go/sluice/store/postgres/pgtest"
	"github.com/sluice-go/sluice/store/sqlite"
)

// open opens the SQLite file, or the PostgreSQL database of the URL.
func open(ctx context.Context, database string) (store.Store, error) {
	if strings.HasPrefix(database, "postgres") {
		return postgres.Open(ctx, database)
	}
	return sqlite.Open(ctx, database)
}

// startPostgres starts a server of its own and returns the URL of an empty database.
func startPostgres(ctx context.Context) (*pgtest.Server, string, error) {
	server, err := pgtest.Start(ctx)
	if err != nil {
		return nil, "", err
	}
	url, err := server.NewDatabase(ctx)
	if err != nil {
		return nil, "", errors.Join(err, server.Close())
	}
	return server, url, nil
}
