package sluice_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
)

func getRequest(url string) sluice.SignedRequest {
	return sluice.SignedRequest{Method: http.MethodGet, URL: url, Time: signedAt}
}

func postRequest(body string) sluice.SignedRequest {
	return sluice.SignedRequest{Method: http.MethodPost, URL: "https://a.example/x", Body: []byte(body), Time: signedAt}
}

func metaWithToken() sluice.Signature {
	s := sluice.Meta()
	s.Handshake.VerifyToken = "my token"
	return s
}

func TestAnswerSignedHandshakes(t *testing.T) {
	t.Parallel()
	twitch := postRequest(`{"challenge":"pogchamp-kappa","subscription":{}}`)
	twitch.Header = http.Header{"Twitch-Eventsub-Message-Type": {"webhook_callback_verification"}}
	discordKeys := presetCaseNamed(t, "Discord")
	tests := []struct {
		name         string
		scheme       sluice.Signature
		request      sluice.SignedRequest
		sign, verify string
		contentType  string
		body         string
	}{
		{"Slack", sluice.Slack(), postRequest(`{"type":"url_verification","challenge":"3eZbrw1aB"}`), signingSecret, signingSecret, "text/plain", "3eZbrw1aB"},
		// The token must stay inside its JSON string, and is not expanded again.
		{
			"Zoom", sluice.Zoom(), postRequest(`{"event":"endpoint.url_validation","payload":{"plainToken":"q\"{hmac}"}}`), signingSecret, signingSecret,
			"application/json", `{"plainToken":"q\"{hmac}","encryptedToken":"` + hmacHex(signingSecret, `q"{hmac}`) + `"}`,
		},
		{"Twitch", sluice.Twitch(), twitch, signingSecret, signingSecret, "text/plain", "pogchamp-kappa"},
		{"Discord", sluice.Discord(), postRequest(`{"type":1}`), discordKeys.sign, discordKeys.verify, "application/json", `{"type":1}`},
		{"Xero", sluice.Xero(), postRequest(`{"events":[],"firstEventSequence":0,"lastEventSequence":0,"entropy":"S0m3"}`), signingSecret, signingSecret, "text/plain", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			signed, err := test.scheme.Sign(test.request, test.sign)
			require.NoError(t, err)
			answer, err := test.scheme.Answer(signed, "", "another secret", test.verify)
			require.NoError(t, err)
			require.NotNil(t, answer)
			require.Equal(t, http.StatusOK, answer.StatusCode)
			require.Equal(t, test.contentType, answer.ContentType)
			require.Equal(t, test.body, answer.Body)
			require.Equal(t, "nosniff", answer.Headers["X-Content-Type-Options"])

			signed.Body = append(signed.Body, ' ')
			answer, err = test.scheme.Answer(signed, test.verify)
			require.Equal(t, sluice.SignatureMismatch, reasonOf(t, err))
			require.Nil(t, answer)
		})
	}
}

func TestAnswerUnsignedHandshakes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		scheme  sluice.Signature
		request sluice.SignedRequest
		want    string
	}{
		{"Meta", metaWithToken(), getRequest("https://a.example/x?hub.mode=subscribe&hub.verify_token=my+token&hub.challenge=1158201444"), "1158201444"},
		{"Dropbox", sluice.Dropbox(), getRequest("https://a.example/x?challenge=%3Cb%3E"), "<b>"},
		{"Twitter", sluice.Twitter(), getRequest("https://a.example/x?crc_token=t0ken"), `{"response_token":"sha256=` + hmacBase64(signingSecret, "t0ken") + `"}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			answer, err := test.scheme.Answer(test.request, signingSecret)
			require.NoError(t, err)
			require.NotNil(t, answer)
			require.Equal(t, test.want, answer.Body)
			require.Equal(t, "nosniff", answer.Headers["X-Content-Type-Options"])
		})
	}
}

func TestAnswerRefuses(t *testing.T) {
	t.Parallel()
	subscribe := "https://a.example/x?hub.mode=subscribe&hub.challenge=1"
	tests := []struct {
		name    string
		scheme  sluice.Signature
		request sluice.SignedRequest
		want    sluice.SignatureReason
	}{
		{"wrong token", metaWithToken(), getRequest(subscribe + "&hub.verify_token=x"), sluice.SignatureMismatch},
		{"no token", metaWithToken(), getRequest(subscribe), sluice.SignatureMissing},
		{"two tokens", metaWithToken(), getRequest(subscribe + "&hub.verify_token=my+token&hub.verify_token=x"), sluice.SignatureDuplicate},
		{"no token configured", sluice.Meta(), getRequest(subscribe + "&hub.verify_token="), sluice.SignatureNoSecret},
		{"unsigned Slack check", sluice.Slack(), postRequest(`{"type":"url_verification","challenge":"c"}`), sluice.SignatureMissing},
		{"no secret to answer with", sluice.Twitter(), getRequest("https://a.example/x?crc_token=t"), sluice.SignatureNoSecret},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			secrets := []string{signingSecret}
			if test.want == sluice.SignatureNoSecret {
				secrets = nil
			}
			answer, err := test.scheme.Answer(test.request, secrets...)
			require.Equal(t, test.want, reasonOf(t, err))
			require.Nil(t, answer)
		})
	}
}

func TestAnswerLeavesOtherRequests(t *testing.T) {
	t.Parallel()
	posted := getRequest("https://a.example/x?challenge=a")
	posted.Method = http.MethodPost
	tests := []struct {
		name    string
		scheme  sluice.Signature
		request sluice.SignedRequest
	}{
		{"an event", sluice.Slack(), postRequest(`{"type":"event_callback","event_id":"Ev1"}`)},
		{"no challenge", sluice.Slack(), postRequest(`{"type":"url_verification"}`)},
		{"other method", sluice.Dropbox(), posted},
		{"no challenge parameter", sluice.Dropbox(), getRequest("https://a.example/x")},
		{"two challenges", sluice.Dropbox(), getRequest("https://a.example/x?challenge=a&challenge=b")},
		{"malformed query", sluice.Dropbox(), getRequest("https://a.example/x?challenge=a;b")},
		{"no handshake", sluice.GitHub(), postRequest(`{}`)},
		{"events of Xero", sluice.Xero(), postRequest(`{"events":[{}],"firstEventSequence":1,"lastEventSequence":1}`)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			answer, err := test.scheme.Answer(test.request, signingSecret)
			require.NoError(t, err)
			require.Nil(t, answer)
		})
	}
}
