package sluice

import (
	"fmt"
	"time"
)

// HMACTrigger starts its flow with webhooks that are signed, and with no other: a request
// whose signature does not fit any secret is answered 401 and recorded as failed, without
// its body. Handshakes of the provider are answered and start nothing. Otherwise it is like
// [WebhookTrigger].
//
// The plain configuration of seed 001, a header's name, a hash function and a secret, is
//
//	HMACTrigger{Signature: HMAC("x-hmac-sha256", HMACSHA256), Secrets: []string{secret}}
//
// A delivery that is repeated is not executed again: the scheme's delivery id names the
// request as [TriggerResult.DedupeID] does, for ten minutes or twice the scheme's tolerance,
// whichever is longer. A DedupeIDField of the flow's queue goes first.
type HMACTrigger struct {
	// Signature is the provider's scheme: a preset such as GitHub(), or a description of
	// your own. Required.
	Signature Signature
	// Secrets are the same for every instance. Several are live at once, for rotation.
	Secrets []string
	// SecretVars are where each instance's own secrets stand in its configuration. There
	// must be Secrets or SecretVars. An instance that has configured none refuses every
	// request.
	SecretVars []SecretVar
	// Response answers asynchronous callers; nil is {"executionId":"…"}.
	Response *HTTPResponse
	// OnTrigger sees each request whose signature was found to fit; nil passes it on
	// unchanged.
	OnTrigger TriggerFunc
}

func (HMACTrigger) trigger() {}

// SecretVar is where an instance's configuration holds secrets.
type SecretVar struct {
	// ConfigVar is the key of a [StringVar], of a value list of strings, each of which is
	// live, or of a [ConnectionVar].
	ConfigVar string
	// Field is the key of the connection's field; empty unless ConfigVar is a connection.
	Field string
}

// LiveSecrets returns the secrets that requests to an instance may be signed with, without
// empty ones. configVar reads the instance's configuration, as [Run.ConfigVar] does.
func (t HMACTrigger) LiveSecrets(configVar func(key string) (value any, ok bool)) []string {
	var live []string
	add := func(secrets ...string) {
		for _, secret := range secrets {
			if secret != "" {
				live = append(live, secret)
			}
		}
	}
	add(t.Secrets...)
	for _, v := range t.SecretVars {
		value, _ := configVar(v.ConfigVar)
		switch value := value.(type) {
		case string:
			add(value)
		case []string:
			add(value...)
		case Connection:
			add(value.Field(v.Field))
		}
	}
	return live
}

// ReplayWindow is how long a delivery's id must be remembered so that a recorded request
// cannot be sent again: as long as the scheme takes it for recent, before and after its
// sending time. Zero where the scheme has no sending time.
func (t HMACTrigger) ReplayWindow() time.Duration { return 2 * t.Signature.Tolerance }

// faults tells what is wrong with the trigger at path; vars are the integration's config
// variables by key. A secret is never part of the message.
func (t HMACTrigger) faults(path string, vars map[string]ConfigVarDefinition) []Fault {
	var faults []Fault
	add := func(field, format string, args ...any) {
		faults = append(faults, Fault{Path: path + field, Message: fmt.Sprintf(format, args...)})
	}
	if err := t.Signature.Validate(); err != nil {
		for _, fault := range splitErrors(err) {
			add(".signature", "%v", fault)
		}
	}
	if len(t.Secrets) == 0 && len(t.SecretVars) == 0 {
		add("", "secrets or secretVars are required: without a secret no signature fits")
	}
	for i, secret := range t.Secrets {
		if err := t.Signature.CheckSecret(secret); err != nil {
			add(fmt.Sprintf(".secrets[%d]", i), "%v", err)
		}
	}
	for i, v := range t.SecretVars {
		if fault := v.fault(vars); fault != "" {
			add(fmt.Sprintf(".secretVars[%d]", i), "%s", fault)
		}
	}
	if r := t.Response; r != nil && r.StatusCode != 0 && (r.StatusCode < 200 || r.StatusCode > 599) {
		add(".response.statusCode", "%d is not between 200 and 599", r.StatusCode)
	}
	return faults
}

func (v SecretVar) fault(vars map[string]ConfigVarDefinition) string {
	definition, ok := vars[v.ConfigVar]
	text := definition.DataType == DataTypeString && definition.CollectionType != CollectionKeyValueList
	switch {
	case !ok:
		return fmt.Sprintf("there is no config variable %q", v.ConfigVar)
	case definition.DataType == DataTypeConnection && v.Field == "":
		return fmt.Sprintf("%q is a connection: field names the one that holds the secret", v.ConfigVar)
	case definition.DataType == DataTypeConnection:
		return ""
	case v.Field != "":
		return fmt.Sprintf("%q is no connection: it has no fields", v.ConfigVar)
	case !text:
		return fmt.Sprintf("%q holds no text: a secret stands in a string or a connection", v.ConfigVar)
	default:
		return ""
	}
}

// splitErrors returns the errors that errors.Join put together.
func splitErrors(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok { //nolint:errorlint // Only the outermost counts.
		return joined.Unwrap()
	}
	return []error{err}
}
