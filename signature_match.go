package sluice

import (
	"bytes"
	"cmp"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/md5"  // #nosec G501 -- old senders still use HMAC-MD5.
	"crypto/sha1" // #nosec G505 -- old senders still use HMAC-SHA1.
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"hash"
	"strings"
)

func (s Signature) publicKey() bool {
	return s.Algorithm == Ed25519 || s.Algorithm == ECDSAP256
}

// match returns the key that one of the signatures was made with. Every signature is tried
// with every key and every URL, so that the time tells nothing about which one fits.
func (s Signature) match(req *SignedRequest, fields *signatureFields, keys []verificationKey) (verificationKey, error) {
	matched := -1
	for _, url := range s.urls(req.URL) {
		message := signedMessage{req: req, url: url, timestamp: fields.timestamp, id: fields.id}
		for i, key := range keys {
			fits, err := s.fits(&message, key, fields.signatures)
			if err != nil {
				return verificationKey{}, err
			}
			matched = subtle.ConstantTimeSelect(fits, i, matched)
		}
	}
	if matched < 0 {
		return verificationKey{}, signatureErrorf(SignatureMismatch,
			"no signature fits; check the secret, and that nothing between the sender and here changes the body or the URL")
	}
	return keys[matched], nil
}

// fits returns 1 when one of the signatures was made for the message with the key, else 0.
func (s Signature) fits(message *signedMessage, key verificationKey, signatures []string) (int, error) {
	if s.publicKey() {
		return s.fitsPublicKey(message, key, signatures)
	}
	if s.Algorithm == SharedToken {
		return fitsToken(key.bytes, signatures), nil
	}
	expected, err := s.sum(message, key.bytes)
	if err != nil {
		return 0, err
	}
	var buffer [2 * sha512.Size]byte
	text := s.Encoding.appendEncoded(buffer[:0], expected)
	fits := 0
	for _, signature := range signatures {
		fits |= subtle.ConstantTimeCompare(text, []byte(signature))
	}
	return fits, nil
}

// sum computes the HMAC or hash of the message.
func (s Signature) sum(message *signedMessage, key []byte) ([]byte, error) {
	var h hash.Hash
	switch s.Algorithm {
	case HMACMD5:
		h = hmac.New(md5.New, key)
	case HMACSHA1:
		h = hmac.New(sha1.New, key)
	case HMACSHA512:
		h = hmac.New(sha512.New, key)
	case PlainSHA256:
		h = sha256.New()
		message.secret = key
	default:
		h = hmac.New(sha256.New, key)
	}
	if err := message.write(h, s.template()); err != nil {
		return nil, err
	}
	return h.Sum(nil), nil
}

// fitsToken compares digests, so that the time does not tell the length of the token.
func fitsToken(token []byte, presented []string) int {
	want := sha256.Sum256(token)
	fits := 0
	for _, text := range presented {
		got := sha256.Sum256([]byte(text))
		fits |= subtle.ConstantTimeCompare(want[:], got[:])
	}
	return fits
}

func (s Signature) fitsPublicKey(message *signedMessage, key verificationKey, signatures []string) (int, error) {
	var text bytes.Buffer
	if err := message.write(&text, s.template()); err != nil {
		return 0, err
	}
	digest := sha256.Sum256(text.Bytes())
	fits := 0
	for _, signature := range signatures {
		raw, ok := s.Encoding.decodeCanonical(signature)
		switch {
		case !ok:
		case s.Algorithm == ECDSAP256 && ecdsa.VerifyASN1(key.ecdsa, digest[:], raw):
			fits = 1
		case s.Algorithm == Ed25519 && ed25519.Verify(key.bytes, text.Bytes(), raw):
			fits = 1
		}
	}
	return fits, nil
}

// hashName returns the name of the hash function, as in the prefix "sha256=".
func (a SignatureAlgorithm) hashName() string {
	return strings.TrimPrefix(string(cmp.Or(a, HMACSHA256)), "hmac-")
}
