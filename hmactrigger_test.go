package sluice

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestHMACTriggerFaults(t *testing.T) {
	t.Parallel()
	plain := HMAC("x-hmac-sha256", HMACSHA256)
	vars := map[string]ConfigVarDefinition{}
	for _, v := range []ConfigVar{
		StringVar{Key: "secret"}, NumberVar{Key: "number"}, ConnectionVar{Key: "connection"},
		ValueListVar[string]{Element: StringVar{Key: "secrets"}},
		KeyValueListVar[string]{Element: StringVar{Key: "pairs"}},
	} {
		vars[v.Definition().Key] = v.Definition()
	}
	with := func(v SecretVar) HMACTrigger { return HMACTrigger{Signature: plain, SecretVars: []SecretVar{v}} }
	tests := map[string]struct {
		trigger HMACTrigger
		want    []string
	}{
		"plain":        {HMACTrigger{Signature: plain, Secrets: []string{"s"}}, nil},
		"string":       {with(SecretVar{ConfigVar: "secret"}), nil},
		"list":         {with(SecretVar{ConfigVar: "secrets"}), nil},
		"connection":   {with(SecretVar{ConfigVar: "connection", Field: "secret"}), nil},
		"no field":     {with(SecretVar{ConfigVar: "connection"}), []string{`t.secretVars[0]: "connection" is a connection: field names the one that holds the secret`}},
		"a field":      {with(SecretVar{ConfigVar: "secret", Field: "x"}), []string{`t.secretVars[0]: "secret" is no connection: it has no fields`}},
		"unknown":      {with(SecretVar{ConfigVar: "x"}), []string{`t.secretVars[0]: there is no config variable "x"`}},
		"number":       {with(SecretVar{ConfigVar: "number"}), []string{`t.secretVars[0]: "number" holds no text: a secret stands in a string or a connection`}},
		"pairs":        {with(SecretVar{ConfigVar: "pairs"}), []string{`t.secretVars[0]: "pairs" holds no text: a secret stands in a string or a connection`}},
		"empty secret": {HMACTrigger{Signature: plain, Secrets: []string{"s", ""}}, []string{"t.secrets[1]: webhook signature: the secret is empty; set the provider's signing secret"}},
		"status":       {HMACTrigger{Signature: plain, Secrets: []string{"s"}, Response: &HTTPResponse{StatusCode: 99}}, []string{"t.response.statusCode: 99 is not between 200 and 599"}},
		"nothing": {HMACTrigger{Signature: Signature{Tolerance: -1}}, []string{
			"t.signature: SignatureFields is empty; name the place of the signature, such as headers.X-Signature",
			"t.signature: Tolerance -1ns is negative",
			"t: secrets or secretVars are required: without a secret no signature fits",
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, fault := range test.trigger.faults("t", vars) {
				got = append(got, fault.String())
			}
			require.Equal(t, test.want, got)
		})
	}
}

func TestLiveSecrets(t *testing.T) {
	t.Parallel()
	values := map[string]any{
		"secret": "b", "none": "", "secrets": []string{"c", ""}, "connection": Connection{Fields: map[string]any{"secret": "d"}},
	}
	trigger := HMACTrigger{Secrets: []string{"a"}, SecretVars: []SecretVar{
		{ConfigVar: "secret"}, {ConfigVar: "none"}, {ConfigVar: "missing"}, {ConfigVar: "secrets"},
		{ConfigVar: "connection", Field: "secret"}, {ConfigVar: "connection", Field: "other"},
	}}
	require.Equal(t, []string{"a", "b", "c", "d"}, trigger.LiveSecrets(func(key string) (any, bool) {
		value, ok := values[key]
		return value, ok
	}))
}

func TestReplayWindow(t *testing.T) {
	t.Parallel()
	require.Equal(t, 10*time.Minute, HMACTrigger{Signature: StandardWebhooks()}.ReplayWindow())
	require.Zero(t, HMACTrigger{Signature: GitHub()}.ReplayWindow())
}

func TestIsSecretHeader(t *testing.T) {
	t.Parallel()
	scheme := Signature{
		SignatureFields: []string{"headers.X-Sig-*", "headers.X-Token", "queryParameters.sig"},
		Handshake:       Handshake{VerifyTokenField: "headers.X-Verify"},
	}
	for name, want := range map[string]bool{
		"x-sig-1": true, "X-SIG-23": true, "x-sig-": true, "x-token": true, "x-verify": true,
		"x-token-1": false, "x-si": false, "sig": false, "": false,
	} {
		require.Equal(t, want, scheme.IsSecretHeader(name), name)
	}
	require.False(t, Signature{}.IsSecretHeader(""))
}
