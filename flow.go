package sluice

import (
	"context"

	"github.com/sluice-go/sluice/internal/casing"
)

// TriggerType says what starts a flow.
type TriggerType string

// The trigger types of a flow. The zero value is [TriggerTypeStandard].
const (
	// TriggerTypeStandard is a flow that starts by webhook or on a schedule.
	TriggerTypeStandard TriggerType = "standard"
	// TriggerTypePolling is a flow that runs on a schedule and asks another system for changes.
	// It needs a Schedule and a trigger.
	TriggerTypePolling TriggerType = "polling"
)

// Flow is one flow of an integration: what starts it and what it does. Write it as a
// literal. Name, StableKey and OnExecution are required; every other field's zero value
// is spectral's default.
type Flow struct {
	// Name is shown to people and routed by on shared endpoints. It is unique among the
	// integration's flows, also after [FlowKey].
	Name string
	// StableKey identifies the flow for ever, also when Name changes. Never reuse one.
	StableKey string
	// Description is shown to people.
	Description string

	// TriggerType is standard by default. A polling flow needs a Schedule and a trigger.
	TriggerType TriggerType
	// Schedule runs the flow at set times; nil means it runs by webhook only.
	Schedule *Schedule
	// IsSynchronous makes callers wait for the flow's result by default. The request
	// header prismatic-synchronous overrules it.
	IsSynchronous bool
	// IsAgentFlow offers the flow as a tool to AI agents. It needs Schemas.
	IsAgentFlow bool

	// OnTrigger turns the request's payload into what the flow receives, answers the
	// caller, or refuses. Nil passes the payload on unchanged.
	OnTrigger TriggerFunc
	// Trigger is anything else that starts a flow: a component's trigger, a batch, a
	// configured response, a signature check, or a deployment. It excludes OnTrigger.
	Trigger Trigger
	// OnDeployTrigger runs once, when an instance is first deployed, beside OnTrigger;
	// often to backfill what webhooks will never tell. It needs OnTrigger.
	OnDeployTrigger TriggerFunc
	// BatchConfig splits the items of a BatchTrigger over executions.
	BatchConfig *BatchConfig
	// RunInitialSyncOnDeploy runs a component trigger's initial sync, its OnDeployTrigger, on
	// first deployment.
	// A BatchTrigger with OnDeploy needs no such flag.
	RunInitialSyncOnDeploy bool

	// OnExecution is what the flow does.
	OnExecution ExecutionFunc

	// RetryConfig runs a failed asynchronous execution again; nil means never.
	RetryConfig *RetryConfig
	// QueueConfig orders or limits the flow's executions, per instance. Nil is
	// [ParallelQueueConfig].
	QueueConfig QueueConfig
	// ErrorConfig is the default of the flow's trigger and steps for errors; nil fails.
	ErrorConfig *StepErrorConfig

	// EndpointSecurityType says which API key callers owe. The zero value is
	// [EndpointSecurityCustomerOptional].
	EndpointSecurityType EndpointSecurityType
	// OrganizationAPIKeys are the keys accepted on every instance when the security type
	// is organization.
	OrganizationAPIKeys []string
	// TestAPIKeys are the keys of test instances, published with the integration.
	TestAPIKeys []string
	// PreprocessFlowConfig makes this the flow that routes requests to other flows by its
	// result. At most one flow of an integration has it.
	PreprocessFlowConfig *PreprocessFlowConfig
	// Schemas describe the flow's input (Invoke) and output. Input is validated against
	// Invoke when it is given, and so are batches of one item; lists are not.
	Schemas *FlowSchemas

	// OnInstanceDeploy runs whenever an instance is deployed, configured anew or upgraded.
	OnInstanceDeploy LifecycleFunc
	// OnInstanceDelete runs when an instance is deleted.
	OnInstanceDelete LifecycleFunc
	// WebhookLifecycleHandlers put the flow's webhook up in another system, and take it down.
	WebhookLifecycleHandlers *WebhookLifecycleHandlers

	// decodes tells whether a payload fits the input of a typed flow, and fault what Define
	// found wrong.
	decodes func(payload *TriggerPayload) error
	fault   string
}

// FlowKey is what a flow's functions are called in the manifest: the ASCII words of its
// name, camel-cased. Two flows of an integration must not share one.
func FlowKey(name string) string { return casing.Flow(name) }

// ExecutionFunc is what a flow does. ctx ends with the execution's time-out, its
// cancellation or the loss of its lease; run tells what it runs for. The Result answers
// synchronous callers and stands in the record; nil is an empty one. An error fails the
// attempt: see [Permanent], [RetryAfter] and [Reject] for errors that say more.
type ExecutionFunc func(ctx context.Context, run *Run) (*Result, error)

// LifecycleFunc is called when an instance is deployed or deleted, or its webhooks go up
// or down. An error fails the deployment. It must be idempotent: it may be called again.
type LifecycleFunc func(ctx context.Context, run *Run) (*LifecycleResult, error)

// LifecycleResult is what a LifecycleFunc hands back; nil is an empty one.
type LifecycleResult struct{}

// WebhookLifecycleHandlers register and deregister a flow's webhook in another system.
// Both are required.
type WebhookLifecycleHandlers struct {
	// Create is called when the flow's webhook URL starts to answer.
	Create LifecycleFunc
	// Delete is called before it stops to answer.
	Delete LifecycleFunc
}

// Result is what an execution hands back. The zero value answers 200 with the JSON null.
type Result struct {
	// Data is the result: any value that encoding/json takes; a string or []byte is
	// sent as it is when ContentType says something other than JSON. A result of more than
	// 50,000,000 bytes fails the execution: hand out where it can be fetched instead.
	Data any
	// ContentType of the answer to a synchronous caller; application/json by default.
	ContentType string
	// StatusCode of the answer to a synchronous caller, 200 to 599; 200 by default. A result
	// with a status code is sent directly, never by way of a result URL.
	StatusCode int
	// Headers of the answer to a synchronous caller, one value a name. Content-Length,
	// Transfer-Encoding, headers of the connection and prismatic-executionid are not for a
	// flow to set: they fail the execution, and so do control characters.
	Headers map[string]string
}
