package sluice

import (
	"errors"
	"fmt"
)

// A SignatureError says why a request was not accepted as the provider's. It never holds a
// secret or the signature that was expected. Answer all of them alike, with 401.
type SignatureError struct {
	Reason SignatureReason
	// Detail says in words what is wrong, where, and what to do.
	Detail string
}

// A SignatureReason is the kind of a SignatureError.
type SignatureReason string

// The reasons of a SignatureError.
const (
	// SignatureMissing: a field that the scheme needs is absent or empty.
	SignatureMissing SignatureReason = "missing"
	// SignatureDuplicate: a field that must be there once is there several times.
	SignatureDuplicate SignatureReason = "duplicate"
	// SignatureMalformed: a field cannot be read.
	SignatureMalformed SignatureReason = "malformed"
	// SignatureMismatch: no signature fits any of the secrets.
	SignatureMismatch SignatureReason = "mismatch"
	// SignatureTooOld: the sending time is longer ago than the tolerance.
	SignatureTooOld SignatureReason = "too old"
	// SignatureInFuture: the sending time is further ahead than the tolerance.
	SignatureInFuture SignatureReason = "in the future"
	// SignatureNoSecret: there is no secret, or only empty ones.
	SignatureNoSecret SignatureReason = "no secret"
	// SignatureBadSecret: the secret or key cannot be read, or has the wrong length.
	SignatureBadSecret SignatureReason = "bad secret"
	// SignatureMisconfigured: the Signature itself is faulty; see Signature.Validate.
	SignatureMisconfigured SignatureReason = "misconfigured"
)

func (e *SignatureError) Error() string {
	return "webhook signature: " + e.Detail
}

func signatureErrorf(reason SignatureReason, format string, args ...any) *SignatureError {
	return &SignatureError{Reason: reason, Detail: fmt.Sprintf(format, args...)}
}

func isSignatureMissing(err error) bool {
	var signature *SignatureError
	return errors.As(err, &signature) && signature.Reason == SignatureMissing
}
