package sluice

import "time"

// The presets in this file sign the URL. It must be the one that the provider was given,
// also behind a proxy: so it is built from configuration, never from the Host header.

// TwilioForm signs a form post with the account's auth token: the URL and the form's fields.
//
// Source: https://www.twilio.com/docs/usage/webhooks/webhooks-security
func TwilioForm() Signature {
	s := TwilioJSON()
	s.Template = "{url}{form}"
	return s
}

// TwilioJSON signs the URL with the account's auth token; the URL holds the digest of the
// body.
//
// Source: https://www.twilio.com/docs/usage/webhooks/webhooks-security
func TwilioJSON() Signature {
	return Signature{
		SignatureFields:     []string{"headers.X-Twilio-Signature"},
		Algorithm:           HMACSHA1,
		Encoding:            EncodingBase64,
		Template:            "{url}",
		BodyDigestParameter: "bodySHA256",
		AnyPort:             true,
		DedupeIDFields:      []string{"headers.I-Twilio-Idempotency-Token"},
	}
}

// Square signs the notification URL and the body with the subscription's signature key.
//
// Source: https://developer.squareup.com/docs/webhooks/step3validate
func Square() Signature {
	return Signature{
		SignatureFields: []string{"headers.X-Square-HmacSha256-Signature"},
		Encoding:        EncodingBase64,
		Template:        "{url}{body}",
		DedupeIDFields:  []string{"body.data.event_id"},
	}
}

// HubSpotV1 hashes the app's client secret with the body. Prefer HubSpotV3.
//
// Source: https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation
func HubSpotV1() Signature {
	return Signature{
		SignatureFields: []string{"headers.X-HubSpot-Signature"},
		Algorithm:       PlainSHA256,
		Template:        "{secret}{body}",
		RequiredHeaders: map[string]string{"X-HubSpot-Signature-Version": "v1"},
	}
}

// HubSpotV2 hashes the app's client secret with the method, the URL and the body. Prefer
// HubSpotV3.
//
// Source: https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation
func HubSpotV2() Signature {
	return Signature{
		SignatureFields: []string{"headers.X-HubSpot-Signature"},
		Algorithm:       PlainSHA256,
		Template:        "{secret}{method}{url}{body}",
		RequiredHeaders: map[string]string{"X-HubSpot-Signature-Version": "v2"},
	}
}

// HubSpotV3 signs the method, the URL, the body and the sending time with the app's client
// secret.
//
// Source: https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation
func HubSpotV3() Signature {
	return Signature{
		SignatureFields: []string{"headers.X-HubSpot-Signature-v3"},
		Encoding:        EncodingBase64,
		Template:        "{method}{hubspotURL}{body}{timestamp}",
		TimestampFields: []string{"headers.X-HubSpot-Request-Timestamp"},
		TimestampFormat: TimestampUnixMilli,
		Tolerance:       5 * time.Minute,
	}
}
