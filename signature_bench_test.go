package sluice_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkSignatureVerify verifies a body of 1 KiB amid the headers of a usual request,
// beside the bare HMAC of that body.
func BenchmarkSignatureVerify(b *testing.B) {
	body := bytes.Repeat([]byte("x"), 1024)
	b.Run("bare HMAC-SHA256", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			h := hmac.New(sha256.New, []byte(signingSecret))
			h.Write(body)
			h.Sum(nil)
		}
	})
	for _, name := range []string{"GitHub", "Stripe", "StandardWebhooks", "Discord", "SendGrid"} {
		b.Run(name, func(b *testing.B) {
			c := presetCaseNamed(b, name)
			c.request.Body = body
			for _, header := range []string{"Accept", "Accept-Encoding", "Content-Length", "User-Agent", "X-Forwarded-For", "X-Forwarded-Proto", "Via", "X-Request-Id"} {
				c.request.Header.Set(header, "a value")
			}
			signed, err := c.signature.Sign(c.request, c.sign)
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				if err := c.signature.Verify(signed, c.verify); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
