package sluice_test

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
)

// A signatureVector is one case of testdata/vectors.json, whose member "about" explains the fields.
type signatureVector struct {
	ID         string      `json:"id"`
	Scheme     string      `json:"scheme"`
	Secret     *string     `json:"secret"`
	Secrets    []string    `json:"secrets"`
	Method     string      `json:"method"`
	URL        string      `json:"url"`
	Body       string      `json:"body"`
	BodyBase64 *string     `json:"body_b64"`
	Now        *int64      `json:"now"`
	Headers    [][2]string `json:"headers"`
	HeaderName string      `json:"header_name"`
	Hash       string      `json:"hash"`
	Encoding   string      `json:"encoding"`
	ToleranceS *int64      `json:"tolerance_s"`
	Valid      bool        `json:"valid"`
	Policy     string      `json:"policy"`
}

// signatureSchemes maps the names of the file to presets. A preset sees of a vector only what the
// user of a configurable scheme configures.
var signatureSchemes = map[string]func(v *signatureVector) sluice.Signature{
	"github":                    fixedScheme(sluice.GitHub),
	"github-sha1":               fixedScheme(sluice.GitHubSHA1),
	"stripe":                    fixedScheme(sluice.Stripe),
	"slack":                     fixedScheme(sluice.Slack),
	"shopify":                   fixedScheme(sluice.Shopify),
	"standard-webhooks":         fixedScheme(sluice.StandardWebhooks),
	"standard-webhooks-ed25519": fixedScheme(sluice.StandardWebhooksEd25519),
	"svix":                      fixedScheme(sluice.Svix),
	"twilio-form":               fixedScheme(sluice.TwilioForm),
	"twilio-json":               fixedScheme(sluice.TwilioJSON),
	"square":                    fixedScheme(sluice.Square),
	"zoom":                      fixedScheme(sluice.Zoom),
	"linear":                    fixedScheme(sluice.Linear),
	"pagerduty":                 fixedScheme(sluice.PagerDuty),
	"mailgun":                   fixedScheme(sluice.Mailgun),
	"hubspot-v1":                fixedScheme(sluice.HubSpotV1),
	"hubspot-v2":                fixedScheme(sluice.HubSpotV2),
	"hubspot-v3":                fixedScheme(sluice.HubSpotV3),
	"xero":                      fixedScheme(sluice.Xero),
	"docusign":                  fixedScheme(sluice.DocuSign),
	"intercom":                  fixedScheme(sluice.Intercom),
	"box":                       fixedScheme(sluice.Box),
	"dropbox":                   fixedScheme(sluice.Dropbox),
	"zendesk":                   fixedScheme(sluice.Zendesk),
	"bitbucket":                 fixedScheme(sluice.Bitbucket),
	"gitlab":                    fixedScheme(sluice.GitLab),
	"paddle":                    fixedScheme(sluice.Paddle),
	"twitch":                    fixedScheme(sluice.Twitch),
	"meta":                      fixedScheme(sluice.Meta),
	"sendgrid":                  fixedScheme(sluice.SendGrid),
	"discord":                   fixedScheme(sluice.Discord),
	"prismatic-hmac": func(v *signatureVector) sluice.Signature {
		return sluice.HMAC(v.header(), v.algorithm())
	},
	"convoy-simple": func(v *signatureVector) sluice.Signature {
		return sluice.ConvoySimple(v.algorithm(), sluice.SignatureEncoding(v.Encoding))
	},
	"convoy-advanced": func(v *signatureVector) sluice.Signature {
		return sluice.ConvoyAdvanced(v.algorithm(), sluice.SignatureEncoding(v.Encoding))
	},
	"generic-hmac": func(v *signatureVector) sluice.Signature {
		return sluice.GenericHMAC(v.header(), v.algorithm())
	},
}

func fixedScheme(newSignature func() sluice.Signature) func(*signatureVector) sluice.Signature {
	return func(*signatureVector) sluice.Signature { return newSignature() }
}

func (v *signatureVector) algorithm() sluice.SignatureAlgorithm {
	return sluice.SignatureAlgorithm("hmac-" + cmp.Or(v.Hash, "sha256"))
}

// header is the configured name; where the vector does not say it, its only header has it.
func (v *signatureVector) header() string {
	name := v.HeaderName
	if name == "" && len(v.Headers) > 0 {
		name = v.Headers[0][0]
	}
	return cmp.Or(name, "X-Signature")
}

func (v *signatureVector) request(t *testing.T) sluice.SignedRequest {
	t.Helper()
	req := sluice.SignedRequest{Method: cmp.Or(v.Method, http.MethodPost), URL: v.URL, Header: http.Header{}, Body: []byte(v.Body)}
	for _, pair := range v.Headers {
		req.Header.Add(pair[0], pair[1])
	}
	if v.BodyBase64 != nil {
		body, err := base64.StdEncoding.DecodeString(*v.BodyBase64)
		require.NoError(t, err)
		req.Body = body
	}
	if v.Now != nil {
		req.Time = time.Unix(*v.Now, 0)
	}
	return req
}

// signature is the preset, with the vector's tolerance, or with none without a clock.
func (v *signatureVector) signature(t *testing.T) sluice.Signature {
	t.Helper()
	configure, ok := signatureSchemes[v.Scheme]
	require.True(t, ok, "there is no preset for the scheme %q", v.Scheme)
	s := configure(v)
	switch {
	case v.Now == nil:
		s.Tolerance = 0
	case v.ToleranceS != nil && s.Tolerance != 0:
		s.Tolerance = time.Duration(*v.ToleranceS) * time.Second
	}
	require.NoError(t, s.Validate())
	return s
}

func (v *signatureVector) keys() []string {
	if v.Secret != nil {
		return []string{*v.Secret}
	}
	return v.Secrets
}

func readVectors(t *testing.T) []signatureVector {
	t.Helper()
	data, err := os.ReadFile("testdata/vectors.json")
	require.NoError(t, err)
	var file struct {
		Schemes map[string]json.RawMessage `json:"schemes"`
		Vectors []signatureVector          `json:"vectors"`
	}
	require.NoError(t, json.Unmarshal(data, &file))
	require.NotEmpty(t, file.Vectors)
	for scheme := range file.Schemes {
		require.Contains(t, signatureSchemes, scheme)
	}
	return file.Vectors
}

func TestSignatureVectors(t *testing.T) {
	t.Parallel()
	counts := map[string]int{}
	for _, v := range readVectors(t) {
		counts[cmp.Or(v.Policy, "must")]++
		t.Run(v.ID, func(t *testing.T) {
			t.Parallel()
			err := v.signature(t).Verify(v.request(t), v.keys()...)
			switch {
			case v.Policy == "optional":
				t.Logf("optional: %v", err)
			case v.Valid:
				require.NoError(t, err)
			default:
				var refused *sluice.SignatureError
				require.ErrorAs(t, err, &refused)
				require.NotEqual(t, sluice.SignatureMisconfigured, refused.Reason)
			}
		})
	}
	t.Logf("vectors: %v", counts)
}
