package runtime_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// The example of seed 001.
const (
	seedBody   = `{"item":"widget","quantity":5,"customer":"abc-123"}`
	seedSecret = "AC49CB66-511F-4085-9119-360B1B142F4B"
	seedHash   = "dc838d5b2ee53f55b5bcd77271505f52cd4c6c5123a867d9088fb70ac580f5bf"
	unsigned   = `{"error":"The request is not signed as this endpoint requires."}`
)

var plainHMAC = sluice.HMAC("my-hmac-header", sluice.HMACSHA256)

// signedBy starts the flow with requests that the trigger lets through.
func signedBy(trigger sluice.Trigger) func(*sluice.Flow) {
	return func(f *sluice.Flow) { f.Trigger = trigger }
}

// sign makes the POST request that the provider would send.
func sign(t *testing.T, h *sluicetest.Harness, scheme sluice.Signature, secret string, request sluice.SignedRequest) *http.Request {
	t.Helper()
	if request.Method == "" {
		request.Method = http.MethodPost
	}
	if request.URL == "" {
		request.URL = h.URL("Flow")
	}
	signed, err := scheme.Sign(request, secret)
	require.NoError(t, err)
	sent, err := http.NewRequestWithContext(t.Context(), signed.Method, signed.URL, bytes.NewReader(signed.Body))
	require.NoError(t, err)
	for name, values := range signed.Header {
		sent.Header[http.CanonicalHeaderKey(name)] = values
	}
	if sent.Header.Get("Content-Type") == "" {
		sent.Header.Set("Content-Type", "application/json")
	}
	return sent
}

func nothing(context.Context, *sluice.Run) (*sluice.Result, error) { return nil, nil }

func TestHMACTriggerOfTheSeed(t *testing.T) {
	t.Parallel()
	trigger := &sluice.HMACTrigger{Signature: plainHMAC, Secrets: []string{"older", seedSecret}}
	run(t, integrationOf(nothing, signedBy(trigger)), func(t *testing.T, h *sluicetest.Harness) {
		response := h.Post("Flow", seedBody, "My-HMAC-Header", seedHash)
		require.Equal(t, http.StatusOK, response.StatusCode)
		x := h.Execution(executionID(t, response))
		require.Equal(t, store.StatusSucceeded, x.Status)
		require.Empty(t, x.Payload.Headers.Get("my-hmac-header"), "a signature stands in the record")
		require.Equal(t, seedBody, string(x.Payload.RawBody.Data))

		refused := map[string][]string{
			"forged":  {"my-hmac-header", strings.Repeat("0", 64)},
			"missing": nil,
			"twice":   {"my-hmac-header", seedHash, "my-hmac-header", seedHash},
		}
		for name, headers := range refused {
			response := h.Post("Flow", seedBody, headers...)
			require.Equal(t, http.StatusUnauthorized, response.StatusCode, name)
			require.Equal(t, unsigned, response.Text, name)
			x := h.Execution(response.Header.Get("prismatic-executionid"))
			require.Equal(t, store.StatusFailed, x.Status)
			require.Contains(t, x.Error, "webhook signature: ")
			require.NotContains(t, x.Error, seedHash)
			require.Empty(t, x.Payload.RawBody.Data, "a stranger's body is kept")
			require.Empty(t, x.Payload.Headers.Get("my-hmac-header"))
		}
		require.Len(t, h.Executions(), 4)
	})
}

func TestHMACAlgorithms(t *testing.T) {
	t.Parallel()
	for _, algorithm := range []sluice.SignatureAlgorithm{sluice.HMACMD5, sluice.HMACSHA1, sluice.HMACSHA256, sluice.HMACSHA512} {
		t.Run(string(algorithm), func(t *testing.T) {
			t.Parallel()
			scheme := sluice.HMAC("X-Hash", algorithm)
			trigger := sluice.HMACTrigger{Signature: scheme, Secrets: []string{"s"}}
			run(t, integrationOf(nothing, signedBy(trigger)), func(t *testing.T, h *sluicetest.Harness) {
				require.Equal(t, http.StatusOK, h.Deliver(sign(t, h, scheme, "s", sluice.SignedRequest{})).StatusCode)
				require.Equal(t, http.StatusUnauthorized, h.Deliver(sign(t, h, scheme, "S", sluice.SignedRequest{})).StatusCode)
			})
		})
	}
}

func TestHMACSecretsOfTheInstance(t *testing.T) {
	t.Parallel()
	trigger := sluice.HMACTrigger{Signature: plainHMAC, SecretVars: []sluice.SecretVar{
		{ConfigVar: "Signing secret"}, {ConfigVar: "Shop", Field: "webhookSecret"},
	}}
	integration := integrationOf(nothing, signedBy(trigger))
	integration.ConfigPages = []sluice.ConfigPage{{Name: "Page", Elements: []sluice.ConfigElement{
		sluice.StringVar{Key: "Signing secret", StableKey: "secret"},
		sluice.ConnectionVar{Key: "Shop", StableKey: "shop", Connection: sluice.BasicConnection{Inputs: []sluice.ConnectionInput{
			{Key: "webhookSecret", Label: "Secret", Type: sluice.InputTypePassword},
		}}},
	}}}
	sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		status := func(secret string) int {
			return h.Deliver(sign(t, h, plainHMAC, secret, sluice.SignedRequest{Body: []byte(seedBody)})).StatusCode
		}
		h.Deploy(runtime.Deployment{})
		require.Equal(t, http.StatusUnauthorized, status("any"), "nothing is configured")
		h.Deploy(runtime.Deployment{Config: map[string]any{
			"Signing secret": "a", "Shop": map[string]any{"fields": map[string]any{"webhookSecret": "b"}},
		}})
		require.Equal(t, http.StatusOK, status("a"))
		require.Equal(t, http.StatusOK, status("b"))
		require.Equal(t, http.StatusUnauthorized, status("c"))
	})
}

func TestHMACHandshakes(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		scheme sluice.Signature
		body   string
		signed bool
		kind   string
		want   string
	}{
		"slack": {sluice.Slack(), `{"type":"url_verification","challenge":"c1"}`, true, "text/plain", "c1"},
		"xero":  {sluice.Xero(), `{"events":[],"firstEventSequence":0,"lastEventSequence":0}`, true, "", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			trigger := sluice.HMACTrigger{Signature: test.scheme, Secrets: []string{"s"}}
			run(t, integrationOf(nothing, signedBy(trigger)), func(t *testing.T, h *sluicetest.Harness) {
				response := h.Deliver(sign(t, h, test.scheme, "s", sluice.SignedRequest{Body: []byte(test.body)}))
				require.Equal(t, http.StatusOK, response.StatusCode)
				require.Equal(t, test.want, response.Text)
				require.Equal(t, test.kind, response.Header.Get("Content-Type"))
				require.Empty(t, h.Executions(), "a handshake was executed")
				forged := h.Deliver(sign(t, h, test.scheme, "wrong", sluice.SignedRequest{Body: []byte(test.body)}))
				require.Equal(t, http.StatusUnauthorized, forged.StatusCode)
				require.Equal(t, unsigned, forged.Text)
			})
		})
	}
	t.Run("meta", func(t *testing.T) {
		t.Parallel()
		scheme := sluice.Meta()
		scheme.Handshake.VerifyToken = "token"
		trigger := sluice.HMACTrigger{Signature: scheme, Secrets: []string{"s"}}
		run(t, integrationOf(nothing, signedBy(trigger)), func(t *testing.T, h *sluicetest.Harness) {
			get := func(token string) *sluicetest.Response {
				url := h.URL("Flow") + "?hub.mode=subscribe&hub.challenge=42&hub.verify_token=" + token
				request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
				require.NoError(t, err)
				return h.Deliver(request)
			}
			require.Equal(t, "42", get("token").Text)
			require.Equal(t, http.StatusUnauthorized, get("wrong").StatusCode)
		})
	})
}

func TestHMACSignsTheURL(t *testing.T) {
	t.Parallel()
	scheme := sluice.Signature{SignatureFields: []string{"headers.X-Signature"}, Template: "{method} {url} {body}"}
	trigger := sluice.HMACTrigger{Signature: scheme, Secrets: []string{"s"}}
	run(t, integrationOf(nothing, signedBy(trigger)), func(t *testing.T, h *sluicetest.Harness) {
		for _, suffix := range []string{"", "/", "/a%2Fb/c", "/a//b/", "?", "?b=2&a=1&a=%20+;"} {
			request := sluice.SignedRequest{Method: http.MethodPut, URL: h.URL("Flow") + suffix, Body: []byte("{}")}
			response := h.Deliver(sign(t, h, scheme, "s", request))
			require.Equal(t, http.StatusOK, response.StatusCode, suffix)
			require.Equal(t, request.URL, h.Execution(executionID(t, response)).Payload.InvokeURL)
		}
	})
}

func TestHMACTriggerResponds(t *testing.T) {
	t.Parallel()
	trigger := sluice.HMACTrigger{
		Signature: plainHMAC, Secrets: []string{seedSecret},
		Response: &sluice.HTTPResponse{StatusCode: http.StatusAccepted, ContentType: "text/plain", Body: "thanks"},
		OnTrigger: func(_ context.Context, _ *sluice.Run, payload *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
			require.Equal(t, seedHash, payload.Headers.Get("my-hmac-header"), "the trigger sees everything")
			if payload.QueryParameters.Get("own") != "" {
				return &sluice.TriggerResult{Response: &sluice.HTTPResponse{StatusCode: 201, ContentType: "text/plain", Body: "own"}}, nil
			}
			return nil, nil
		},
	}
	run(t, integrationOf(nothing, signedBy(trigger)), func(t *testing.T, h *sluicetest.Harness) {
		response := h.Post("Flow", seedBody, "my-hmac-header", seedHash)
		require.Equal(t, http.StatusAccepted, response.StatusCode)
		require.Equal(t, "thanks", response.Text)
		own := sign(t, h, plainHMAC, seedSecret, sluice.SignedRequest{URL: h.URL("Flow") + "?own=1", Body: []byte(seedBody)})
		require.Equal(t, "own", h.Deliver(own).Text)
		require.Equal(t, http.StatusUnauthorized, h.Post("Flow", "{}", "my-hmac-header", seedHash).StatusCode)
	})
}

// TestThreat4Replay sends one delivery several times.
func TestThreat4Replay(t *testing.T) {
	t.Parallel()
	scheme := sluice.StandardWebhooks()
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	for name, tolerance := range map[string]time.Duration{"default": scheme.Tolerance, "an hour": time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			scheme := scheme
			scheme.Tolerance = tolerance
			trigger := sluice.HMACTrigger{Signature: scheme, Secrets: []string{secret}}
			run(t, integrationOf(nothing, signedBy(trigger)), func(t *testing.T, h *sluicetest.Harness) {
				request := sluice.SignedRequest{Body: []byte(seedBody), Time: time.Now().Add(tolerance)}
				recorded := sign(t, h, scheme, secret, request)
				replay := func() *sluicetest.Response {
					again := recorded.Clone(t.Context())
					again.Body, _ = recorded.GetBody()
					return h.Deliver(again)
				}
				first := executionID(t, replay())
				second := replay()
				require.Equal(t, http.StatusOK, second.StatusCode)
				require.JSONEq(t, `{"executionId":"`+first+`","duplicate":true}`, second.Text)
				h.Advance(2*tolerance - time.Second)
				require.Equal(t, first, executionID(t, replay()), "forgotten while its signature is valid")
				h.Advance(2 * time.Second)
				require.Equal(t, http.StatusUnauthorized, replay().StatusCode)
				require.Len(t, h.Executions(), 2, "the delivery and its refusal")
			})
		})
	}
}

func TestHMACDedupeFieldOfTheQueueGoesFirst(t *testing.T) {
	t.Parallel()
	scheme := sluice.StandardWebhooks()
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	trigger := sluice.HMACTrigger{Signature: scheme, Secrets: []string{secret}}
	integration := integrationOf(nothing, signedBy(trigger), func(f *sluice.Flow) {
		f.QueueConfig = sluice.StandardQueueConfig{DedupeIDField: "body.data.id"}
	})
	run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		send := func(delivery, body string) string {
			request := sluice.SignedRequest{Body: []byte(body), Header: http.Header{"Webhook-Id": {delivery}}}
			return executionID(t, h.Deliver(sign(t, h, scheme, secret, request)))
		}
		first := send("d1", `{"id":"a"}`)
		require.Equal(t, first, send("d2", `{"id":"a"}`))
		require.NotEqual(t, first, send("d1", `{"id":"b"}`))
		third := send("d3", `{}`)
		require.Equal(t, third, send("d3", `{}`), "without the field the delivery's id counts")
		require.NotEqual(t, third, send("d4", `{}`))
	})
}

func zipped(t *testing.T, body string) []byte {
	t.Helper()
	var buffer bytes.Buffer
	writer := gzip.NewWriter(&buffer)
	_, err := writer.Write([]byte(body))
	require.NoError(t, err)
	require.NoError(t, writer.Close())
	return buffer.Bytes()
}

// TestThreat9SignatureOverWireBytes signs compressed bodies before and after compression.
func TestThreat9SignatureOverWireBytes(t *testing.T) {
	t.Parallel()
	scheme := plainHMAC
	scheme.DedupeIDFields = []string{"body.data.customer"}
	trigger := sluice.HMACTrigger{Signature: scheme, Secrets: []string{seedSecret}}
	run(t, integrationOf(nothing, signedBy(trigger)), func(t *testing.T, h *sluicetest.Harness) {
		wire := zipped(t, seedBody)
		request := sluice.SignedRequest{Body: wire, Header: http.Header{"Content-Encoding": {"gzip"}}}
		x := h.Execution(executionID(t, h.Deliver(sign(t, h, scheme, seedSecret, request))))
		require.Equal(t, wire, x.Payload.RawBody.Data)
		plain, err := x.Payload.Body.Bytes()
		require.NoError(t, err)
		require.Equal(t, seedBody, string(plain))
		require.Equal(t, x.ID, executionID(t, h.Deliver(sign(t, h, scheme, seedSecret, request))), "the id stands inside")

		inflated := sign(t, h, scheme, seedSecret, request)
		inflated.Header.Set("my-hmac-header", seedHash)
		require.Equal(t, http.StatusUnauthorized, h.Deliver(inflated).StatusCode)
	})
}
