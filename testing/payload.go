package sluicetest

import (
	"bytes"
	"maps"
	"net/http"
	"time"

	"github.com/sluice-go/sluice"
)

// DefaultTriggerPayload is the request that [InvokeFlow] sends when it is told of no other:
// spectral's defaultTriggerPayload, but with the body as production has it. There rawBody.data is
// an object and body.data a JSON text; here RawBody holds the bytes and Body the parsed JSON.
func DefaultTriggerPayload() sluice.TriggerPayload {
	const contentType = "application/json"
	body := []byte(`{"foo":"bar"}`)
	return sluice.TriggerPayload{
		Headers:         sluice.Headers{"content-type": {contentType}},
		QueryParameters: sluice.QueryParameters{},
		RawBody:         sluice.RawBody{Data: body, ContentType: contentType},
		Body:            sluice.StoredBody(contentType, body),
		WebhookURLs:     map[string]string{"Flow 1": "https://example.com"},
		WebhookAPIKeys:  map[string][]string{"Flow 1": {"example-123", "example-456"}},
		InvokeURL:       "https://example.com",
		ExecutionID:     "executionId",
		Customer:        sluice.CustomerAttributes{ID: "customerId", Name: "Customer 1", ExternalID: "1234"},
		Instance:        sluice.InstanceAttributes{ID: "instanceId", Name: "Instance 1"},
		User:            sluice.UserAttributes{ID: "userId", Email: "user@example.com", Name: "User 1", ExternalID: "1234"},
		Integration: sluice.IntegrationAttributes{
			ID: "integrationId", Name: "Integration 1", VersionSequenceID: "1234", ExternalVersion: "1.0.0",
		},
		Flow:      sluice.FlowAttributes{ID: "flowId", Name: "Flow 1", StableID: "flowStableId"},
		StartedAt: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC),
	}
}

// request turns a payload into the request that brings it about, at the URL of a flow. What the
// payload leaves out is that of [DefaultTriggerPayload].
func (h *Harness) request(url string, payload sluice.TriggerPayload) *http.Request {
	h.t.Helper()
	missing := DefaultTriggerPayload()
	body, contentType := payload.RawBody.Data, payload.RawBody.ContentType
	if body == nil {
		var err error
		if body, err = payload.Body.Bytes(); err != nil {
			h.t.Fatal(err)
		}
		contentType = payload.Body.ContentType()
	}
	if body == nil {
		body, contentType = missing.RawBody.Data, missing.RawBody.ContentType
	}
	if payload.PathFragment != "" {
		url += "/" + payload.PathFragment
	}
	request, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	query := request.URL.Query()
	maps.Copy(query, payload.QueryParameters)
	request.URL.RawQuery = query.Encode()
	for name, values := range payload.Headers {
		for _, value := range values {
			request.Header.Add(name, value)
		}
	}
	if request.Header.Get("Content-Type") == "" {
		request.Header.Set("Content-Type", contentType)
	}
	if payload.GlobalDebug {
		request.Header.Set("Prismatic-Debug", "true")
	}
	return request
}
