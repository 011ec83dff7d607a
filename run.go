package sluice

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/sluice-go/sluice/internal/host"
)

// Run is what user code receives beside its context: what it runs for, and with what.
// Durable calls such as [Step] take the context; the run is for reading.
type Run struct {
	// ExecutionID is the execution's id. It is the same for every attempt.
	ExecutionID string
	// Attempt is the number of attempts that ended, and this one: 1 for the first. A run
	// that a crash or a stop of the process cuts short ends none, so it may run again with
	// the same number.
	Attempt int
	// InvokeType says what started the execution.
	InvokeType InvokeType
	// StartedAt is when this attempt started, in UTC.
	StartedAt time.Time
	// Payload is what started the flow, as its trigger left it: what spectral calls
	// params.onTrigger.results.
	Payload *TriggerPayload
	// Deployment tells hooks, and flows that a deployment or a removal starts, why they run.
	Deployment DeploymentAttributes
	// Batch tells of the batch of a [BatchTrigger] that the flow receives.
	Batch BatchAttributes
	// Customer, Instance, User, Integration and Flow tell what is executed, for whom.
	Customer    CustomerAttributes
	Instance    InstanceAttributes
	User        UserAttributes
	Integration IntegrationAttributes
	Flow        FlowAttributes
	// WebhookURLs holds the URL of each flow of the instance, by flow name.
	WebhookURLs map[string]string
	// WebhookAPIKeys holds the API keys of each flow, by flow name: the organization's keys
	// or the instance's, as the flow's EndpointSecurityType says. Customers' keys are among
	// them only if the runtime has master keys; a flow without any has an empty list.
	WebhookAPIKeys map[string][]string
	// Logger writes to the execution's record, and to the runtime's logger.
	Logger *slog.Logger

	client *http.Client
	host   host.Run
}

// InvokeType says what started an execution.
type InvokeType string

// What starts an execution.
const (
	// InvokeWebhook is a request to an endpoint.
	InvokeWebhook InvokeType = "webhook"
	// InvokeSchedule is the schedule of a flow.
	InvokeSchedule InvokeType = "schedule"
	// InvokePoll is the schedule of a polling flow.
	InvokePoll InvokeType = "poll"
	// InvokeCrossFlow is a call of another flow: see [FlowRef].
	InvokeCrossFlow InvokeType = "crossFlow"
	// InvokeBatch is a page of a [BatchTrigger]: the execution receives a batch of its items.
	InvokeBatch InvokeType = "batch"
	// InvokeDeploy and InvokeRemove are the deployment and the removal of an instance: of
	// flows with an [InstanceDeployTrigger] or an [InstanceRemoveTrigger].
	InvokeDeploy InvokeType = "deploy"
	InvokeRemove InvokeType = "remove"
	// InvokeOnInstanceDeploy and the following are runs of the hook of that name. Each is on
	// record as an execution of its flow that is over at once.
	InvokeOnInstanceDeploy InvokeType = "onInstanceDeploy"
	InvokeOnInstanceDelete InvokeType = "onInstanceDelete"
	InvokeWebhookCreate    InvokeType = "webhookCreate"
	InvokeWebhookDelete    InvokeType = "webhookDelete"
)

// NewRun binds a run's facts to the engine that executes it, and returns the context to
// call user code with. Only the engine can call it: host is internal.
func NewRun(ctx context.Context, run Run, client *http.Client, engine host.Run) (context.Context, *Run) {
	run.client, run.host = client, engine
	return host.NewContext(ctx, engine), &run
}

// HTTPClient is the way out to other systems: it goes through the runtime's transport, so
// that tests, tracing and guards can stand in it.
func (r *Run) HTTPClient() *http.Client { return r.client }

// ConfigVar returns the value of the config variable key, as deployment validated it. ok
// is false when the instance gives none. A list or a connection among the values is shared
// with other runs and must not be changed; the typed handles (such as [StringVar]) read
// better, and give a list of the caller's own.
func (r *Run) ConfigVar(key string) (value any, ok bool) { return r.host.ConfigVar(key) }
