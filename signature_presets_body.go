package sluice

import "time"

// The presets in this file sign the body alone, with an HMAC. Such a delivery can be
// repeated by whoever has seen it, unless it is recognized by its id (Signature.DedupeID).

// GitHub signs with the webhook's secret.
//
// Source: https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
func GitHub() Signature {
	return Signature{
		SignatureFields: []string{"headers.X-Hub-Signature-256"},
		Prefix:          "sha256=",
		DedupeIDFields:  []string{"headers.X-GitHub-Delivery"},
	}
}

// GitHubSHA1 is GitHub's old signature, for servers that do not send the new one.
//
// Source: https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
func GitHubSHA1() Signature {
	return Signature{
		SignatureFields: []string{"headers.X-Hub-Signature"},
		Prefix:          "sha1=",
		Algorithm:       HMACSHA1,
		DedupeIDFields:  []string{"headers.X-GitHub-Delivery"},
	}
}

// Bitbucket signs with the webhook's secret; Jira does likewise. The header is the one of
// GitHubSHA1 and Intercom, the algorithm is another.
//
// Source: https://support.atlassian.com/bitbucket-cloud/docs/manage-webhooks/
func Bitbucket() Signature {
	return Signature{
		SignatureFields: []string{"headers.X-Hub-Signature"},
		Prefix:          "sha256=",
		DedupeIDFields:  []string{"headers.X-Request-UUID"},
	}
}

// Intercom signs with the app's client secret.
//
// Source: https://developers.intercom.com/docs/webhooks/setting-up-webhooks
func Intercom() Signature {
	return Signature{
		SignatureFields: []string{"headers.X-Hub-Signature"},
		Prefix:          "sha1=",
		Algorithm:       HMACSHA1,
		DedupeIDFields:  []string{"body.data.id"},
	}
}

// Meta signs with the app's secret: Facebook, WhatsApp, Instagram. It signs the escaped
// JSON that it sends, so the exact bytes count. Its check of the endpoint carries a token;
// set Handshake.VerifyToken to the one entered in the app's settings.
//
// Source: https://developers.facebook.com/docs/graph-api/webhooks/getting-started
func Meta() Signature {
	return Signature{
		SignatureFields: []string{"headers.X-Hub-Signature-256"},
		Prefix:          "sha256=",
		Handshake: Handshake{
			Method:           "GET",
			When:             map[string]string{"queryParameters.hub.mode": "subscribe"},
			Unsigned:         true,
			VerifyTokenField: "queryParameters.hub.verify_token",
			ChallengeField:   "queryParameters.hub.challenge",
			Reply:            "{challenge}",
		},
	}
}

// Dropbox signs with the app's secret.
//
// Source: https://www.dropbox.com/developers/reference/webhooks
func Dropbox() Signature {
	return Signature{
		SignatureFields: []string{"headers.X-Dropbox-Signature"},
		Handshake: Handshake{
			Method:         "GET",
			Unsigned:       true,
			ChallengeField: "queryParameters.challenge",
			Reply:          "{challenge}",
		},
	}
}

// Linear signs with the webhook's secret. The sending time stands in the signed body; the
// header with it counts only for a body without.
//
// Source: https://linear.app/developers/webhooks#securing-webhooks
func Linear() Signature {
	return Signature{
		SignatureFields: []string{"headers.Linear-Signature"},
		TimestampFields: []string{"body.data.webhookTimestamp", "headers.Linear-Timestamp"},
		TimestampFormat: TimestampUnixMilli,
		Tolerance:       time.Minute,
		DedupeIDFields:  []string{"headers.Linear-Delivery"},
	}
}

// PagerDuty signs with the secret of the webhook subscription, and with two while one
// replaces the other.
//
// Source: https://developer.pagerduty.com/docs/verifying-webhook-signatures
func PagerDuty() Signature {
	return Signature{
		SignatureFields: []string{"headers.X-PagerDuty-Signature"},
		Separator:       ",",
		Prefix:          "v1=",
		DedupeIDFields:  []string{"body.data.event.id"},
	}
}

// Shopify signs with the app's client secret.
//
// Source: https://shopify.dev/docs/apps/build/webhooks/subscribe/https
func Shopify() Signature {
	return Signature{
		SignatureFields: []string{"headers.X-Shopify-Hmac-Sha256"},
		Encoding:        EncodingBase64,
		DedupeIDFields:  []string{"headers.X-Shopify-Webhook-Id", "headers.X-Shopify-Event-Id"},
	}
}

// Xero signs with the webhook key, which is used as it is although it looks like base64.
// Its check of the endpoint sends forged events too, and wants 401 for those.
//
// Source: https://developer.xero.com/documentation/guides/webhooks/configuring-your-server
func Xero() Signature {
	return Signature{
		SignatureFields: []string{"headers.X-Xero-Signature"},
		Encoding:        EncodingBase64,
		Handshake: Handshake{
			When: map[string]string{"body.data.firstEventSequence": "0", "body.data.lastEventSequence": "0"},
		},
	}
}

// DocuSign signs with each HMAC key of the account, one header a key, up to 100.
//
// Source: https://developers.docusign.com/docs/platform/webhooks/connect/validate
func DocuSign() Signature {
	return Signature{
		SignatureFields: []string{"headers.X-DocuSign-Signature-*"},
		Encoding:        EncodingBase64,
	}
}

// Twitter signs with the app's consumer secret, and checks the endpoint with a challenge
// response check (CRC).
//
// Source: https://docs.x.com/x-api/webhooks/introduction
func Twitter() Signature {
	return Signature{
		SignatureFields: []string{"headers.X-Twitter-Webhooks-Signature"},
		Prefix:          "sha256=",
		Encoding:        EncodingBase64,
		Handshake: Handshake{
			Method:         "GET",
			Unsigned:       true,
			ChallengeField: "queryParameters.crc_token",
			Reply:          `{"response_token":"sha256={hmac}"}`,
			ContentType:    jsonContentType,
		},
	}
}
