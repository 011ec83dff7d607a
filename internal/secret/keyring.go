// Package secret encrypts what must not be readable in the database: AES-256-GCM, under
// master keys that the host gives.
package secret

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

// KeySize is the length of a master key in bytes.
const KeySize = 32

// Errors of Open.
var (
	// ErrUnknownKey says that none of the keyring's keys sealed it.
	ErrUnknownKey = errors.New("its master key is not configured")
	// ErrAltered says that it was changed after it was sealed, or moved from elsewhere.
	ErrAltered = errors.New("it was altered, or stands in the wrong place")
)

// magic begins all that is sealed, and no text: 0xff is not UTF-8.
const magic = "\xffS1"

// A sealed value is its header (the magic and the id of its key), the nonce, and the
// ciphertext with its tag.
const (
	idSize     = 8
	headerSize = len(magic) + idSize
)

// Keyring seals with its first master key and opens with any, so that keys can be rotated.
type Keyring struct {
	keys []masterKey
}

type masterKey struct {
	header [headerSize]byte
	aead   cipher.AEAD
}

// NewKeyring takes master keys of KeySize bytes each. Without one it can open nothing.
func NewKeyring(keys [][]byte) (*Keyring, error) {
	k := &Keyring{keys: make([]masterKey, len(keys))}
	for i, key := range keys {
		if len(key) != KeySize {
			return nil, fmt.Errorf("master key %d has %d bytes: it must be %d random ones", i, len(key), KeySize)
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, err
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, err
		}
		k.keys[i].aead = aead
		copy(k.keys[i].header[:], magic)
		copy(k.keys[i].header[len(magic):], keyID(key))
	}
	return k, nil
}

// keyID names a master key without telling anything else of it.
func keyID(key []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("sluice master key id"))
	return mac.Sum(nil)[:idSize]
}

// CanSeal tells whether there is a master key.
func (k *Keyring) CanSeal() bool { return len(k.keys) > 0 }

// Seal encrypts plaintext for one place: what it is, whose, and its name there. It opens
// only with the same. The keyring must have a key: see CanSeal.
func (k *Keyring) Seal(plaintext []byte, place ...string) []byte {
	key := &k.keys[0]
	return key.aead.Seal(bytes.Clone(key.header[:]), nil, plaintext, additionalData(key, place)) //nolint:gosec // It draws its own nonces.
}

// Open decrypts what was sealed for the place. Errors are ErrUnknownKey and ErrAltered.
func (k *Keyring) Open(sealed []byte, place ...string) ([]byte, error) {
	if !IsSealed(sealed) || len(sealed) < headerSize {
		return nil, ErrAltered
	}
	for i := range k.keys {
		key := &k.keys[i]
		if !bytes.HasPrefix(sealed, key.header[:]) {
			continue
		}
		plaintext, err := key.aead.Open(nil, nil, sealed[headerSize:], additionalData(key, place))
		if err != nil {
			return nil, ErrAltered
		}
		return plaintext, nil
	}
	return nil, fmt.Errorf("sealed with master key %x: %w", sealed[len(magic):headerSize], ErrUnknownKey)
}

// IsCurrent tells whether it was sealed with the key that Seal uses.
func (k *Keyring) IsCurrent(sealed []byte) bool {
	return k.CanSeal() && bytes.HasPrefix(sealed, k.keys[0].header[:])
}

// IsSealed tells whether data was sealed with any key, or is plain text.
func IsSealed(data []byte) bool { return bytes.HasPrefix(data, []byte(magic)) }

// additionalData binds a ciphertext to its header and its place. Lengths keep the parts of
// the place apart.
func additionalData(key *masterKey, place []string) []byte {
	data := bytes.Clone(key.header[:])
	for _, part := range place {
		data = binary.BigEndian.AppendUint64(data, uint64(len(part)))
		data = append(data, part...)
	}
	return data
}
