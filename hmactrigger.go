package sluice

import "time"

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
