package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// shared is the server of this test binary; nil where PostgreSQL is missing.
var shared *Server

// Main runs the tests of a package with one server for all of them, and returns the exit
// code. Where PostgreSQL is missing, tests that need it are skipped, which is said loudly;
// with CI=true that fails.
func Main(m *testing.M) int {
	server, err := Start(context.Background())
	if err != nil && (os.Getenv("CI") == "true" || !errors.Is(err, ErrMissing)) {
		fmt.Fprintln(os.Stderr, "FAIL:", err)
		return 1
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "WARNING: TESTS ON POSTGRESQL ARE SKIPPED:", err)
		return m.Run()
	}
	shared = server
	code := m.Run()
	if err := server.Close(); err != nil {
		fmt.Fprintln(os.Stderr, "FAIL:", err)
		return 1
	}
	return code
}

// Shared returns the server that [Main] started. The test is skipped where there is none.
func Shared(tb testing.TB) *Server {
	tb.Helper()
	if shared == nil {
		tb.Skip(ErrMissing)
	}
	return shared
}

// Database returns the URL of an empty database of the server that [Main] started, and
// removes it with the end of the test, which is skipped where there is no server.
func Database(tb testing.TB) string {
	tb.Helper()
	shared := Shared(tb)
	database, err := shared.NewDatabase(tb.Context())
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, shared.DropDatabase(context.WithoutCancel(tb.Context()), database)) })
	return database
}
