package sluice_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
)

// signedAt is when the requests of these tests are sent.
var signedAt = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

// A presetCase is a preset with a key pair and a request that suits it. For a shared secret
// sign and verify are the same.
type presetCase struct {
	name         string
	signature    sluice.Signature
	sign, verify string
	request      sluice.SignedRequest
	uncovered    string // the part of the request that the scheme does not sign
}

func presetCases(tb testing.TB) []presetCase {
	tb.Helper()
	seed := []byte("0123456789abcdef0123456789abcdef")
	public, ok := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	require.True(tb, ok)
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(tb, err)
	ecPrivate, err := x509.MarshalPKCS8PrivateKey(ecKey)
	require.NoError(tb, err)
	ecPublic, err := x509.MarshalPKIXPublicKey(ecKey.Public())
	require.NoError(tb, err)
	b64 := base64.StdEncoding.EncodeToString

	shared := func(name string, s sluice.Signature) presetCase {
		return presetCase{name: name, signature: s, sign: "s3cret-of-the-tests", verify: "s3cret-of-the-tests", request: orderRequest()}
	}
	withBody := func(c presetCase, body string) presetCase {
		c.request.Body = []byte(body)
		return c
	}
	withKeys := func(c presetCase, sign, verify string) presetCase {
		c.sign, c.verify = sign, verify
		return c
	}
	withUncovered := func(c presetCase, part string) presetCase {
		c.uncovered = part
		return c
	}
	whsec := "whsec_" + b64(seed)
	return []presetCase{
		shared("HMAC-MD5", sluice.HMAC("X-Sig", sluice.HMACMD5)),
		shared("HMAC-SHA1", sluice.HMAC("X-Sig", sluice.HMACSHA1)),
		shared("HMAC-SHA256", sluice.HMAC("X-Sig", sluice.HMACSHA256)),
		shared("HMAC-SHA512", sluice.HMAC("X-Sig", sluice.HMACSHA512)),
		shared("GenericHMAC", sluice.GenericHMAC("X-Sig", sluice.HMACSHA512)),
		shared("ConvoySimple", sluice.ConvoySimple(sluice.HMACSHA512, sluice.EncodingBase64)),
		shared("ConvoyAdvanced", sluice.ConvoyAdvanced(sluice.HMACSHA256, sluice.EncodingHex)),
		shared("GitHub", sluice.GitHub()),
		shared("GitHubSHA1", sluice.GitHubSHA1()),
		shared("Bitbucket", sluice.Bitbucket()),
		shared("Intercom", sluice.Intercom()),
		shared("Meta", sluice.Meta()),
		shared("Dropbox", sluice.Dropbox()),
		withBody(shared("Linear", sluice.Linear()), `{"action":"create","webhookTimestamp":1772366400000}`),
		withUncovered(shared("Linear by header", sluice.Linear()), "Linear-Timestamp"),
		shared("PagerDuty", sluice.PagerDuty()),
		shared("Shopify", sluice.Shopify()),
		shared("Xero", sluice.Xero()),
		shared("DocuSign", sluice.DocuSign()),
		shared("Twitter", sluice.Twitter()),
		shared("Stripe", sluice.Stripe()),
		shared("Slack", sluice.Slack()),
		shared("Zoom", sluice.Zoom()),
		withKeys(shared("StandardWebhooks", sluice.StandardWebhooks()), whsec, whsec),
		withKeys(shared("Svix", sluice.Svix()), whsec, whsec),
		shared("Zendesk", sluice.Zendesk()),
		shared("Paddle", sluice.Paddle()),
		shared("Twitch", sluice.Twitch()),
		shared("Box", sluice.Box()),
		withBody(shared("Mailgun", sluice.Mailgun()), `{}`),
		withBody(shared("TwilioForm", sluice.TwilioForm()), "From=%2B14158675309&Digits=1234"),
		shared("TwilioJSON", sluice.TwilioJSON()),
		shared("Square", sluice.Square()),
		shared("HubSpotV1", sluice.HubSpotV1()),
		shared("HubSpotV2", sluice.HubSpotV2()),
		shared("HubSpotV3", sluice.HubSpotV3()),
		withKeys(shared("StandardWebhooksEd25519", sluice.StandardWebhooksEd25519()), "whsk_"+b64(seed), "whpk_"+b64(public)),
		withKeys(shared("Discord", sluice.Discord()), hex.EncodeToString(seed), hex.EncodeToString(public)),
		withKeys(shared("SendGrid", sluice.SendGrid()), b64(ecPrivate), b64(ecPublic)),
		withUncovered(shared("GitLab", sluice.GitLab()), "body"),
	}
}

func presetCaseNamed(tb testing.TB, name string) presetCase {
	tb.Helper()
	for _, c := range presetCases(tb) {
		if c.name == name {
			return c
		}
	}
	require.Fail(tb, "no preset case "+name)
	return presetCase{}
}

func orderRequest() sluice.SignedRequest {
	return sluice.SignedRequest{
		Method: http.MethodPost,
		URL:    "https://hooks.example.com/trigger/abc?customer=42",
		Header: http.Header{"Content-Type": {"application/json"}},
		Body:   []byte(`{"event":"order.created","total":12.50}`),
		Time:   signedAt,
	}
}

func TestSignatureRoundTrip(t *testing.T) {
	t.Parallel()
	for _, c := range presetCases(t) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			require.NoError(t, c.signature.Validate())
			require.NoError(t, c.signature.CheckSecret(c.verify))
			header := c.request.Header.Clone()
			signed, err := c.signature.Sign(c.request, c.sign)
			require.NoError(t, err)
			require.Equal(t, header, c.request.Header, "Sign must not change its argument")
			require.NoError(t, c.signature.Verify(signed, c.verify))
			require.Error(t, c.signature.Verify(c.request, c.verify), "the unsigned request must be refused")
			require.Equal(t, sluice.SignatureNoSecret, reasonOf(t, c.signature.Verify(signed)))
			require.Equal(t, sluice.SignatureNoSecret, reasonOf(t, c.signature.Verify(signed, "")))
		})
	}
}

func TestSignatureRotation(t *testing.T) {
	t.Parallel()
	for _, c := range presetCases(t) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			other := otherSecret(c)
			signed, err := c.signature.Sign(c.request, c.sign)
			require.NoError(t, err)
			require.NoError(t, c.signature.Verify(signed, c.verify, other))
			require.NoError(t, c.signature.Verify(signed, other, c.verify))
			require.NoError(t, c.signature.Verify(signed, "", other, c.verify))

			err = c.signature.Verify(signed, other)
			require.Equal(t, sluice.SignatureMismatch, reasonOf(t, err))
			require.NotContains(t, err.Error(), other)
			// With the secret that signed, its signature is the one that was expected.
			signed.Body = append(signed.Body, ' ')
			if err = c.signature.Verify(signed, c.verify); err != nil {
				require.NotContains(t, err.Error(), c.verify)
				expected, signErr := c.signature.Sign(signed, c.sign)
				require.NoError(t, signErr)
				for name := range expected.Header {
					require.NotContains(t, err.Error(), expected.Header.Get(name))
				}
			}
		})
	}
}

// otherSecret is a usable secret that is not the one of the case.
func otherSecret(c presetCase) string {
	switch c.signature.Algorithm {
	case sluice.Ed25519:
		if c.signature.SecretEncoding == sluice.EncodingHex {
			return "ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c"
		}
		return "whpk_6kpsY+KcUgq+9VB7Ey7F+ZVHdq6+vnuSQh7qaRRG0iw="
	case sluice.ECDSAP256:
		return "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g=="
	default:
		return "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	}
}

func reasonOf(t *testing.T, err error) sluice.SignatureReason {
	t.Helper()
	var refused *sluice.SignatureError
	require.ErrorAs(t, err, &refused)
	return refused.Reason
}

func TestSignatureTolerance(t *testing.T) {
	t.Parallel()
	checked := 0
	for _, c := range presetCases(t) {
		if c.signature.Tolerance == 0 {
			continue
		}
		checked++
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			signed, err := c.signature.Sign(c.request, c.sign)
			require.NoError(t, err)
			verifyAt := func(now time.Time) error {
				signed.Time = now
				return c.signature.Verify(signed, c.verify)
			}
			require.NoError(t, verifyAt(signedAt.Add(c.signature.Tolerance)))
			require.NoError(t, verifyAt(signedAt.Add(-c.signature.Tolerance)))
			require.Equal(t, sluice.SignatureTooOld, reasonOf(t, verifyAt(signedAt.Add(c.signature.Tolerance+time.Second))))
			require.Equal(t, sluice.SignatureInFuture, reasonOf(t, verifyAt(signedAt.Add(-c.signature.Tolerance-time.Second))))
		})
	}
	require.Positive(t, checked)
}

// TestThreat49_EmptySecretNeverVerifies: whatever is signed with it, for every provider.
func TestThreat49_EmptySecretNeverVerifies(t *testing.T) {
	t.Parallel()
	for _, c := range presetCases(t) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			require.Error(t, c.signature.CheckSecret(""), "an empty secret is a fault of the configuration")
			signed, err := c.signature.Sign(c.request, c.sign)
			require.NoError(t, err)
			require.Error(t, c.signature.Verify(signed))
			require.Error(t, c.signature.Verify(signed, ""))
			require.Error(t, c.signature.Verify(signed, "", ""))
			if forged, err := c.signature.Sign(c.request, ""); err == nil {
				require.Error(t, c.signature.Verify(forged, ""))
			}
		})
	}
}
