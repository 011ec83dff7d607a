package sqlite

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkOpen opens a file: with a million executions that are over, and
// with many that are queued in a thousand lanes, or in one; until the first claim.
func BenchmarkOpen(b *testing.B) {
	b.Run("1000000 finished", func(b *testing.B) { benchOpen(b, 1_000_000, 1, 1) })
	b.Run("100000 queued", func(b *testing.B) { benchOpen(b, 1, 100_000, 1000) })
	b.Run("1000000 queued", func(b *testing.B) { benchOpen(b, 1, 1_000_000, 1000) })
	b.Run("1000000 queued in one lane", func(b *testing.B) { benchOpen(b, 1, 1_000_000, 1) })
}

func benchOpen(b *testing.B, finished, queued, lanes int) {
	b.Helper()
	path := filepath.Join(b.TempDir(), "s.db")
	s := openTest(b, path, defaultLimits)
	fillStore(b, s, finished, queued, lanes)
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

// fillStore writes executions behind the store's back: what it has is found by the next one
// that opens the file. The last thousand are above the mark.
func fillStore(tb testing.TB, s *Store, finished, queued, lanes int) {
	tb.Helper()
	s.conn.Lock()
	defer s.conn.Unlock()
	for _, step := range []struct {
		statement string
		args      []any
	}{
		{
			`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
			INSERT INTO executions (seq, id, accepted_at, integration, version, customer, user, instance, flow, invoke_type,
				lane, lane_limit, unique_key, parent, original, depth, head, body)
			SELECT i, CAST(unhex(printf('%016x7000', i)) || randomblob(6) AS BLOB), 1, 'orders', '1', '', '',
				printf('instance %d', i % ? % 10), 'f', 'webhook', i % ?, 1, '', '', '', 0, NULL, randomblob(1024) FROM n`,
			[]any{finished + queued, lanes, lanes},
		},
		{`INSERT INTO outcomes (id, status, started_at, ended_at, next_attempt, error, result)
			SELECT seq << 20 | 1, 'succeeded', 1, 1, 0, '', randomblob(20) FROM executions WHERE seq <= ?`, []any{finished}},
		{`INSERT INTO pending (instance, lane, seq, lane_limit, size, kept, recovered, deaths, crashes, canceled)
			SELECT instance, '=' || lane, seq, 1, 1024, 0, 0, 0, 0, '' FROM executions
			WHERE seq > ? AND seq <= (SELECT max(seq) - 1000 FROM executions)`, []any{finished}},
	} {
		_, err := s.conn.ExecContext(tb.Context(), step.statement, step.args...)
		require.NoError(tb, err)
	}
	s.seq = int64(finished + queued - 1000) // Close moves the mark there.
}

// BenchmarkLoad claims executions that memory does not hold, one at a time and 32.
func BenchmarkLoad(b *testing.B) {
	for _, n := range []int{1, 32} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			s := openTest(b, filepath.Join(b.TempDir(), "s.db"), defaultLimits)
			defer func() { require.NoError(b, s.Close()) }()
			fillStore(b, s, 1, 2000, 100)
			seats := make([]*seat, n)
			for i := 0; b.Loop(); i++ {
				for j := range seats {
					seats[j] = &seat{seq: int64(1 + (i+j)%2000)}
				}
				require.NoError(b, s.load(b.Context(), seats))
			}
		})
	}
}
