package sluice

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// A Signature describes how a provider proves that a webhook is its own: where the signature
// stands in the request, what it covers and how it is made. It is data; the presets (GitHub,
// Stripe, Slack, …) return values of it, and a provider without a preset is described in the
// same way. Verify checks a request, Sign makes one.
//
// Fields are addressed by path: "headers.<name>" (in any case), "queryParameters.<name>" and
// "body.data.<key>.<key>" of a JSON body, where a list index is a number. Where several
// paths are given, the first one that is present counts, except for SignatureFields.
//
// The zero value of each member is the most common choice, so that
//
//	Signature{SignatureFields: []string{"headers.X-Signature"}}
//
// is the hexadecimal HMAC-SHA256 of the body.
type Signature struct {
	// SignatureFields are the places of the signatures. Every signature in every place that
	// is present is tried. A header name may end in "*", which stands for a number
	// (X-DocuSign-Signature-1, -2, …). A header that occurs twice is refused.
	SignatureFields []string
	// Separator splits a field into several elements, such as "t=1700000000,v1=…,v1=…".
	// Empty: the field is one signature.
	Separator string
	// Prefix is what a signature starts with, such as "sha256=" or "v1,". Elements with
	// another prefix are ignored; so there is no downgrade to a weaker algorithm.
	Prefix string
	// PrefixOptional accepts signatures without Prefix too.
	PrefixOptional bool

	// Algorithm is how the signature is made. Default: HMACSHA256.
	Algorithm SignatureAlgorithm
	// Encoding is how the signature's bytes are written. Default: EncodingHex. Only the
	// canonical form is accepted: lower-case hex, padded standard base64.
	Encoding SignatureEncoding
	// Template is the text that is signed, with these parts: {body} the exact bytes of the
	// body, {timestamp} and {id} the text of those fields, {method}, {url} the URL as the
	// sender sees it, {hubspotURL} that URL with the escapes decoded that HubSpot decodes,
	// {form} the names and values of a form body, sorted, and {secret}. Default: "{body}".
	Template string

	// TimestampFields are the places of the sending time.
	TimestampFields []string
	// TimestampPrefix marks the sending time among the elements of the signature field
	// ("t="). It is used with Separator and instead of TimestampFields.
	TimestampPrefix string
	// TimestampFormat is how the sending time is written. Default: TimestampUnix.
	TimestampFormat TimestampFormat
	// Tolerance is how far the sending time may lie from now, in the past or the future.
	// Zero: it is not checked.
	Tolerance time.Duration

	// IDFields are the places of the delivery id, where the template has {id}.
	IDFields []string
	// DedupeIDFields are the places of the id by which a repeated delivery is recognized.
	DedupeIDFields []string

	// RequiredHeaders are headers that must have exactly these values, such as the version
	// of the scheme.
	RequiredHeaders map[string]string
	// BodyDigestParameter is the query parameter that carries the hexadecimal SHA-256 of the
	// body. When the URL has it, it must match; it must be there when the template covers
	// the body in no other way.
	BodyDigestParameter string
	// AnyPort tries the URL with and without its port; the port that is added is the
	// scheme's default one.
	AnyPort bool

	// SecretEncoding is how secrets and keys are written. Default: they are used as they
	// are, byte for byte.
	SecretEncoding SignatureEncoding
	// SecretPrefixes are marks before a secret that are not part of it, such as "whsec_".
	SecretPrefixes []string

	// Handshake is the provider's check of the endpoint, if it has one. See Answer.
	Handshake Handshake
}

// A SignatureAlgorithm names how a signature is made.
type SignatureAlgorithm string

// The algorithms of signatures.
const (
	// HMACMD5 is for old senders only.
	HMACMD5 SignatureAlgorithm = "hmac-md5"
	// HMACSHA1 is for old senders only.
	HMACSHA1 SignatureAlgorithm = "hmac-sha1"
	// HMACSHA256 is the default.
	HMACSHA256 SignatureAlgorithm = "hmac-sha256"
	HMACSHA512 SignatureAlgorithm = "hmac-sha512"
	// PlainSHA256 is a hash without a key; the template must have {secret}.
	PlainSHA256 SignatureAlgorithm = "sha256"
	// Ed25519 verifies with the provider's public key of 32 bytes and signs with a seed
	// of 32 bytes or a private key of 64.
	Ed25519 SignatureAlgorithm = "ed25519"
	// ECDSAP256 is ECDSA on P-256 over SHA-256 with a DER signature. It verifies with a DER
	// SubjectPublicKeyInfo and signs with a PKCS #8 or SEC 1 private key.
	ECDSAP256 SignatureAlgorithm = "ecdsa-p256-sha256"
	// SharedToken sends the secret itself, in a header or the query; nothing of the request
	// is signed.
	SharedToken SignatureAlgorithm = "token"
)

// A SignatureEncoding names how bytes are written as text.
type SignatureEncoding string

// The encodings of signatures and secrets.
const (
	EncodingHex    SignatureEncoding = "hex"
	EncodingBase64 SignatureEncoding = "base64"
)

// A TimestampFormat names how a sending time is written.
type TimestampFormat string

// The formats of sending times.
const (
	// TimestampUnix is whole seconds since 1970, the default.
	TimestampUnix TimestampFormat = "unix"
	// TimestampUnixMilli is whole milliseconds since 1970.
	TimestampUnixMilli TimestampFormat = "unix-ms"
	// TimestampRFC3339 is a text like 2026-01-02T15:04:05Z, with or without a fraction.
	TimestampRFC3339 TimestampFormat = "rfc3339"
)

// A SignedRequest is what a signature may cover.
type SignedRequest struct {
	Method string
	// URL is the full URL as the sender sees it, with its query.
	URL string
	// Header holds all values of each header, with names in any case.
	Header http.Header
	// Body is the body exactly as it came over the wire: before decompression and parsing.
	Body []byte
	// Time is when the request arrived. Zero: now.
	Time time.Time
}

// IsSecretHeader tells whether the header, its name in any case, holds a signature or a
// token of the scheme: it belongs in no log and no record.
func (s Signature) IsSecretHeader(name string) bool {
	holds := func(path string) bool {
		header, ok := strings.CutPrefix(path, headerRoot)
		given := name
		if start, numbered := strings.CutSuffix(header, "*"); numbered {
			header, given = start, name[:min(len(start), len(name))]
		}
		return ok && strings.EqualFold(given, header)
	}
	return holds(s.Handshake.VerifyTokenField) || slices.ContainsFunc(s.SignatureFields, holds)
}

// IsSecretParameter is IsSecretHeader for the parameters of the URL's query.
func (s Signature) IsSecretParameter(name string) bool {
	path := queryRoot + name
	return s.Handshake.VerifyTokenField == path || slices.Contains(s.SignatureFields, path)
}

// DedupeID returns the provider's id of this delivery, the same for every repetition of it,
// or "" when the request has none or has several. Call it after Verify. Where the template
// does not cover the id, somebody who has seen a delivery can repeat it under another id.
func (s Signature) DedupeID(req SignedRequest) string {
	id, err := req.field("delivery id", s.DedupeIDFields)
	if err != nil {
		return ""
	}
	return id
}
