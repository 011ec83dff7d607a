package sluice_test

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
)

// A signedByte is one byte of a request that the scheme signs or reads.
type signedByte struct {
	part   string // "body", "url", "method" or the name of a header
	offset int
}

// signedBytes lists the bytes of a signed request on which its verdict must depend.
func signedBytes(c presetCase, signed sluice.SignedRequest) []signedByte {
	var list []signedByte
	add := func(part string, from, to int) {
		if part == c.uncovered {
			return
		}
		for offset := from; offset < to; offset++ {
			list = append(list, signedByte{part, offset})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(signed.Header)) {
		value := signed.Header.Get(name)
		start := 0
		if c.signature.PrefixOptional {
			start = len(c.signature.Prefix)
		}
		if name != "Content-Type" {
			add(name, start, len(value))
		}
	}
	add("body", 0, len(signed.Body))
	if strings.Contains(strings.ToLower(c.signature.Template), "url}") {
		add("url", 0, len(signed.URL))
	}
	if strings.Contains(c.signature.Template, "{method}") {
		add("method", 0, len(signed.Method))
	}
	return list
}

// alter flips bits of one byte; it reports whether the request now means something else.
func alter(c presetCase, signed sluice.SignedRequest, at signedByte, mask byte) (sluice.SignedRequest, bool) {
	flip := func(text string) string {
		raw := []byte(text)
		raw[at.offset] ^= mask
		return string(raw)
	}
	altered := signed
	altered.Header = signed.Header.Clone()
	switch at.part {
	case "body":
		altered.Body = []byte(flip(string(signed.Body)))
		if strings.Contains(c.signature.Template, "{form}") {
			before, _ := url.ParseQuery(string(signed.Body))
			after, err := url.ParseQuery(string(altered.Body))
			return altered, err != nil || before.Encode() != after.Encode()
		}
	case "url":
		altered.URL = flip(signed.URL)
	case "method":
		altered.Method = flip(signed.Method)
	default:
		altered.Header.Set(at.part, flip(signed.Header.Get(at.part)))
	}
	return altered, true
}

func TestSignatureRefusesEveryAlteredByte(t *testing.T) {
	t.Parallel()
	for _, c := range presetCases(t) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			signed, err := c.signature.Sign(c.request, c.sign)
			require.NoError(t, err)
			bytes := signedBytes(c, signed)
			require.NotEmpty(t, bytes)
			for _, at := range bytes {
				for _, mask := range []byte{0x01, 0x20, 0x80} {
					if altered, differs := alter(c, signed, at, mask); differs {
						require.Error(t, c.signature.Verify(altered, c.verify), "%v ^ %#x", at, mask)
					}
				}
			}
		})
	}
}

func FuzzSignatureRefusesAlteredBytes(f *testing.F) {
	cases := presetCases(f)
	for i := range cases {
		f.Add(uint8(i), uint16(i*7), byte(1+i))
	}
	f.Fuzz(func(t *testing.T, which uint8, position uint16, mask byte) {
		c := cases[int(which)%len(cases)]
		signed, err := c.signature.Sign(c.request, c.sign)
		require.NoError(t, err)
		bytes := signedBytes(c, signed)
		altered, differs := alter(c, signed, bytes[int(position)%len(bytes)], mask)
		if differs && mask != 0 {
			require.Error(t, c.signature.Verify(altered, c.verify))
		}
	})
}

func FuzzSignatureNeverPanics(f *testing.F) {
	cases := presetCases(f)
	for i, c := range cases {
		signed, err := c.signature.Sign(c.request, c.sign)
		require.NoError(f, err)
		name := strings.TrimSuffix(strings.TrimPrefix(c.signature.SignatureFields[0], "headers."), "*")
		f.Add(uint8(i), name, signed.Header.Get(name), signed.URL, signed.Body, c.verify)
	}
	f.Add(uint8(0), "X-Sig", "\xff,=", "http://[::1:%zz/?a=%&;b", []byte(`{"signature":[[[`), "whsec_")
	f.Fuzz(func(t *testing.T, which uint8, name, value, url string, body []byte, secret string) {
		c := cases[int(which)%len(cases)]
		signed, err := c.signature.Sign(c.request, c.sign)
		require.NoError(t, err)
		signed.Header[name] = append(signed.Header[name], value)
		hostile := sluice.SignedRequest{Method: "POST", URL: url, Header: signed.Header, Body: body}
		if c.signature.Verify(hostile, secret) == nil {
			require.NoError(t, c.signature.CheckSecret(secret))
		}
		c.signature.DedupeID(hostile)
		_, _ = c.signature.Answer(hostile, secret)
		_, _ = c.signature.Sign(hostile, secret)
	})
}
