package sluice

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"time"
)

// Sign returns the request as the provider would send it: with the signature, and with the
// headers, the sending time and the delivery id that the scheme needs where the request does
// not have them yet. The argument is not changed. Tests and senders of webhooks use it.
//
// The secret is the one that verifies; for Ed25519 and ECDSAP256 it is the private key. The
// error is a *SignatureError.
func (s Signature) Sign(req SignedRequest, secret string) (SignedRequest, error) {
	if err := s.Validate(); err != nil {
		return req, signatureErrorf(SignatureMisconfigured, "the scheme is faulty: %v", err)
	}
	key, err := s.decodeSecret(secret)
	if err != nil {
		return req, err
	}
	req.Header = req.Header.Clone()
	if req.Header == nil {
		req.Header = http.Header{}
	}
	fields, err := s.complete(&req)
	if err != nil {
		return req, err
	}
	message := signedMessage{req: &req, url: req.URL, timestamp: fields.timestamp, id: fields.id}
	signature, err := s.signature(&message, key)
	if err != nil {
		return req, err
	}
	text := s.Prefix + signature
	if s.TimestampPrefix != "" {
		text = s.TimestampPrefix + fields.timestamp + s.Separator + text
	}
	return req, req.set(strings.Replace(s.SignatureFields[0], "*", "1", 1), text)
}

// complete adds what the scheme needs beside the signature.
func (s Signature) complete(req *SignedRequest) (signatureFields, error) {
	var fields signatureFields
	for name, value := range s.RequiredHeaders {
		req.setHeader(name, value)
	}
	s.addBodyDigest(req)
	now := req.Time
	if now.IsZero() {
		now = time.Now()
	}
	fields.timestamp = s.TimestampFormat.format(now)
	if len(s.TimestampFields) > 0 {
		if err := req.keepOrSet(s.TimestampFields, &fields.timestamp); err != nil {
			return fields, err
		}
	}
	if s.signs("{id}") {
		fields.id = "msg_" + rand.Text()
		if err := req.keepOrSet(s.IDFields, &fields.id); err != nil {
			return fields, err
		}
	}
	return fields, nil
}

func (s Signature) addBodyDigest(req *SignedRequest) {
	if s.BodyDigestParameter == "" || s.signs("{body}") || s.signs("{form}") || req.query().Has(s.BodyDigestParameter) {
		return
	}
	separator := "?"
	if strings.Contains(req.URL, "?") {
		separator = "&"
	}
	sum := sha256.Sum256(req.Body)
	req.URL += separator + s.BodyDigestParameter + "=" + hex.EncodeToString(sum[:])
}

// keepOrSet keeps the value that the request has, else sets it in the first header among
// the paths, so that the body stays as it is where the scheme allows it.
func (r *SignedRequest) keepOrSet(paths []string, value *string) error {
	present, err := r.field("value", paths)
	if err == nil {
		*value = present
		return nil
	}
	if !isSignatureMissing(err) {
		return err
	}
	target := paths[0]
	for _, path := range paths {
		if strings.HasPrefix(path, headerRoot) {
			target = path
			break
		}
	}
	return r.set(target, *value)
}

func (r *SignedRequest) set(path, value string) error {
	if name, ok := strings.CutPrefix(path, headerRoot); ok {
		r.setHeader(name, value)
		return nil
	}
	keys, ok := strings.CutPrefix(path, bodyRoot)
	if !ok {
		return signatureErrorf(SignatureMisconfigured, "cannot sign into %s; headers and fields of the body can be set", path)
	}
	body, err := setJSONText(r.Body, strings.Split(keys, "."), value)
	if err != nil {
		return signatureErrorf(SignatureMalformed, "the body is not a JSON object, into which %s could be written", path)
	}
	r.Body = body
	return nil
}

func (r *SignedRequest) setHeader(name, value string) {
	maps.DeleteFunc(r.Header, func(key string, _ []string) bool { return strings.EqualFold(key, name) })
	r.Header.Set(name, value)
}

// setJSONText returns the document with a text at the path, whose objects are made where
// they are missing.
func setJSONText(document []byte, path []string, value string) ([]byte, error) {
	object := map[string]json.RawMessage{}
	if len(document) > 0 {
		if err := json.Unmarshal(document, &object); err != nil {
			return nil, err
		}
	}
	if len(path) == 1 {
		text, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		object[path[0]] = text
		return json.Marshal(object)
	}
	member, err := setJSONText(object[path[0]], path[1:], value)
	if err != nil {
		return nil, err
	}
	object[path[0]] = member
	return json.Marshal(object)
}

// signature returns the text of the signature, without its prefix.
func (s Signature) signature(message *signedMessage, key []byte) (string, error) {
	if s.Algorithm == SharedToken {
		return string(key), nil
	}
	if !s.publicKey() {
		sum, err := s.sum(message, key)
		return string(s.Encoding.appendEncoded(nil, sum)), err
	}
	var text strings.Builder
	if err := message.write(&text, s.template()); err != nil {
		return "", err
	}
	raw, err := s.signPrivately([]byte(text.String()), key)
	return string(s.Encoding.appendEncoded(nil, raw)), err
}

func (s Signature) signPrivately(text, key []byte) ([]byte, error) {
	if s.Algorithm == Ed25519 {
		switch len(key) {
		case ed25519.SeedSize:
			return ed25519.Sign(ed25519.NewKeyFromSeed(key), text), nil
		case ed25519.PrivateKeySize:
			return ed25519.Sign(key, text), nil
		}
		return nil, signatureErrorf(SignatureBadSecret, "the Ed25519 private key has %d bytes; it must have %d or %d",
			len(key), ed25519.SeedSize, ed25519.PrivateKeySize)
	}
	private, err := x509.ParseECPrivateKey(key)
	if err != nil {
		parsed, _ := x509.ParsePKCS8PrivateKey(key)
		private, _ = parsed.(*ecdsa.PrivateKey)
	}
	if private == nil {
		return nil, signatureErrorf(SignatureBadSecret, "the private key is neither PKCS #8 nor SEC 1 with an ECDSA key")
	}
	digest := sha256.Sum256(text)
	return ecdsa.SignASN1(rand.Reader, private, digest[:])
}
