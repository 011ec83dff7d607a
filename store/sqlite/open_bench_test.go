package sqlite

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkOpen opens a file after a kill: with a million executions that are over, and
// with a hundred thousand that are queued for a thousand instances; until the first claim.
func BenchmarkOpen(b *testing.B) {
	b.Run("1000000 finished", func(b *testing.B) { benchOpen(b, 1_000_000, 1) })
	b.Run("100000 queued", func(b *testing.B) { benchOpen(b, 1, 100_000) })
	b.Run("1000000 queued", func(b *testing.B) { benchOpen(b, 1, 1_000_000) })
}

func benchOpen(b *testing.B, finished, queued int) {
	b.Helper()
	path := filepath.Join(b.TempDir(), "s.db")
	s := openTest(b, path, defaultLimits)
	for _, statement := range []string{
		`
		WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
		INSERT INTO executions SELECT i, CAST(unhex(printf('%016x7000', i)) || randomblob(6) AS BLOB), 1, 'orders', '1', '', '',
			printf('instance %d', i % 1000), 'f', 'webhook', NULL, randomblob(1024) FROM n`, `
		INSERT INTO outcomes SELECT seq << 20 | 1, 'succeeded', 1, 1, 0, '', randomblob(20), NULL
			FROM executions WHERE seq <= ?`, `
		INSERT INTO pending SELECT instance, seq, NULL FROM executions WHERE seq > ? AND seq <= (SELECT max(seq) - 1000 FROM executions)`,
		"UPDATE recovery SET mark = (SELECT max(seq) - 1000 FROM executions) - 0 * ?",
	} {
		n := finished
		if statement[3] == 'W' {
			n += queued
		}
		_, err := s.conn.ExecContext(b.Context(), statement, n)
		require.NoError(b, err)
	}
	crashed := s.path + ".crashed"
	require.NoError(b, s.Close())
	require.NoError(b, os.Rename(path, crashed))
	for b.Loop() {
		s := openTest(b, crashed, defaultLimits)
		if queued > 1 {
			_, err := s.Claim(b.Context(), worker("w"), 1)
			require.NoError(b, err)
		}
		b.StopTimer()
		require.NoError(b, s.Close())
		b.StartTimer()
	}
}
