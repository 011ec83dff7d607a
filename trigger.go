package sluice

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// TriggerFunc sees a request before it is accepted. It may change the payload, answer the
// caller with a response of its own, or refuse the request with an error: the caller gets
// its text with status 400, or that of [Reject]. Nothing is durable yet: Step returns
// ErrNotAccepted. A nil result passes the payload on unchanged.
type TriggerFunc func(ctx context.Context, run *Run, payload *TriggerPayload) (*TriggerResult, error)

// TriggerResult is what a trigger makes of a request.
type TriggerResult struct {
	// Payload is what the flow receives; nil is the payload that the trigger was given.
	Payload *TriggerPayload
	// Response answers the caller at once, also when the flow is synchronous; nil leaves
	// the answer to the runtime.
	Response *HTTPResponse
	// Stop ends here: the Response is sent and nothing is executed. It needs a Response.
	Stop bool
	// PolledNoChanges records that a poll found nothing; OnExecution is not run.
	PolledNoChanges bool
	// DedupeID names the request: within the window of the flow's queue a second one with
	// the same id is not executed.
	DedupeID string
}

// HTTPResponse is an answer to the request that invoked a flow.
type HTTPResponse struct {
	// StatusCode is 200 to 599; 200 by default.
	StatusCode int
	// ContentType of Body; application/json by default.
	ContentType string
	// Headers to add, under the rules of [Result].
	Headers map[string]string
	// Body is sent as it is. When it is empty the body is {"executionId":"…"} as JSON, or
	// stays empty with Stop.
	Body string
}

// TriggerPayload is what started a flow: the request, and whom it concerns. Its JSON form
// has spectral's names.
type TriggerPayload struct {
	// Headers of the request, found in any case.
	Headers Headers `json:"headers"`
	// QueryParameters of the request's URL.
	QueryParameters QueryParameters `json:"queryParameters"`
	// RawBody holds the exact bytes of the request, compressed if they came so.
	RawBody RawBody `json:"rawBody"`
	// Body is the parsed body, after decompression.
	Body Body `json:"body"`
	// PathFragment is what follows the endpoint's URL, without the leading slash.
	PathFragment string `json:"pathFragment"`
	// WebhookURLs holds the URL of each flow of the instance, by flow name.
	WebhookURLs map[string]string `json:"webhookUrls"`
	// WebhookAPIKeys holds the API keys of each flow, by flow name: see [Run]. They are not
	// stored with the payload.
	WebhookAPIKeys map[string][]string `json:"webhookApiKeys"`
	// InvokeURL is the URL that was called.
	InvokeURL string `json:"invokeUrl"`
	// ExecutionID is the execution's id.
	ExecutionID string `json:"executionId"`
	// Customer whose instance this is.
	Customer CustomerAttributes `json:"customer"`
	// Instance that is executed.
	Instance InstanceAttributes `json:"instance"`
	// User whose configuration is used, on user-level endpoints.
	User UserAttributes `json:"user"`
	// Integration that is executed.
	Integration IntegrationAttributes `json:"integration"`
	// Flow that is executed.
	Flow FlowAttributes `json:"flow"`
	// StartedAt is when the request arrived, in UTC.
	StartedAt time.Time `json:"startedAt"`
	// DueAt is when the run of a schedule was due, in UTC; zero if no schedule started it.
	DueAt time.Time `json:"dueAt,omitzero"`
	// GlobalDebug asks for debug output (header prismatic-debug).
	GlobalDebug bool `json:"globalDebug"`
	// PaginationState is the cursor that the previous page of a batch returned.
	PaginationState json.RawMessage `json:"paginationState,omitempty"`
}

// Lookup finds a field of the payload by its path: body.data.…, headers.…,
// queryParameters.… or pathFragment. A missing value and null are the same: ok is false. A
// path that leads to a list or an object is an error.
func (p *TriggerPayload) Lookup(path FieldPath) (value string, ok bool, err error) {
	root, rest, _ := path.cut()
	switch root {
	case "body":
		if member, rest, ok := rest.cut(); ok && member == "data" {
			return p.Body.Lookup(rest)
		}
		return "", false, nil
	case "headers":
		return rest.Lookup(p.Headers)
	case "queryParameters":
		return rest.Lookup(p.QueryParameters)
	case "pathFragment":
		return rest.Lookup(p.PathFragment)
	default:
		return "", false, fmt.Errorf("sluice: field path %q: a payload has body.data, headers, queryParameters and pathFragment", path)
	}
}

// CustomerAttributes tells whose instance is executed.
type CustomerAttributes struct {
	// ID is Sluice's own, ExternalID is yours.
	ID         string `json:"id"`
	ExternalID string `json:"externalId"`
	Name       string `json:"name"`
}

// InstanceAttributes tells which instance is executed.
type InstanceAttributes struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// UserAttributes tells whose user-level configuration is used.
type UserAttributes struct {
	ID         string `json:"id"`
	Email      string `json:"email"`
	Name       string `json:"name"`
	ExternalID string `json:"externalId"`
}

// IntegrationAttributes tells which version of which integration is executed.
type IntegrationAttributes struct {
	ID                string `json:"id"`
	Name              string `json:"name"`
	VersionSequenceID string `json:"versionSequenceId"`
	ExternalVersion   string `json:"externalVersion"`
}

// FlowAttributes tells which flow is executed.
type FlowAttributes struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	StableID string `json:"stableId"`
}

// Trigger is anything but a function that starts a flow: [BatchTrigger],
// [ComponentTrigger], [WebhookTrigger], [HMACTrigger], [InstanceDeployTrigger] and
// [InstanceRemoveTrigger]. The interface is sealed.
type Trigger interface {
	trigger()
}

// WebhookTrigger answers asynchronous callers with a configured response instead of the
// execution id (seed 001, "Webhook trigger responses").
type WebhookTrigger struct {
	// StatusCode is 200 by default.
	StatusCode int
	// ContentType of Body; application/json by default.
	ContentType string
	// Headers to add.
	Headers map[string]string
	// Body is sent as it is; empty means {"executionId":"…"}.
	Body string
}

func (WebhookTrigger) trigger() {}

// InstanceDeployTrigger runs its flow whenever an instance is deployed, configured anew or
// upgraded (seed 001, "Instance deploy trigger"): after all OnInstanceDeploy, and beside what
// follows. Nobody else can start the flow: it has no webhook URL. Its run has the reason as
// [Run].Deployment.
type InstanceDeployTrigger struct{}

func (InstanceDeployTrigger) trigger() {}

// InstanceRemoveTrigger runs its flow when an instance is deleted (seed 001, "Instance remove
// trigger"): when the webhooks are down, before any OnInstanceDelete. The removal waits for
// its end, with its retries, for up to five minutes. Nobody else can start the flow.
type InstanceRemoveTrigger struct{}

func (InstanceRemoveTrigger) trigger() {}
