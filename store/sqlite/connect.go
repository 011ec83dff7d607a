package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	// The driver registers itself as "sqlite".
	_ "modernc.org/sqlite"
)

const (
	inMemory   = ":memory:"
	maxReaders = 4
)

// resolve returns the one name of a file, so that two names of it have one lock.
func resolve(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("store: %w", err)
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		return target, nil
	}
	directory, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return "", fmt.Errorf("store: the directory of %s must exist: %w", path, err)
	}
	return filepath.Join(directory, filepath.Base(path)), nil
}

// connect opens the writing connection and, for a file, the pool of readers.
func (s *Store) connect(ctx context.Context) error {
	var err error
	if s.writer, err = sql.Open("sqlite", dataSource(s.path, url.Values{
		"_busy_timeout": {"5000"},
		"_auto_vacuum":  {"INCREMENTAL"},
		"_journal_mode": {"WAL"},
		"_synchronous":  {"FULL"},
	})); err != nil {
		return explainOpen(s.path, err)
	}
	s.writer.SetMaxOpenConns(1)
	conn, err := s.writer.Conn(ctx)
	if err != nil {
		return explainOpen(s.path, err)
	}
	s.conn = &connection{Conn: conn}
	if s.path == inMemory {
		return nil
	}
	if s.readers, err = sql.Open("sqlite", dataSource(s.path, url.Values{
		"_busy_timeout": {"5000"},
		"_query_only":   {"1"},
	})); err != nil {
		return explainOpen(s.path, err)
	}
	s.readers.SetMaxOpenConns(maxReaders)
	s.readers.SetMaxIdleConns(maxReaders)
	return nil
}

func dataSource(path string, options url.Values) string {
	if path == inMemory {
		return path + "?" + options.Encode()
	}
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") { // C:/…
		path = "/" + path
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: options.Encode()}).String()
}
