package sluice

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/sluice-go/sluice/internal/encode"
)

// Headers are the header fields of a request: for each name, in lower case, its values in the
// order they came. Fill one through NewHeaders, or with lower-case names.
type Headers map[string][]string

// NewHeaders returns h with its names in lower case. It shares the values.
func NewHeaders(h http.Header) Headers {
	headers := make(Headers, len(h))
	for name, values := range h {
		lower := lowerName(name)
		if _, twice := headers[lower]; twice {
			return mergeHeaders(h)
		}
		headers[lower] = values
	}
	return headers
}

// mergeHeaders lower-cases a map that has a name in several cases, always in the same order.
func mergeHeaders(h map[string][]string) Headers {
	headers := make(Headers, len(h))
	for _, name := range slices.Sorted(maps.Keys(h)) {
		lower := lowerName(name)
		headers[lower] = slices.Concat(headers[lower], h[name])
	}
	return headers
}

// Get returns the value of the field, its name in any case, and "" where there is none.
// Several values are joined with ", " (RFC 9110, section 5.3).
func (h Headers) Get(name string) string {
	return strings.Join(h.Values(name), ", ")
}

// Values returns all values of the field, its name in any case.
func (h Headers) Values(name string) []string {
	if values, ok := h[name]; ok {
		return values
	}
	return h[lowerName(name)]
}

// Without returns the headers whose names are not secret, h itself where none is. The names
// that secret is asked about are in lower case, whatever they are in h.
func (h Headers) Without(secret func(name string) bool) Headers {
	for name := range h {
		if secret(lowerName(name)) {
			rest := maps.Clone(h)
			maps.DeleteFunc(rest, func(name string, _ []string) bool { return secret(lowerName(name)) })
			return rest
		}
	}
	return h
}

// MarshalJSON writes an object of the names and what Get returns for each.
func (h Headers) MarshalJSON() ([]byte, error) {
	joined := make(map[string]string, len(h))
	for name, values := range h {
		joined[name] = strings.Join(values, ", ")
	}
	return encode.JSON(joined)
}

// UnmarshalJSON reads an object of names, in any case, and strings or lists of strings.
func (h *Headers) UnmarshalJSON(data []byte) error {
	values, err := unmarshalValues(data)
	if err != nil {
		return fmt.Errorf("sluice: headers: %w", err)
	}
	*h = nil
	if values != nil {
		*h = mergeHeaders(values)
	}
	return nil
}

// unmarshalValues reads an object of strings or lists of strings.
func unmarshalValues(data []byte) (map[string][]string, error) {
	var read map[string]any
	if err := json.Unmarshal(data, &read); err != nil || read == nil {
		return nil, err
	}
	values := make(map[string][]string, len(read))
	for name, one := range read {
		list, isList := one.([]any)
		if !isList {
			list = []any{one}
		}
		values[name] = make([]string, len(list))
		for i, value := range list {
			text, isText := value.(string)
			if !isText {
				return nil, fmt.Errorf("%q must be a string or a list of strings", name)
			}
			values[name][i] = text
		}
	}
	return values, nil
}

// lowerName returns the name in lower case, without allocating where it is a common one.
func lowerName(name string) string {
	if lower, ok := lowerNames[name]; ok {
		return lower
	}
	return strings.ToLower(name)
}

// lowerNames are the names of fields that most webhooks have, as net/http writes them.
var lowerNames = map[string]string{
	"Accept":                "accept",
	"Accept-Encoding":       "accept-encoding",
	"Accept-Language":       "accept-language",
	"Api-Key":               "api-key",
	"Authorization":         "authorization",
	"Cache-Control":         "cache-control",
	"Connection":            "connection",
	"Content-Encoding":      "content-encoding",
	"Content-Length":        "content-length",
	"Content-Type":          "content-type",
	"Cookie":                "cookie",
	"Date":                  "date",
	"Forwarded":             "forwarded",
	"Idempotency-Key":       "idempotency-key",
	"Origin":                "origin",
	"Referer":               "referer",
	"Stripe-Signature":      "stripe-signature",
	"Traceparent":           "traceparent",
	"Tracestate":            "tracestate",
	"User-Agent":            "user-agent",
	"Via":                   "via",
	"Webhook-Id":            "webhook-id",
	"Webhook-Signature":     "webhook-signature",
	"Webhook-Timestamp":     "webhook-timestamp",
	"X-Forwarded-For":       "x-forwarded-for",
	"X-Forwarded-Host":      "x-forwarded-host",
	"X-Forwarded-Port":      "x-forwarded-port",
	"X-Forwarded-Proto":     "x-forwarded-proto",
	"X-Github-Delivery":     "x-github-delivery",
	"X-Github-Event":        "x-github-event",
	"X-Hub-Signature":       "x-hub-signature",
	"X-Hub-Signature-256":   "x-hub-signature-256",
	"X-Real-Ip":             "x-real-ip",
	"X-Request-Id":          "x-request-id",
	"X-Shopify-Hmac-Sha256": "x-shopify-hmac-sha256",
	"X-Shopify-Shop-Domain": "x-shopify-shop-domain",
	"X-Shopify-Topic":       "x-shopify-topic",
	"X-Signature":           "x-signature",

	"X-Slack-Request-Timestamp": "x-slack-request-timestamp",
	"X-Slack-Signature":         "x-slack-signature",

	"Prismatic-Debug":                       "prismatic-debug",
	"Prismatic-Prefer-Direct-Sync-Response": "prismatic-prefer-direct-sync-response",
	"Prismatic-Synchronous":                 "prismatic-synchronous",
}
