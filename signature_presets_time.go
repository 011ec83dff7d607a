package sluice

import "time"

// The presets in this file sign the sending time with the body, with an HMAC.

// Stripe signs with the endpoint's secret, used as it is with its whsec_, and with two
// while one replaces the other.
//
// Source: https://docs.stripe.com/webhooks/signatures
func Stripe() Signature {
	return Signature{
		SignatureFields: []string{"headers.Stripe-Signature"},
		Separator:       ",",
		Prefix:          "v1=",
		Template:        "{timestamp}.{body}",
		TimestampPrefix: "t=",
		Tolerance:       5 * time.Minute,
		DedupeIDFields:  []string{"body.data.id"},
	}
}

// Slack signs with the app's signing secret.
//
// Source: https://docs.slack.dev/authentication/verifying-requests-from-slack/
func Slack() Signature {
	return Signature{
		SignatureFields: []string{"headers.X-Slack-Signature"},
		Prefix:          "v0=",
		Template:        "v0:{timestamp}:{body}",
		TimestampFields: []string{"headers.X-Slack-Request-Timestamp"},
		Tolerance:       5 * time.Minute,
		DedupeIDFields:  []string{"body.data.event_id"},
		Handshake: Handshake{
			When:           map[string]string{"body.data.type": "url_verification"},
			ChallengeField: "body.data.challenge",
			Reply:          "{challenge}",
		},
	}
}

// Zoom signs with the app's secret token. Zoom does not ask for a tolerance; five minutes
// are customary.
//
// Source: https://developers.zoom.us/docs/api/webhooks/
func Zoom() Signature {
	return Signature{
		SignatureFields: []string{"headers.X-Zm-Signature"},
		Prefix:          "v0=",
		Template:        "v0:{timestamp}:{body}",
		TimestampFields: []string{"headers.X-Zm-Request-Timestamp"},
		Tolerance:       5 * time.Minute,
		Handshake: Handshake{
			When:           map[string]string{"body.data.event": "endpoint.url_validation"},
			ChallengeField: "body.data.payload.plainToken",
			Reply:          `{"plainToken":"{challenge}","encryptedToken":"{hmac}"}`,
			ContentType:    jsonContentType,
		},
	}
}

// StandardWebhooks signs the id and the sending time too. The secret is base64, with or
// without whsec_ before it.
//
// Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
func StandardWebhooks() Signature {
	return Signature{
		SignatureFields: []string{"headers.Webhook-Signature"},
		Separator:       " ",
		Prefix:          "v1,",
		Encoding:        EncodingBase64,
		Template:        "{id}.{timestamp}.{body}",
		TimestampFields: []string{"headers.Webhook-Timestamp"},
		Tolerance:       5 * time.Minute,
		IDFields:        []string{"headers.Webhook-Id"},
		DedupeIDFields:  []string{"headers.Webhook-Id"},
		SecretEncoding:  EncodingBase64,
		SecretPrefixes:  []string{"whsec_"},
	}
}

// Svix is StandardWebhooks with headers of its own; the standard ones are accepted too.
//
// Source: https://docs.svix.com/receiving/verifying-payloads/how-manual
func Svix() Signature {
	s := StandardWebhooks()
	s.SignatureFields = []string{"headers.Svix-Signature", "headers.Webhook-Signature"}
	s.TimestampFields = []string{"headers.Svix-Timestamp", "headers.Webhook-Timestamp"}
	s.IDFields = []string{"headers.Svix-Id", "headers.Webhook-Id"}
	s.DedupeIDFields = s.IDFields
	return s
}

// Zendesk signs with the webhook's signing secret, used as it is. Zendesk names no
// tolerance.
//
// Source: https://developer.zendesk.com/documentation/webhooks/verifying/
func Zendesk() Signature {
	return Signature{
		SignatureFields: []string{"headers.X-Zendesk-Webhook-Signature"},
		Encoding:        EncodingBase64,
		Template:        "{timestamp}{body}",
		TimestampFields: []string{"headers.X-Zendesk-Webhook-Signature-Timestamp"},
		TimestampFormat: TimestampRFC3339,
		DedupeIDFields:  []string{"headers.X-Zendesk-Webhook-Invocation-Id"},
	}
}

// Paddle signs with the secret of the notification destination, used as it is, and with
// several while one replaces another.
//
// Source: https://developer.paddle.com/webhooks/signature-verification
func Paddle() Signature {
	return Signature{
		SignatureFields: []string{"headers.Paddle-Signature"},
		Separator:       ";",
		Prefix:          "h1=",
		Template:        "{timestamp}:{body}",
		TimestampPrefix: "ts=",
		Tolerance:       5 * time.Second,
		DedupeIDFields:  []string{"body.data.event_id"},
	}
}

// Twitch signs with the secret of the EventSub subscription.
//
// Source: https://dev.twitch.tv/docs/eventsub/handling-webhook-events/
func Twitch() Signature {
	return Signature{
		SignatureFields: []string{"headers.Twitch-Eventsub-Message-Signature"},
		Prefix:          "sha256=",
		Template:        "{id}{timestamp}{body}",
		TimestampFields: []string{"headers.Twitch-Eventsub-Message-Timestamp"},
		TimestampFormat: TimestampRFC3339,
		Tolerance:       10 * time.Minute,
		IDFields:        []string{"headers.Twitch-Eventsub-Message-Id"},
		DedupeIDFields:  []string{"headers.Twitch-Eventsub-Message-Id"},
		Handshake: Handshake{
			When:           map[string]string{"headers.Twitch-Eventsub-Message-Type": "webhook_callback_verification"},
			ChallengeField: "body.data.challenge",
			Reply:          "{challenge}",
		},
	}
}

// Box signs with the app's primary and secondary key, one header each; either may fit.
//
// Source: https://developer.box.com/guides/webhooks/v2/signatures-v2/
func Box() Signature {
	return Signature{
		SignatureFields: []string{"headers.Box-Signature-Primary", "headers.Box-Signature-Secondary"},
		Encoding:        EncodingBase64,
		Template:        "{body}{timestamp}",
		TimestampFields: []string{"headers.Box-Delivery-Timestamp"},
		TimestampFormat: TimestampRFC3339,
		Tolerance:       10 * time.Minute,
		DedupeIDFields:  []string{"headers.Box-Delivery-Id"},
		RequiredHeaders: map[string]string{
			"Box-Signature-Version":   "1",
			"Box-Signature-Algorithm": "HmacSHA256",
		},
	}
}

// Mailgun signs a time and a token in the body with the webhook signing key, but not the
// rest of the body. Refuse a token that was seen before (Signature.DedupeID).
//
// Source: https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks
func Mailgun() Signature {
	return Signature{
		SignatureFields: []string{"body.data.signature.signature"},
		Template:        "{timestamp}{id}",
		TimestampFields: []string{"body.data.signature.timestamp"},
		IDFields:        []string{"body.data.signature.token"},
		DedupeIDFields:  []string{"body.data.signature.token"},
	}
}
