package sluice

// The presets in this file use no HMAC: a public key, or the bare secret.

// StandardWebhooksEd25519 is StandardWebhooks with the sender's public key, base64 with or
// without whpk_ before it; Sign takes the private key, with or without whsk_.
//
// Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
func StandardWebhooksEd25519() Signature {
	s := StandardWebhooks()
	s.Prefix = "v1a,"
	s.Algorithm = Ed25519
	s.SecretPrefixes = []string{"whpk_", "whsk_"}
	return s
}

// Discord signs interactions; the secret is the application's public key. Discord sends
// forged requests too, and wants 401 for those. It names no tolerance.
//
// Source: https://docs.discord.com/developers/interactions/overview#setting-up-an-endpoint
func Discord() Signature {
	return Signature{
		SignatureFields: []string{"headers.X-Signature-Ed25519"},
		Algorithm:       Ed25519,
		Template:        "{timestamp}{body}",
		TimestampFields: []string{"headers.X-Signature-Timestamp"},
		DedupeIDFields:  []string{"body.data.id"},
		SecretEncoding:  EncodingHex,
		Handshake: Handshake{
			When:        map[string]string{"body.data.type": "1"},
			Reply:       `{"type":1}`,
			ContentType: jsonContentType,
		},
	}
}

// SendGrid signs events; the secret is the public key of the event webhook. It names no
// tolerance.
//
// Source: https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features
func SendGrid() Signature {
	return Signature{
		SignatureFields: []string{"headers.X-Twilio-Email-Event-Webhook-Signature"},
		Algorithm:       ECDSAP256,
		Encoding:        EncodingBase64,
		Template:        "{timestamp}{body}",
		TimestampFields: []string{"headers.X-Twilio-Email-Event-Webhook-Timestamp"},
		SecretEncoding:  EncodingBase64,
	}
}

// GitLab sends the webhook's secret token itself; nothing is signed, so use it over TLS
// only.
//
// Source: https://docs.gitlab.com/user/project/integrations/webhooks/
func GitLab() Signature {
	return Signature{
		SignatureFields: []string{"headers.X-Gitlab-Token"},
		Algorithm:       SharedToken,
		DedupeIDFields:  []string{"headers.Idempotency-Key"},
	}
}
