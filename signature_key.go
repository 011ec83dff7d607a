package sluice

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// A verificationKey is a secret as the algorithm uses it.
type verificationKey struct {
	bytes []byte
	ecdsa *ecdsa.PublicKey
}

// CheckSecret reports, as a *SignatureError, a secret or key that can never verify anything:
// an empty one, one that cannot be decoded, a key of the wrong length or kind. Call it when
// the secret is configured; Verify skips such secrets and refuses when no other is left.
func (s Signature) CheckSecret(secret string) error {
	_, err := s.verificationKey(secret)
	return err
}

// verificationKeys returns the usable keys of the secrets.
func (s Signature) verificationKeys(secrets []string) ([]verificationKey, error) {
	keys := make([]verificationKey, 0, len(secrets))
	var problem error
	for _, secret := range secrets {
		key, err := s.verificationKey(secret)
		switch {
		case err == nil:
			keys = append(keys, key)
		case problem == nil:
			problem = err
		}
	}
	if len(keys) > 0 {
		return keys, nil
	}
	if problem == nil {
		problem = signatureErrorf(SignatureNoSecret, "no secret is configured; set the provider's signing secret")
	}
	return nil, problem
}

func (s Signature) verificationKey(secret string) (verificationKey, error) {
	key, err := s.decodeSecret(secret)
	if err != nil {
		return verificationKey{}, err
	}
	switch s.Algorithm {
	case Ed25519:
		if len(key) != ed25519.PublicKeySize {
			return verificationKey{}, signatureErrorf(SignatureBadSecret,
				"the Ed25519 public key has %d bytes; it must have %d", len(key), ed25519.PublicKeySize)
		}
		return verificationKey{bytes: key}, nil
	case ECDSAP256:
		public, err := parseECDSAKey(key)
		return verificationKey{ecdsa: public}, err
	default:
		return verificationKey{bytes: key}, nil
	}
}

func parseECDSAKey(der []byte) (*ecdsa.PublicKey, error) {
	parsed, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, signatureErrorf(SignatureBadSecret,
			"the public key is not a DER SubjectPublicKeyInfo; copy it from the provider's settings")
	}
	public, ok := parsed.(*ecdsa.PublicKey)
	if !ok || public.Curve != elliptic.P256() {
		return nil, signatureErrorf(SignatureBadSecret, "the public key is not an ECDSA key on P-256")
	}
	return public, nil
}

// decodeSecret turns a configured secret into bytes.
func (s Signature) decodeSecret(secret string) ([]byte, error) {
	for _, prefix := range s.SecretPrefixes {
		if rest, ok := strings.CutPrefix(secret, prefix); ok {
			secret = rest
			break
		}
	}
	key := []byte(secret)
	if s.SecretEncoding != "" {
		var err error
		if key, err = s.SecretEncoding.decode(secret); err != nil {
			return nil, signatureErrorf(SignatureBadSecret,
				"the secret is not valid %s; copy it from the provider's settings", s.SecretEncoding)
		}
	}
	// To HMAC, which pads the key with zeros, a key of zeros is the empty one.
	if len(bytes.Trim(key, "\x00")) == 0 {
		return nil, signatureErrorf(SignatureNoSecret, "the secret is empty; set the provider's signing secret")
	}
	return key, nil
}

// appendEncoded appends the text of the bytes.
func (e SignatureEncoding) appendEncoded(text, raw []byte) []byte {
	if e == EncodingBase64 {
		return base64.StdEncoding.AppendEncode(text, raw)
	}
	return hex.AppendEncode(text, raw)
}

func (e SignatureEncoding) decode(text string) ([]byte, error) {
	if e == EncodingBase64 {
		return base64.StdEncoding.DecodeString(text)
	}
	return hex.DecodeString(text)
}

// decodeCanonical refuses text that another encoder could have written for the same bytes:
// upper-case hex, line breaks, stray bits at the end of base64.
func (e SignatureEncoding) decodeCanonical(text string) ([]byte, bool) {
	raw, err := e.decode(text)
	return raw, err == nil && bytes.Equal(e.appendEncoded(nil, raw), []byte(text))
}
