package sqlite

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/store"
)

// TestCloseIsNoCrash closes and opens a store, with claims that nobody gave back.
func TestCloseIsNoCrash(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s.db")
	reopened := func(s *Store) *Store {
		require.NoError(t, s.Close())
		return openTest(t, s.path, defaultLimits)
	}
	claim := func(s *Store) *store.Claim {
		claims, err := s.Claim(t.Context(), worker("w"), 1)
		require.NoError(t, err)
		return claims[0]
	}
	s := openTest(t, path, defaultLimits)
	acceptTest(t, s, 10)
	for range 3 {
		s = reopened(s)
		require.Zero(t, claim(s).Crashes)
	}
	for crashes := 1; crashes < 4; crashes++ {
		s = crash(t, s)
		for range 3 {
			require.Equal(t, crashes, claim(s).Crashes)
			s = reopened(s)
		}
		require.Equal(t, crashes, claim(s).Crashes)
	}
	require.NoError(t, s.Close())
}

// TestUnwrittenClaim does not hand out what it could not mark.
func TestUnwrittenClaim(t *testing.T) {
	t.Parallel()
	s := openTest(t, filepath.Join(t.TempDir(), "s.db"), defaultLimits)
	acceptTest(t, s, 10)
	for range 2 {
		s = crash(t, s)
		setReadOnly(t, s, "TRUE")
		_, err := s.Claim(t.Context(), worker("w"), 1)
		require.ErrorIs(t, err, store.ErrUnavailable)
		setReadOnly(t, s, "FALSE")
		_, err = s.Claim(t.Context(), worker("w"), 1)
		require.NoError(t, err)
	}
	require.NoError(t, s.Close())
}

// setReadOnly refuses all writes, or no longer.
func setReadOnly(t *testing.T, s *Store, is string) {
	t.Helper()
	s.conn.Lock()
	defer s.conn.Unlock()
	_, err := s.conn.ExecContext(t.Context(), "PRAGMA query_only = "+is)
	require.NoError(t, err)
}
