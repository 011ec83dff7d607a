package sluice

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestHMACTriggerFaults(t *testing.T) {
	t.Parallel()
	plain := HMAC("x-hmac-sha256", HMACSHA256)
	page := ConfigPage{Name: "Page", Elements: []ConfigElement{
		StringVar{Key: "secret", StableKey: "secret"},
		NumberVar{Key: "number", StableKey: "number"},
		ConnectionVar{Key: "connection", StableKey: "connection", Connection: BasicConnection{Inputs: []ConnectionInput{
			{Key: "secret", Label: "Secret", Type: InputTypePassword},
		}}},
		ValueListVar[string]{Element: StringVar{Key: "secrets", StableKey: "secrets"}},
		KeyValueListVar[string]{Element: StringVar{Key: "pairs", StableKey: "pairs"}},
	}}
	with := func(v SecretVar) HMACTrigger { return HMACTrigger{Signature: plain, SecretVars: []SecretVar{v}} }
	tests := map[string]struct {
		trigger HMACTrigger
		want    []string
	}{
		"plain":        {HMACTrigger{Signature: plain, Secrets: []string{"s"}}, nil},
		"string":       {with(SecretVar{ConfigVar: "secret"}), nil},
		"list":         {with(SecretVar{ConfigVar: "secrets"}), nil},
		"connection":   {with(SecretVar{ConfigVar: "connection", Field: "secret"}), nil},
		"no field":     {with(SecretVar{ConfigVar: "connection"}), []string{`.secretVars[0].field: "connection" is a connection: name the field that holds the secret`}},
		"a field":      {with(SecretVar{ConfigVar: "secret", Field: "x"}), []string{`.secretVars[0].field: "secret" is no connection: it has no fields`}},
		"unknown":      {with(SecretVar{ConfigVar: "x"}), []string{`.secretVars[0].configVar: there is no config variable "x"`}},
		"number":       {with(SecretVar{ConfigVar: "number"}), []string{`.secretVars[0].configVar: "number" holds no text: a secret stands in a string, a list of strings or a connection`}},
		"pairs":        {with(SecretVar{ConfigVar: "pairs"}), []string{`.secretVars[0].configVar: "pairs" holds no text: a secret stands in a string, a list of strings or a connection`}},
		"empty secret": {HMACTrigger{Signature: plain, Secrets: []string{"s", ""}}, []string{".secrets[1]: webhook signature: the secret is empty; set the provider's signing secret"}},
		"status":       {HMACTrigger{Signature: plain, Secrets: []string{"s"}, Response: &HTTPResponse{StatusCode: 99}}, []string{".response.statusCode: 99 is not between 200 and 599"}},
		"nothing": {HMACTrigger{Signature: Signature{Tolerance: -1}}, []string{
			".signature: SignatureFields is empty; name the place of the signature, such as headers.X-Signature",
			".signature: Tolerance -1ns is negative",
			": secrets or secretVars are required: without a secret no signature fits",
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			integration := &Integration{Name: "Test", ConfigPages: []ConfigPage{page}, Flows: []Flow{{
				Name: "Flow", StableKey: "flow", Trigger: test.trigger,
				OnExecution: func(context.Context, *Run) (*Result, error) { return nil, nil },
			}}}
			require.NoError(t, integration.ValidateExport(), "spectral knows no such trigger")
			var got []string
			if invalid, ok := errors.AsType[*ValidationError](integration.Validate()); ok {
				for _, fault := range invalid.Faults {
					got = append(got, strings.TrimPrefix(fault.String(), "flows[0].trigger"))
				}
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
		{ConfigVar: "secret"},
		{ConfigVar: "none"},
		{ConfigVar: "missing"},
		{ConfigVar: "secrets"},
		{ConfigVar: "connection", Field: "secret"},
		{ConfigVar: "connection", Field: "other"},
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

func TestIsSecretParameter(t *testing.T) {
	t.Parallel()
	scheme := Signature{
		SignatureFields: []string{"headers.X-Token", "queryParameters.sig"},
		Handshake:       Handshake{VerifyTokenField: "queryParameters.hub.verify_token"},
	}
	for name, want := range map[string]bool{"sig": true, "hub.verify_token": true, "SIG": false, "X-Token": false, "": false} {
		require.Equal(t, want, scheme.IsSecretParameter(name), name)
	}
}

func TestATokenInTheBodyIsRefused(t *testing.T) {
	t.Parallel()
	fields := []string{"body.data.token"}
	require.ErrorContains(t, Signature{SignatureFields: fields, Algorithm: SharedToken}.Validate(), `SignatureFields has "body.data.token"`)
	require.NoError(t, Signature{SignatureFields: fields}.Validate(), "a signature of the body is no secret that opens others")
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
