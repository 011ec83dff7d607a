package sluice_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluice-go/sluice"
)

const signingSecret = "s3cret-of-the-tests"

// signOrder returns the order request, changed and then signed.
func signOrder(t *testing.T, s sluice.Signature, change func(*sluice.SignedRequest)) sluice.SignedRequest {
	t.Helper()
	req := orderRequest()
	if change != nil {
		change(&req)
	}
	signed, err := s.Sign(req, signingSecret)
	require.NoError(t, err)
	return signed
}

func TestSignatureUsesTheClockWithoutATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		signed := signOrder(t, sluice.Stripe(), func(r *sluice.SignedRequest) { r.Time = time.Time{} })
		time.Sleep(5 * time.Minute)
		require.NoError(t, sluice.Stripe().Verify(signed, signingSecret))
		time.Sleep(time.Second)
		require.Equal(t, sluice.SignatureTooOld, reasonOf(t, sluice.Stripe().Verify(signed, signingSecret)))
	})
}

func TestSignatureIsReadStrictly(t *testing.T) {
	t.Parallel()
	set := func(name string, edit func(string) string) func(*sluice.SignedRequest) {
		return func(r *sluice.SignedRequest) { r.Header.Set(name, edit(r.Header.Get(name))) }
	}
	text := func(value string) func(string) string { return func(string) string { return value } }
	tests := []struct {
		name   string
		scheme sluice.Signature
		change func(*sluice.SignedRequest)
		want   sluice.SignatureReason
	}{
		{"upper-case hex", sluice.GitHub(), set("X-Hub-Signature-256", func(v string) string { return "sha256=" + strings.ToUpper(v[7:]) }), sluice.SignatureMismatch},
		{"upper-case prefix", sluice.GitHub(), set("X-Hub-Signature-256", func(v string) string { return strings.Replace(v, "sha", "SHA", 1) }), sluice.SignatureMalformed},
		{"prefix alone", sluice.GitHub(), set("X-Hub-Signature-256", text("sha256=")), sluice.SignatureMalformed},
		{"space around the signature", sluice.GitHub(), set("X-Hub-Signature-256", func(v string) string { return v + " " }), sluice.SignatureMismatch},
		{"two signatures joined by a proxy", sluice.GitHub(), set("X-Hub-Signature-256", func(v string) string { return v + ", " + v }), sluice.SignatureMismatch},
		{"not ASCII", sluice.GitHub(), set("X-Hub-Signature-256", text("sha256=\xff\x00é")), sluice.SignatureMismatch},
		{"unpadded base64", sluice.Shopify(), set("X-Shopify-Hmac-Sha256", func(v string) string { return strings.TrimRight(v, "=") }), sluice.SignatureMismatch},
		{"line break in base64", sluice.Shopify(), set("X-Shopify-Hmac-Sha256", func(v string) string { return v[:10] + "\n" + v[10:] }), sluice.SignatureMismatch},
		{"equal header twice", sluice.GitHub(), func(r *sluice.SignedRequest) {
			r.Header.Add("X-Hub-Signature-256", r.Header.Get("X-Hub-Signature-256"))
		}, sluice.SignatureDuplicate},
		{"header twice in two cases", sluice.GitHub(), func(r *sluice.SignedRequest) {
			r.Header["x-hub-signature-256"] = []string{"sha256=00"}
		}, sluice.SignatureDuplicate},
		{"time header twice", sluice.Slack(), func(r *sluice.SignedRequest) {
			r.Header.Add("X-Slack-Request-Timestamp", "1")
		}, sluice.SignatureDuplicate},
		{"numbered header twice", sluice.DocuSign(), func(r *sluice.SignedRequest) {
			r.Header.Add("X-DocuSign-Signature-1", "x")
		}, sluice.SignatureDuplicate},
		{"time element twice", sluice.Stripe(), set("Stripe-Signature", func(v string) string { return "t=1," + v }), sluice.SignatureDuplicate},
		{"empty time element", sluice.Stripe(), set("Stripe-Signature", text("t=,v1=00")), sluice.SignatureMissing},
		{"other version required", sluice.HubSpotV1(), set("X-HubSpot-Signature-Version", text("v2")), sluice.SignatureMalformed},
		{"no version", sluice.HubSpotV1(), func(r *sluice.SignedRequest) {
			r.Header.Del("X-HubSpot-Signature-Version")
		}, sluice.SignatureMissing},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			signed := signOrder(t, test.scheme, nil)
			require.NoError(t, test.scheme.Verify(signed, signingSecret))
			test.change(&signed)
			require.Equal(t, test.want, reasonOf(t, test.scheme.Verify(signed, signingSecret)))
		})
	}
}

// The sending time is signed as it stands, so each of these requests is the holder's of the
// secret; it must be refused all the same.
func TestSignatureRefusesOddTimes(t *testing.T) {
	t.Parallel()
	seconds := []string{
		"-1", "+1772366400", " 1772366400", "1772366400 ", "1772366400.0", "1.7723664e9", "0x69a42540", "1_772_366_400",
		"9223372036854775807", "9223372036854775808", "18446744073709551615", "-9223372036854775808", "253402300800",
		"Infinity", "NaN", "１７７２", "2026-03-01T12:00:00Z",
	}
	for _, text := range seconds {
		signed := signOrder(t, sluice.Slack(), func(r *sluice.SignedRequest) { r.Header.Set("X-Slack-Request-Timestamp", text) })
		require.Equal(t, sluice.SignatureMalformed, reasonOf(t, sluice.Slack().Verify(signed, signingSecret)), text)
	}
	for _, text := range []string{"9223372036854775807", "253402300800000", "1772366400000.5", "-1772366400000"} {
		signed := signOrder(t, sluice.HubSpotV3(), func(r *sluice.SignedRequest) { r.Header.Set("X-HubSpot-Request-Timestamp", text) })
		require.Equal(t, sluice.SignatureMalformed, reasonOf(t, sluice.HubSpotV3().Verify(signed, signingSecret)), text)
	}
	for _, text := range []string{"2026-03-01", "2026-03-01T12:00:00", "2026-13-01T12:00:00Z", "1772366400"} {
		signed := signOrder(t, sluice.Box(), func(r *sluice.SignedRequest) { r.Header.Set("Box-Delivery-Timestamp", text) })
		require.Equal(t, sluice.SignatureMalformed, reasonOf(t, sluice.Box().Verify(signed, signingSecret)), text)
	}
}

func TestSignatureSeveralPlaces(t *testing.T) {
	t.Parallel()
	t.Run("standard names instead of Svix's", func(t *testing.T) {
		t.Parallel()
		secret := "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
		signed, err := sluice.StandardWebhooks().Sign(orderRequest(), secret)
		require.NoError(t, err)
		require.NoError(t, sluice.Svix().Verify(signed, secret))
		require.Equal(t, signed.Header.Get("Webhook-Id"), sluice.Svix().DedupeID(signed))
	})
	t.Run("any numbered header", func(t *testing.T) {
		t.Parallel()
		signed := signOrder(t, sluice.DocuSign(), nil)
		signed.Header["X-Docusign-Signature-100"] = signed.Header["X-Docusign-Signature-1"]
		signed.Header["X-Docusign-Signature-1"] = []string{"AAAA"}
		require.NoError(t, sluice.DocuSign().Verify(signed, signingSecret))
		signed.Header["X-Docusign-Signature-Extra"] = signed.Header["X-Docusign-Signature-100"]
		delete(signed.Header, "X-Docusign-Signature-100")
		require.Equal(t, sluice.SignatureMismatch, reasonOf(t, sluice.DocuSign().Verify(signed, signingSecret)))
	})
	t.Run("secondary header alone", func(t *testing.T) {
		t.Parallel()
		signed := signOrder(t, sluice.Box(), nil)
		signed.Header["Box-Signature-Secondary"] = signed.Header["Box-Signature-Primary"]
		delete(signed.Header, "Box-Signature-Primary")
		require.NoError(t, sluice.Box().Verify(signed, signingSecret))
	})
	t.Run("signed anew", func(t *testing.T) {
		t.Parallel()
		signed := signOrder(t, sluice.GitHub(), func(r *sluice.SignedRequest) {
			r.Header["x-hub-signature-256"] = []string{"sha256=00"}
		})
		require.NoError(t, sluice.GitHub().Verify(signed, signingSecret))
	})
	t.Run("a list with spaces", func(t *testing.T) {
		t.Parallel()
		signed := signOrder(t, sluice.PagerDuty(), nil)
		signed.Header.Set("X-PagerDuty-Signature", "v1=00 ,\t"+signed.Header.Get("X-PagerDuty-Signature"))
		require.NoError(t, sluice.PagerDuty().Verify(signed, signingSecret))
	})
	t.Run("too many for a public key", func(t *testing.T) {
		t.Parallel()
		c := presetCaseNamed(t, "StandardWebhooksEd25519")
		signed, err := c.signature.Sign(c.request, c.sign)
		require.NoError(t, err)
		good := signed.Header.Get("Webhook-Signature")
		signed.Header.Set("Webhook-Signature", strings.Repeat("v1a,AAAA ", 15)+good)
		require.NoError(t, c.signature.Verify(signed, c.verify))
		signed.Header.Set("Webhook-Signature", strings.Repeat("v1a,AAAA ", 16)+good)
		require.Equal(t, sluice.SignatureMalformed, reasonOf(t, c.signature.Verify(signed, c.verify)))
	})
	t.Run("the signed time counts, not the header", func(t *testing.T) {
		t.Parallel()
		signed := signOrder(t, sluice.Linear(), func(r *sluice.SignedRequest) { r.Body = []byte(`{"webhookTimestamp":1}`) })
		signed.Header.Set("Linear-Timestamp", "1772366400000")
		require.Equal(t, sluice.SignatureTooOld, reasonOf(t, sluice.Linear().Verify(signed, signingSecret)))
	})
	t.Run("no time at all", func(t *testing.T) {
		t.Parallel()
		signed := signOrder(t, sluice.Linear(), nil)
		signed.Header.Del("Linear-Timestamp")
		require.Equal(t, sluice.SignatureMissing, reasonOf(t, sluice.Linear().Verify(signed, signingSecret)))
	})
}

func TestSignatureHubSpotURL(t *testing.T) {
	t.Parallel()
	verbatim := sluice.HubSpotV3()
	verbatim.Template = "{method}{url}{body}{timestamp}"
	for seen, signed := range map[string]string{
		"https://a.example/x?q=%3A%2f%3F%40%21%24%27%28%29%2A%2C%3b": "https://a.example/x?q=:/?@!$'()*,;",
		"https://a.example/%20%26%25%3d%253A":                        "https://a.example/%20%26%25%3d%253A",
		"https://a.example/%zz%4":                                    "https://a.example/%zz%4",
		"https://a.example/%":                                        "https://a.example/%",
	} {
		request := signOrder(t, verbatim, func(r *sluice.SignedRequest) { r.URL = signed })
		request.URL = seen
		require.NoError(t, sluice.HubSpotV3().Verify(request, signingSecret), seen)
	}
}

func TestSignatureTwilio(t *testing.T) {
	t.Parallel()
	t.Run("a form cannot borrow the signature of a JSON request", func(t *testing.T) {
		t.Parallel()
		signed := signOrder(t, sluice.TwilioJSON(), nil)
		signed.Body = nil
		require.Error(t, sluice.TwilioForm().Verify(signed, signingSecret))
	})
	t.Run("two digests", func(t *testing.T) {
		t.Parallel()
		signed := signOrder(t, sluice.TwilioJSON(), func(r *sluice.SignedRequest) { r.URL += "&bodySHA256=00&bodySHA256=01" })
		require.Equal(t, sluice.SignatureDuplicate, reasonOf(t, sluice.TwilioJSON().Verify(signed, signingSecret)))
	})
	t.Run("not a form", func(t *testing.T) {
		t.Parallel()
		signed := signOrder(t, sluice.TwilioForm(), func(r *sluice.SignedRequest) { r.Body = []byte("a=b") })
		signed.Body = []byte("a=%zz")
		require.Equal(t, sluice.SignatureMalformed, reasonOf(t, sluice.TwilioForm().Verify(signed, signingSecret)))
	})
	t.Run("ports", func(t *testing.T) {
		t.Parallel()
		for signedURL, seenURL := range map[string]string{
			"https://a.example:443/x?y=:8": "https://a.example/x?y=:8",
			"https://a.example/x":          "https://a.example:8443/x",
			"http://a.example:80":          "http://a.example",
			"https://[::1]:443/x":          "https://[::1]/x",
			"https://u:p@a.example:443/x":  "https://u:p@a.example/x",
		} {
			request := orderRequest()
			request.URL, request.Body = signedURL, nil
			plain := sluice.TwilioForm()
			plain.AnyPort = false
			signed, err := plain.Sign(request, signingSecret)
			require.NoError(t, err)
			signed.URL = seenURL
			require.NoError(t, sluice.TwilioForm().Verify(signed, signingSecret), seenURL)
		}
	})
}

func TestSignatureBadKeys(t *testing.T) {
	t.Parallel()
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	otherCurve, err := x509.MarshalPKIXPublicKey(p384.Public())
	require.NoError(t, err)
	tests := []struct {
		name   string
		scheme sluice.Signature
		secret string
		want   sluice.SignatureReason
	}{
		{"empty", sluice.GitHub(), "", sluice.SignatureNoSecret},
		{"zeros", sluice.GitHub(), "\x00\x00", sluice.SignatureNoSecret},
		{"prefix alone", sluice.StandardWebhooks(), "whsec_", sluice.SignatureNoSecret},
		{"not base64", sluice.StandardWebhooks(), "whsec_*", sluice.SignatureBadSecret},
		{"public key as HMAC key", sluice.StandardWebhooks(), "whpk_6kpsY+KcUgq+9VB7Ey7F+ZVHdq6+vnuSQh7qaRRG0iw=", sluice.SignatureBadSecret},
		{"short Ed25519 key", sluice.Discord(), "ea4a6c63", sluice.SignatureBadSecret},
		{"long Ed25519 key", sluice.Discord(), strings.Repeat("ea", 33), sluice.SignatureBadSecret},
		{"Ed25519 key not hex", sluice.Discord(), strings.Repeat("zz", 32), sluice.SignatureBadSecret},
		{"not a public key", sluice.SendGrid(), "AQID", sluice.SignatureBadSecret},
		{"key on another curve", sluice.SendGrid(), base64.StdEncoding.EncodeToString(otherCurve), sluice.SignatureBadSecret},
		{"Ed25519 key for ECDSA", sluice.SendGrid(), "MCowBQYDK2VwAyEA6kpsY+KcUgq+9VB7Ey7F+ZVHdq6+vnuSQh7qaRRG0iw=", sluice.SignatureBadSecret},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.want, reasonOf(t, test.scheme.CheckSecret(test.secret)))
			err := test.scheme.Verify(orderRequest(), test.secret)
			require.Equal(t, test.want, reasonOf(t, err))
			if test.secret != "" {
				require.NotContains(t, err.Error(), test.secret)
			}
			_, err = test.scheme.Sign(orderRequest(), test.secret)
			require.Error(t, err)
		})
	}
}

func TestSignatureValidate(t *testing.T) {
	t.Parallel()
	faulty := sluice.Signature{
		SignatureFields: []string{"X-Signature"},
		Algorithm:       "crc32",
		Encoding:        "rot13",
		SecretEncoding:  "uu",
		Template:        "{id}{timestamp}{nonsense}",
		TimestampFormat: "unix-ns",
		Tolerance:       -1,
		Handshake:       sluice.Handshake{When: map[string]string{"type": "x"}, ChallengeField: "challenge"},
	}
	err := faulty.Validate()
	for _, fault := range []string{
		`"X-Signature"`, "Algorithm", "Encoding \"rot13\"", "SecretEncoding", "{nonsense}", "{timestamp}", "{id}",
		"TimestampFormat", "Tolerance", "Handshake.When", "Handshake has",
	} {
		require.ErrorContains(t, err, fault)
	}
	require.Equal(t, sluice.SignatureMisconfigured, reasonOf(t, faulty.Verify(orderRequest(), signingSecret)))

	forgeable := sluice.HubSpotV1()
	forgeable.Template = "{body}"
	require.ErrorContains(t, forgeable.Validate(), "{secret}")
	unclosed := sluice.GitHub()
	unclosed.Template = "{body"
	require.ErrorContains(t, unclosed.Validate(), "Template")
	require.ErrorContains(t, sluice.Signature{}.Validate(), "SignatureFields")
}

func TestDedupeID(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		scheme sluice.Signature
		header http.Header
		body   string
		want   string
	}{
		{"header", sluice.GitHub(), http.Header{"x-github-delivery": {"72d3162e"}}, "", "72d3162e"},
		{"second header", sluice.Shopify(), http.Header{"X-Shopify-Event-Id": {"e1"}}, "", "e1"},
		{"header twice", sluice.GitHub(), http.Header{"X-Github-Delivery": {"a", "b"}}, "", ""},
		{"none", sluice.GitHub(), nil, "", ""},
		{"body", sluice.Stripe(), nil, `{"id":"evt_1"}`, "evt_1"},
		{"nested", sluice.PagerDuty(), nil, `{"event":{"id":"01B"}}`, "01B"},
		{"number", sluice.Stripe(), nil, `{"id":9007199254740993}`, "9007199254740993"},
		{"last of equal keys", sluice.Stripe(), nil, `{"id":"a","id":"b"}`, "b"},
		{"other case", sluice.Stripe(), nil, `{"ID":"a"}`, ""},
		{"null", sluice.Stripe(), nil, `{"id":null}`, ""},
		{"object", sluice.Stripe(), nil, `{"id":{}}`, ""},
		{"not JSON", sluice.Slack(), nil, `token=1`, ""},
		{"list", sluice.Signature{DedupeIDFields: []string{"body.data.1.id"}}, nil, `[{"id":"a"},{"id":"b"}]`, "b"},
		{"beyond the list", sluice.Signature{DedupeIDFields: []string{"body.data.2.id"}}, nil, `[{"id":"a"},{"id":"b"}]`, ""},
		{"scheme without", sluice.Dropbox(), nil, `{"id":"a"}`, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			req := sluice.SignedRequest{Header: test.header, Body: []byte(test.body)}
			require.Equal(t, test.want, test.scheme.DedupeID(req))
		})
	}
}

// Whatever the body and the secrets: a live secret verifies, another one does not.
func TestSignatureAnyBodyAndSecret(t *testing.T) {
	t.Parallel()
	schemes := []sluice.Signature{sluice.GitHub(), sluice.Stripe(), sluice.Slack(), sluice.Xero(), sluice.HubSpotV1(), sluice.Box()}
	rapid.Check(t, func(t *rapid.T) {
		scheme := rapid.SampledFrom(schemes).Draw(t, "scheme")
		req := orderRequest()
		req.Body = rapid.SliceOf(rapid.Byte()).Draw(t, "body")
		secrets := rapid.SliceOfNDistinct(rapid.StringMatching(`[!-~]{1,80}`), 2, 4, rapid.ID[string]).Draw(t, "secrets")
		signed, err := scheme.Sign(req, secrets[0])
		require.NoError(t, err)
		require.NoError(t, scheme.Verify(signed, secrets...))
		require.Error(t, scheme.Verify(signed, secrets[1:]...))
	})
}

func hmacHex(key, text string) string {
	return hex.EncodeToString(hmacSHA256(key, text))
}

func hmacBase64(key, text string) string {
	return base64.StdEncoding.EncodeToString(hmacSHA256(key, text))
}

func hmacSHA256(key, text string) []byte {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(text))
	return h.Sum(nil)
}
