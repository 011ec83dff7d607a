package main

import (
	"context"
	"errors"
	"os"
	"slices"

	"github.com/sluice-go/sluice/store/postgres/pgtest"
)

// openPostgres starts the server that the tables need. Nil means that they need none, or that there is none, which only
// where CI=true is wrong.
func openPostgres(ctx context.Context, tables []table) (*pgtest.Server, error) {
	if !slices.ContainsFunc(tables, func(t table) bool { return t.postgres }) {
		return nil, nil //nolint:nilnil // Nil is no server.
	}
	server, err := pgtest.Start(ctx)
	if errors.Is(err, pgtest.ErrMissing) && os.Getenv("CI") != "true" {
		return nil, nil //nolint:nilnil // Nil is no server.
	}
	return server, err
}
