package pgtest_test

import (
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/store/postgres/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

func TestDatabases(t *testing.T) {
	t.Parallel()
	one, two := pgtest.Database(t), pgtest.Database(t)
	require.NotEqual(t, one, two)
	first := connect(t, one)
	var fsync, commit string
	require.NoError(t, first.QueryRow(t.Context(), "SELECT current_setting('fsync'), current_setting('synchronous_commit')").Scan(&fsync, &commit))
	require.Equal(t, "on", fsync)
	require.Equal(t, "on", commit)
	_, err := first.Exec(t.Context(), "CREATE TABLE things (id int)")
	require.NoError(t, err)
	_, err = connect(t, two).Exec(t.Context(), "SELECT FROM things")
	require.ErrorContains(t, err, "does not exist")
}

func TestRestart(t *testing.T) {
	t.Parallel()
	if os.Getenv(pgtest.Variable) != "" {
		t.Skip("the server is somebody else's")
	}
	pgtest.Database(t) // Skips where PostgreSQL is missing.
	server, err := pgtest.Start(t.Context())
	require.NoError(t, err)
	database, err := server.NewDatabase(t.Context())
	require.NoError(t, err)
	before := connect(t, database)
	_, err = before.Exec(t.Context(), "CREATE TABLE things (id int)")
	require.NoError(t, err)
	require.NoError(t, server.Restart(t.Context()))
	require.Error(t, before.Ping(t.Context()))
	_, err = connect(t, database).Exec(t.Context(), "SELECT FROM things")
	require.NoError(t, err)
	require.NoError(t, server.Close())
	_, err = pgx.Connect(t.Context(), database)
	require.Error(t, err)
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	return conn
}
