package sluice

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"strings"
)

// A Handshake describes how a provider checks that an endpoint is willing and able to take
// its webhooks, and what it wants to be answered. The zero value is none. Field paths are
// those of Signature.
type Handshake struct {
	// Method is the HTTP method of the check. Default: POST.
	Method string
	// When holds the fields by which the check is recognized, and their values.
	When map[string]string
	// Unsigned says that the provider does not sign the check. Otherwise it is verified
	// before it is answered.
	Unsigned bool
	// VerifyTokenField is the place of the token that the provider was given when the
	// endpoint was registered. It must equal VerifyToken, which the user of a preset sets.
	VerifyTokenField string
	VerifyToken      string
	// ChallengeField is the place of the text that the answer is made of. Without that
	// field a request is no check.
	ChallengeField string
	// Reply is the body of the answer, in which {challenge} stands for the challenge and
	// {hmac} for its HMAC-SHA256 with the secret, in the encoding of the Signature.
	Reply string
	// ContentType of the answer. Default: text/plain. For application/json the challenge is
	// written as the inside of a JSON string.
	ContentType string
}

const jsonContentType = "application/json"

// Answer answers the provider's check of the endpoint. It returns nil and no error when the
// request is not one; then Verify it and go on. The error is a *SignatureError: a check that
// is not signed, or does not have the token, is answered like any forged request. Where the
// answer is made with a secret and the check is not signed, it is made with the first one.
func (s Signature) Answer(req SignedRequest, secrets ...string) (*HTTPResponse, error) {
	handshake := &s.Handshake
	challenge, ok := handshake.recognize(&req)
	if !ok {
		return nil, nil
	}
	key, err := s.authenticateHandshake(&req, secrets)
	if err != nil {
		return nil, err
	}
	contentType := cmp.Or(handshake.ContentType, "text/plain")
	mac := ""
	if strings.Contains(handshake.Reply, "{hmac}") {
		h := hmac.New(sha256.New, key.bytes)
		h.Write([]byte(challenge))
		mac = string(s.Encoding.appendEncoded(nil, h.Sum(nil)))
	}
	if contentType == jsonContentType {
		challenge = insideJSONString(challenge)
	}
	return &HTTPResponse{
		StatusCode:  http.StatusOK,
		ContentType: contentType,
		Headers:     map[string]string{"X-Content-Type-Options": "nosniff"},
		Body:        strings.NewReplacer("{challenge}", challenge, "{hmac}", mac).Replace(handshake.Reply),
	}, nil
}

// recognize returns the challenge of a request that is the provider's check.
func (h *Handshake) recognize(req *SignedRequest) (challenge string, ok bool) {
	none := len(h.When) == 0 && h.ChallengeField == ""
	if none || req.Method != cmp.Or(h.Method, http.MethodPost) {
		return "", false
	}
	for path, want := range h.When {
		if got, err := req.field("mark of the handshake", []string{path}); err != nil || got != want {
			return "", false
		}
	}
	if h.ChallengeField == "" {
		return "", true
	}
	challenge, err := req.field("challenge", []string{h.ChallengeField})
	return challenge, err == nil
}

// authenticateHandshake returns the key to answer with, where there is one.
func (s Signature) authenticateHandshake(req *SignedRequest, secrets []string) (verificationKey, error) {
	handshake := &s.Handshake
	if !handshake.Unsigned {
		return s.verify(req, secrets)
	}
	if handshake.VerifyTokenField != "" {
		if err := handshake.checkToken(req); err != nil {
			return verificationKey{}, err
		}
	}
	if !strings.Contains(handshake.Reply, "{hmac}") {
		return verificationKey{}, nil
	}
	keys, err := s.verificationKeys(secrets)
	if err != nil {
		return verificationKey{}, err
	}
	return keys[0], nil
}

func (h *Handshake) checkToken(req *SignedRequest) error {
	if h.VerifyToken == "" {
		return signatureErrorf(SignatureNoSecret, "Handshake.VerifyToken is empty; set the token that the provider was given")
	}
	token, err := req.field("verify token", []string{h.VerifyTokenField})
	if err != nil {
		return err
	}
	if fitsToken([]byte(h.VerifyToken), []string{token}) == 0 {
		return signatureErrorf(SignatureMismatch, "the verify token in %s is not the one in Handshake.VerifyToken", h.VerifyTokenField)
	}
	return nil
}

func (h *Handshake) validate(fault func(string, ...any)) {
	for path := range h.When {
		if !validSignaturePath(path) {
			fault("Handshake.When has the invalid field path %q", path)
		}
	}
	for _, path := range [...]string{h.VerifyTokenField, h.ChallengeField} {
		if path != "" && !validSignaturePath(path) {
			fault("Handshake has the invalid field path %q", path)
		}
	}
}

func insideJSONString(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		return ""
	}
	return string(quoted[1 : len(quoted)-1])
}
