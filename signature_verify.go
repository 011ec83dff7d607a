package sluice

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// maxPublicKeySignatures bounds how many signatures of one request are tried with a public
// key, because each costs some 50 µs and a header has room for thousands.
const maxPublicKeySignatures = 16

// Verify checks that a request was signed with one of the secrets and, where the scheme has
// a sending time and a tolerance, that it is recent. Several secrets are live at once while
// one replaces another. The error is a *SignatureError.
func (s Signature) Verify(req SignedRequest, secrets ...string) error {
	_, err := s.verify(&req, secrets)
	return err
}

// verify returns the key that fits.
func (s Signature) verify(req *SignedRequest, secrets []string) (verificationKey, error) {
	if err := s.Validate(); err != nil {
		return verificationKey{}, signatureErrorf(SignatureMisconfigured, "the scheme is faulty: %v", err)
	}
	keys, err := s.verificationKeys(secrets)
	if err != nil {
		return verificationKey{}, err
	}
	if err := s.checkRequiredHeaders(req); err != nil {
		return verificationKey{}, err
	}
	fields, err := s.read(req)
	if err != nil {
		return verificationKey{}, err
	}
	if err := s.checkBodyDigest(req); err != nil {
		return verificationKey{}, err
	}
	key, err := s.match(req, &fields, keys)
	if err != nil {
		return verificationKey{}, err
	}
	return key, s.checkTime(req, fields.timestamp)
}

// signatureFields is what stands in a request for a scheme.
type signatureFields struct {
	signatures []string
	timestamp  string
	id         string
}

func (s Signature) read(req *SignedRequest) (signatureFields, error) {
	var fields signatureFields
	present := false
	for _, path := range s.signaturePaths(req) {
		text, err := req.field("signature", []string{path})
		if isSignatureMissing(err) {
			continue
		}
		if err == nil {
			err = s.readElements(&fields, path, text)
		}
		if err != nil {
			return fields, err
		}
		present = true
	}
	if !present {
		return fields, signatureErrorf(SignatureMissing, "the signature is missing; it is expected in %s",
			strings.Join(s.SignatureFields, " or "))
	}
	if len(fields.signatures) == 0 {
		return fields, signatureErrorf(SignatureMalformed, "no signature starts with %q", s.Prefix)
	}
	if s.publicKey() && len(fields.signatures) > maxPublicKeySignatures {
		return fields, signatureErrorf(SignatureMalformed, "there are %d signatures; at most %d are tried",
			len(fields.signatures), maxPublicKeySignatures)
	}
	return fields, s.readSigned(req, &fields)
}

// signaturePaths is SignatureFields, with the headers that are there for a numbered one.
func (s Signature) signaturePaths(req *SignedRequest) []string {
	paths := make([]string, 0, len(s.SignatureFields))
	for _, path := range s.SignatureFields {
		pattern, numbered := strings.CutSuffix(path, "*")
		name, header := strings.CutPrefix(pattern, headerRoot)
		if !numbered || !header {
			paths = append(paths, path)
			continue
		}
		for _, number := range req.headerNumbers(name) {
			paths = append(paths, pattern+number)
		}
	}
	return paths
}

// readElements reads the signatures, and the sending time where it stands among them.
func (s Signature) readElements(fields *signatureFields, path, text string) error {
	if s.Separator == "" {
		if signature, ok := s.cutPrefix(text); ok {
			fields.signatures = append(fields.signatures, signature)
		}
		return nil
	}
	for element := range strings.SplitSeq(text, s.Separator) {
		element = strings.Trim(element, " \t")
		if s.TimestampPrefix != "" {
			if timestamp, ok := strings.CutPrefix(element, s.TimestampPrefix); ok {
				if fields.timestamp != "" {
					return signatureErrorf(SignatureDuplicate, "%s has several elements %s; it must have one", path, s.TimestampPrefix)
				}
				fields.timestamp = timestamp
				continue
			}
		}
		if signature, ok := s.cutPrefix(element); ok {
			fields.signatures = append(fields.signatures, signature)
		}
	}
	if s.TimestampPrefix != "" && fields.timestamp == "" {
		return signatureErrorf(SignatureMissing, "%s has no sending time; the element %s is expected", path, s.TimestampPrefix)
	}
	return nil
}

func (s Signature) cutPrefix(element string) (string, bool) {
	signature, ok := strings.CutPrefix(element, s.Prefix)
	return signature, (ok || s.PrefixOptional) && signature != ""
}

// readSigned reads the other fields that the scheme signs or checks.
func (s Signature) readSigned(req *SignedRequest, fields *signatureFields) error {
	var err error
	if len(s.TimestampFields) > 0 && (s.Tolerance != 0 || s.signs("{timestamp}")) {
		if fields.timestamp, err = req.field("sending time", s.TimestampFields); err != nil {
			return err
		}
	}
	if s.signs("{id}") {
		fields.id, err = req.field("delivery id", s.IDFields)
	}
	return err
}

func (s Signature) checkRequiredHeaders(req *SignedRequest) error {
	for name, want := range s.RequiredHeaders {
		value, err := req.field(name+" header", []string{headerRoot + name})
		if err != nil {
			return err
		}
		if value != want {
			return signatureErrorf(SignatureMalformed, "the %s header is not %q; this scheme does not cover the request", name, want)
		}
	}
	return nil
}

// checkBodyDigest compares the digest in the URL with the body; that the URL is signed makes
// the body signed.
func (s Signature) checkBodyDigest(req *SignedRequest) error {
	if s.BodyDigestParameter == "" {
		return nil
	}
	digests := req.query()[s.BodyDigestParameter]
	if len(digests) == 0 && (s.signs("{body}") || s.signs("{form}")) {
		return nil
	}
	digest, err := req.field("digest of the body", []string{queryRoot + s.BodyDigestParameter})
	if err != nil {
		return err
	}
	sum := sha256.Sum256(req.Body)
	if digest != hex.EncodeToString(sum[:]) {
		return signatureErrorf(SignatureMismatch, "the body does not have the digest that the URL gives in %s", s.BodyDigestParameter)
	}
	return nil
}
