package sluice

import "time"

// HMAC is the plain configuration: the hexadecimal HMAC of the body in a header of your
// choice, made with HMACMD5, HMACSHA1, HMACSHA256 or HMACSHA512.
func HMAC(header string, algorithm SignatureAlgorithm) Signature {
	return Signature{
		SignatureFields: []string{headerRoot + header},
		Algorithm:       algorithm,
	}
}

// GenericHMAC is HMAC with what many senders add: several signatures, separated by commas,
// each of which may name the hash, as in "sha256=…". A signature that names another hash is
// ignored.
//
// Source: https://github.com/adnanh/webhook/blob/master/docs/Hook-Rules.md
func GenericHMAC(header string, algorithm SignatureAlgorithm) Signature {
	s := HMAC(header, algorithm)
	s.Separator = ","
	s.Prefix = algorithm.hashName() + "="
	s.PrefixOptional = true
	return s
}

// ConvoySimple is the plain signature of a Convoy project. Algorithm and encoding are the
// project's: HMACSHA256 or HMACSHA512, EncodingHex or EncodingBase64.
//
// Source: https://github.com/frain-dev/convoy/tree/main/pkg/signature
func ConvoySimple(algorithm SignatureAlgorithm, encoding SignatureEncoding) Signature {
	s := HMAC("X-Convoy-Signature", algorithm)
	s.Encoding = encoding
	s.DedupeIDFields = []string{"headers.X-Convoy-Idempotency-Key"}
	return s
}

// ConvoyAdvanced is the signature of a Convoy project with a sending time and with several
// signatures while a secret is being replaced.
//
// Source: https://github.com/frain-dev/convoy/tree/main/pkg/signature
func ConvoyAdvanced(algorithm SignatureAlgorithm, encoding SignatureEncoding) Signature {
	s := ConvoySimple(algorithm, encoding)
	s.Separator = ","
	s.Prefix = "v1="
	s.TimestampPrefix = "t="
	s.Template = "{timestamp},{body}"
	s.Tolerance = 5 * time.Minute
	return s
}
