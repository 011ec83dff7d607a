package sluice

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// Validate reports every fault of the description at once, each with the member's name. A
// faulty Signature verifies nothing.
func (s Signature) Validate() error {
	var faults []error
	fault := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf(format, args...))
	}
	if len(s.SignatureFields) == 0 {
		fault("SignatureFields is empty; name the place of the signature, such as headers.X-Signature")
	}
	for _, paths := range [...][]string{s.SignatureFields, s.TimestampFields, s.IDFields, s.DedupeIDFields} {
		for _, path := range paths {
			if !validSignaturePath(path) {
				fault("the field path %q must start with %s, %s or %s", path, headerRoot, queryRoot, bodyRoot)
			}
		}
	}
	for _, path := range s.SignatureFields {
		if s.Algorithm == SharedToken && strings.HasPrefix(path, bodyRoot) {
			fault("SignatureFields has %q: a token in the body would stand in every record; only headers and query parameters are kept out", path)
		}
	}
	switch s.Algorithm {
	case "", HMACMD5, HMACSHA1, HMACSHA256, HMACSHA512, PlainSHA256, Ed25519, ECDSAP256, SharedToken:
	default:
		fault("Algorithm %q is unknown", s.Algorithm)
	}
	if !s.Encoding.valid() {
		fault("Encoding %q is unknown; use hex or base64", s.Encoding)
	}
	if !s.SecretEncoding.valid() {
		fault("SecretEncoding %q is unknown; use hex or base64, or leave it empty", s.SecretEncoding)
	}
	s.validateTemplate(fault)
	s.validateTime(fault)
	s.Handshake.validate(fault)
	return errors.Join(faults...)
}

func validSignaturePath(path string) bool {
	for _, root := range [...]string{headerRoot, queryRoot, bodyRoot} {
		if len(path) > len(root) && strings.HasPrefix(path, root) {
			return true
		}
	}
	return false
}

func (e SignatureEncoding) valid() bool {
	return e == "" || e == EncodingHex || e == EncodingBase64
}

func (s Signature) validateTemplate(fault func(string, ...any)) {
	empty := signedMessage{req: &SignedRequest{}}
	if err := empty.write(io.Discard, s.template()); err != nil {
		fault("Template %q: %w", s.Template, err)
	}
	if s.signs("{timestamp}") && len(s.TimestampFields) == 0 && s.TimestampPrefix == "" {
		fault("Template has {timestamp}, but TimestampFields and TimestampPrefix are empty")
	}
	if s.signs("{id}") && len(s.IDFields) == 0 {
		fault("Template has {id}, but IDFields is empty")
	}
	if s.signs("{secret}") != (s.Algorithm == PlainSHA256) {
		fault("Template must have {secret} exactly when Algorithm is %q", PlainSHA256)
	}
}

func (s Signature) validateTime(fault func(string, ...any)) {
	switch s.TimestampFormat {
	case "", TimestampUnix, TimestampUnixMilli, TimestampRFC3339:
	default:
		fault("TimestampFormat %q is unknown; use unix, unix-ms or rfc3339", s.TimestampFormat)
	}
	if s.Tolerance < 0 {
		fault("Tolerance %s is negative", s.Tolerance)
	}
	if s.Tolerance > 0 && len(s.TimestampFields) == 0 && s.TimestampPrefix == "" {
		fault("Tolerance is set, but TimestampFields and TimestampPrefix are empty")
	}
	if s.TimestampPrefix != "" && s.Separator == "" {
		fault("TimestampPrefix is set, but Separator is empty")
	}
	if s.TimestampPrefix != "" && len(s.TimestampFields) > 0 {
		fault("TimestampPrefix and TimestampFields exclude each other")
	}
}
