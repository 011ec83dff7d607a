package runtime_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
)

// goldenDeployment is the instance that golden files call.
var goldenDeployment = runtime.Deployment{Customer: runtime.Customer{ExternalID: "cust_123", Name: "Customer"}}

// goldenIntegration has the flows that golden files call. Most do what the body of the
// request says.
func goldenIntegration() *sluice.Integration {
	return &sluice.Integration{Name: "Golden", Version: "1.0.0", Flows: []sluice.Flow{
		{Name: "Echo", StableKey: "echo", OnExecution: goldenEcho},
		{Name: "Payload", StableKey: "payload", IsSynchronous: true, OnExecution: answerPayload},
		{Name: "Answer", StableKey: "answer", IsSynchronous: true, OnExecution: answerAsTold},
		{Name: "Widget", StableKey: "widget", IsSynchronous: true, OnExecution: failToFindWidget},
		{Name: "Note", StableKey: "note", IsSynchronous: true, OnExecution: answerWith(&sluice.Result{
			Data: "<note>\n<body>Don't forget me this weekend!</body>\n</note>", ContentType: "application/xml",
		})},
		{Name: "Unsupported", StableKey: "unsupported", OnExecution: answerWith(&sluice.Result{StatusCode: 415})},
		{Name: "Elsewhere", StableKey: "elsewhere", OnExecution: answerWith(&sluice.Result{
			Data: "Redirecting you...", StatusCode: 303, Headers: map[string]string{"Location": "https://example.com/done"},
		})},
		{Name: "Trigger", StableKey: "trigger", OnTrigger: triggerAsTold, OnExecution: goldenEcho},
		{Name: "Configured", StableKey: "configured", OnExecution: goldenEcho, Trigger: sluice.WebhookTrigger{
			StatusCode: 202, ContentType: "text/plain", Headers: map[string]string{"X-Custom": "yes"}, Body: "Thank you.",
		}},
		{
			Name: "Configured status", StableKey: "configured-status", OnExecution: goldenEcho,
			Trigger: sluice.WebhookTrigger{StatusCode: 201, ContentType: "text/plain"},
		},
		{
			Name: "Keyed", StableKey: "keyed", OnExecution: goldenEcho,
			EndpointSecurityType: sluice.EndpointSecurityOrganization, OrganizationAPIKeys: []string{"the-key-of-the-organization"},
		},
		{
			Name: "Signed", StableKey: "signed", OnExecution: goldenEcho,
			Trigger: sluice.HMACTrigger{Signature: plainHMAC, Secrets: []string{seedSecret}},
		},
		{Name: "Once", StableKey: "once", OnExecution: goldenEcho, QueueConfig: sluice.StandardQueueConfig{DedupeIDField: "body.data.id"}},
		{
			Name: "Answered once", StableKey: "answered-once", OnTrigger: triggerAsTold, OnExecution: goldenEcho,
			QueueConfig: sluice.StandardQueueConfig{DedupeIDField: "body.data.id"},
		},
	}}
}

// eventRouter is seed 002's example of an endpoint for all flows of an instance.
func eventRouter() *sluice.Integration {
	return &sluice.Integration{
		Name: "Event Router", EndpointType: sluice.EndpointInstanceSpecific,
		TriggerPreprocessFlowConfig: &sluice.PreprocessFlowConfig{FlowNameField: "body.data.event"},
		Flows:                       echoFlows("order.created", "order.updated"),
	}
}

// goldenEcho answers with the body: JSON byte for byte.
func goldenEcho(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
	raw := run.Payload.RawBody
	if raw.ContentType == "application/json" {
		return &sluice.Result{Data: json.RawMessage(raw.Data)}, nil
	}
	return &sluice.Result{Data: run.Payload.Body.Data()}, nil
}

// answerPayload answers with what the payload has of the request.
func answerPayload(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
	p := run.Payload
	return &sluice.Result{Data: map[string]any{
		"headers": p.Headers, "queryParameters": p.QueryParameters, "pathFragment": p.PathFragment, "invokeUrl": p.InvokeURL,
		"rawBody": p.RawBody, "body": p.Body,
	}}, nil
}

func answerWith(result *sluice.Result) sluice.ExecutionFunc {
	return func(context.Context, *sluice.Run) (*sluice.Result, error) { return result, nil }
}

func failToFindWidget(context.Context, *sluice.Run) (*sluice.Result, error) {
	return nil, errors.New("The widget requested is not in the database")
}

// told is what a request tells a flow or its trigger to do.
type told struct {
	Sleep  int // Seconds.
	Panic  string
	Error  string
	Reject int
	Stop   bool
	// Size asks for so many bytes of text, or of no text if Binary.
	Size   int
	Binary bool

	Data        any
	Body        string
	StatusCode  int
	ContentType string
	Headers     map[string]string
}

// obey does what tells of failure.
func obey(payload *sluice.TriggerPayload) (*told, error) {
	var do told
	if err := payload.Body.Decode(&do); err != nil {
		return nil, err
	}
	time.Sleep(time.Duration(do.Sleep) * time.Second)
	switch {
	case do.Panic != "":
		panic(do.Panic)
	case do.Reject != 0:
		return nil, sluice.Reject(do.Reject, do.Error)
	case do.Error != "":
		return nil, errors.New(do.Error)
	default:
		return &do, nil
	}
}

func answerAsTold(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
	do, err := obey(run.Payload)
	if err != nil {
		return nil, err
	}
	result := &sluice.Result{Data: do.Data, StatusCode: do.StatusCode, ContentType: do.ContentType, Headers: do.Headers}
	switch text := bytes.Repeat([]byte("x"), do.Size); {
	case do.Binary:
		result.Data = text
	case do.Size > 0:
		result.Data = string(text)
	}
	return result, nil
}

func triggerAsTold(_ context.Context, _ *sluice.Run, payload *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
	do, err := obey(payload)
	if err != nil {
		return nil, err
	}
	result := &sluice.TriggerResult{Stop: do.Stop}
	if do.Stop || do.StatusCode != 0 {
		result.Response = &sluice.HTTPResponse{StatusCode: do.StatusCode, ContentType: do.ContentType, Headers: do.Headers, Body: do.Body}
	}
	return result, nil
}
