// Package pgtest gives tests and benchmarks a PostgreSQL server: a throwaway cluster made
// with the installed binaries, or the server in SLUICE_TEST_POSTGRES.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

// Variable of the environment that has the URL of a server, whose user may create
// databases. Without it a cluster is made.
const Variable = "SLUICE_TEST_POSTGRES"

// ErrMissing says that PostgreSQL is not installed.
var ErrMissing = errors.New("pgtest: PostgreSQL is not installed: install it (Debian: apt-get install postgresql-15), " +
	"or set " + Variable + " to the URL of a server")

// ErrForeign refuses to restart a server that was not started here.
var ErrForeign = errors.New("pgtest: the server in " + Variable + " is not ours to restart")

// Server is a running PostgreSQL. Make it with [Start].
type Server struct {
	url string
	// cluster is nil if the server is somebody else's.
	cluster *cluster
	// prefix and count name databases, so that those of several processes do not meet.
	prefix string
	count  atomic.Int64
}

// Start starts a server of its own, with its data in the directory for temporary files, or
// uses that in the [Variable]. It returns ErrMissing where there is neither.
func Start(ctx context.Context) (*Server, error) {
	s := &Server{url: os.Getenv(Variable), prefix: "sluice_" + strconv.Itoa(os.Getpid()) + "_" + strconv.FormatInt(time.Now().UnixNano(), 36)}
	if s.url != "" {
		return s, nil
	}
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	if s.cluster, err = startCluster(ctx, bin); err != nil {
		return nil, fmt.Errorf("pgtest: start PostgreSQL: %w", err)
	}
	s.url = s.cluster.url()
	return s, nil
}

// NewDatabase makes an empty database and returns its URL.
func (s *Server) NewDatabase(ctx context.Context) (string, error) {
	address, err := url.Parse(s.url)
	if err != nil {
		return "", fmt.Errorf("pgtest: the URL of the server: %w", err)
	}
	name := s.prefix + "_" + strconv.FormatInt(s.count.Add(1), 10)
	if err := s.exec(ctx, "CREATE DATABASE "+name); err != nil {
		return "", err
	}
	address.Path = "/" + name
	return address.String(), nil
}

// DropDatabase removes the database with the URL, whoever uses it.
func (s *Server) DropDatabase(ctx context.Context, database string) error {
	address, err := url.Parse(database)
	if err != nil {
		return fmt.Errorf("pgtest: the URL of a database: %w", err)
	}
	return s.exec(ctx, "DROP DATABASE IF EXISTS "+pgx.Identifier{strings.TrimPrefix(address.Path, "/")}.Sanitize()+" WITH (FORCE)")
}

func (s *Server) exec(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, s.url)
	if err != nil {
		return fmt.Errorf("pgtest: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, statement); err != nil {
		return fmt.Errorf("pgtest: %s: %w", statement, err)
	}
	return nil
}

// Restart stops the server, which ends all connections, and starts it again on its port. It
// returns ErrForeign for a server that was not started here.
func (s *Server) Restart(ctx context.Context) error {
	if s.cluster == nil {
		return ErrForeign
	}
	if err := s.cluster.stop(); err != nil {
		return fmt.Errorf("pgtest: stop PostgreSQL: %w", err)
	}
	if err := s.cluster.start(ctx); err != nil {
		return fmt.Errorf("pgtest: start PostgreSQL again: %w", err)
	}
	return nil
}

// Close stops the server and removes its data, if it was started here.
func (s *Server) Close() error {
	if s.cluster == nil {
		return nil
	}
	return s.cluster.remove()
}

// binaries finds the newest installed server.
func binaries() (string, error) {
	if found, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(found), nil
	}
	newest, best := 0, ""
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	for _, path := range found {
		bin := filepath.Dir(path)
		if version, err := strconv.Atoi(filepath.Base(filepath.Dir(bin))); err == nil && version > newest {
			newest, best = version, bin
		}
	}
	if best == "" {
		return "", ErrMissing
	}
	return best, nil
}
