package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// postgresServer is where databases are made. Nil is none.
type postgresServer struct {
	address string // As a URL.
}

// openPostgres finds the server that the tables need. Nil means that there is none, which only where CI=true is wrong.
func openPostgres(tables []table) (*postgresServer, error) {
	if !slices.ContainsFunc(tables, func(t table) bool { return t.postgres }) {
		return nil, nil //nolint:nilnil // Nil is no server.
	}
	address := os.Getenv("SLUICE_TEST_POSTGRES")
	switch {
	case address != "":
		return &postgresServer{address: address}, nil
	case os.Getenv("CI") == "true":
		return nil, errors.New("there is no PostgreSQL: set SLUICE_TEST_POSTGRES to the URL of one, or install it")
	default:
		return nil, nil //nolint:nilnil // Nil is no server.
	}
}

func (s *postgresServer) close() error {
	return nil
}

// createDatabase makes an empty database and returns its address.
func (s *postgresServer) createDatabase(ctx context.Context) (string, error) {
	name := "bench_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	address, err := url.Parse(s.address)
	if err != nil {
		return "", fmt.Errorf("read the address of PostgreSQL: %w", err)
	}
	if err := s.execute(ctx, "CREATE DATABASE "+name); err != nil {
		return "", err
	}
	address.Path = "/" + name
	return address.String(), nil
}

// dropDatabase removes a database and whoever still uses it.
func (s *postgresServer) dropDatabase(ctx context.Context, address string) error {
	parsed, err := url.Parse(address)
	if err != nil {
		return fmt.Errorf("read the address of a database: %w", err)
	}
	return s.execute(ctx, "DROP DATABASE "+path.Base(parsed.Path)+" WITH (FORCE)")
}

func (s *postgresServer) execute(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, s.address)
	if err != nil {
		return fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	_, err = conn.Exec(ctx, statement)
	if err = cmp.Or(err, conn.Close(ctx)); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}
