package secret_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluice-go/sluice/internal/secret"
)

func key(b byte) []byte { return bytes.Repeat([]byte{b}, secret.KeySize) }

func keyring(t require.TestingT, keys ...[]byte) *secret.Keyring {
	k, err := secret.NewKeyring(keys)
	require.NoError(t, err)
	return k
}

func TestSealedOpensOnlyInItsPlace(t *testing.T) {
	t.Parallel()
	k := keyring(t, key(1))
	rapid.Check(t, func(t *rapid.T) {
		plaintext := rapid.SliceOf(rapid.Byte()).Draw(t, "plaintext")
		places := rapid.SliceOfN(rapid.SliceOfN(rapid.StringMatching(`[ab]{0,3}`), 0, 3), 2, 2).Draw(t, "places")
		sealed := k.Seal(plaintext, places[0]...)
		require.True(t, secret.IsSealed(sealed))
		opened, err := k.Open(sealed, places[0]...)
		require.NoError(t, err)
		require.True(t, bytes.Equal(plaintext, opened))
		if !slices.Equal(places[0], places[1]) {
			_, err = k.Open(sealed, places[1]...)
			require.ErrorIs(t, err, secret.ErrAltered)
		}
	})
}

func TestEveryFlippedBitIsFound(t *testing.T) {
	t.Parallel()
	k := keyring(t, key(1), key(2))
	sealed := k.Seal([]byte("secret"), "config", "instance")
	require.NotContains(t, string(sealed), "secret")
	for i := range sealed {
		for bit := range 8 {
			altered := bytes.Clone(sealed)
			altered[i] ^= 1 << bit
			_, err := k.Open(altered, "config", "instance")
			require.Error(t, err, "byte %d, bit %d", i, bit)
		}
	}
	for length := range sealed {
		_, err := k.Open(sealed[:length], "config", "instance")
		require.Error(t, err, "cut after %d bytes", length)
	}
}

func TestKeysRotate(t *testing.T) {
	t.Parallel()
	before, during, after := keyring(t, key(1)), keyring(t, key(2), key(1)), keyring(t, key(2))
	old := before.Seal([]byte("secret"))
	require.True(t, before.IsCurrent(old))
	require.False(t, during.IsCurrent(old))
	opened, err := during.Open(old)
	require.NoError(t, err)
	require.Equal(t, "secret", string(opened))
	opened, err = after.Open(during.Seal(opened))
	require.NoError(t, err)
	require.Equal(t, "secret", string(opened))
	_, err = after.Open(old)
	require.ErrorIs(t, err, secret.ErrUnknownKey)
	_, err = keyring(t).Open(old)
	require.ErrorIs(t, err, secret.ErrUnknownKey)
}

func TestNoTwoSealsAreTheSame(t *testing.T) {
	t.Parallel()
	k := keyring(t, key(1))
	require.NotEqual(t, k.Seal([]byte("secret")), k.Seal([]byte("secret")))
}

func TestMasterKeyLength(t *testing.T) {
	t.Parallel()
	for _, length := range []int{0, 16, 31, 33, 64} {
		_, err := secret.NewKeyring([][]byte{make([]byte, length)})
		require.ErrorContains(t, err, "must be 32 random ones")
	}
}
