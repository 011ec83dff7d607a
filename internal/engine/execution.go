package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/store"
)

// execution is one attempt of an execution in this process.
type execution struct {
	engine  *Engine
	target  Target
	record  *store.Execution
	payload *sluice.TriggerPayload
	attempt int
	started time.Time
	values  map[string]any
	logs    logBuffer
	journal journal
	// state holds the changes of the code that was called last, and changes those to commit
	// with the acceptance.
	state   *stateBuffer
	changes []store.StateChange
	marks   payloadMarks
	// steps are on record from before it is accepted.
	steps     []*store.Step
	dedupeKey string
	// skip is why the execution is put on record only; empty is not.
	skip string
	// hidden says that the payload holds nothing any more that only the trigger may see.
	hidden bool
	// deliveryID is the sender's id of a signed request; empty is none.
	deliveryID string
	// room is what it takes of the engine.
	room *room
	// told holds the ids of failed executions that the flow has called and was told of.
	told sync.Map
	// executing is set when the flow itself runs: durable calls work from then on.
	executing bool

	// cancel ends a run without an instance that asks for what only instances have.
	cancel context.CancelCauseFunc

	// finishing is set by who ends the attempt: the first.
	finishing atomic.Bool
	// done is closed when the outcome is known and recorded; reply and err are set then.
	done  chan struct{}
	reply *Reply
	err   error

	mu sync.Mutex
	// claim and its tenure are nil until the execution is accepted. lost says that it was
	// accepted without one.
	claim  *store.Claim
	tenure *tenure
	lost   bool
	// interrupt ends what runs; nil until it does.
	interrupt context.CancelCauseFunc
	// over is set as soon as the outcome is known: nothing is accepted after that.
	over bool
	// wake is when a suspended execution runs again; zero if it is not suspended.
	wake time.Time
	// callerUntil is how long a caller waits for a synchronous execution.
	callerUntil time.Time
}

// newExecution prepares an execution that is not accepted yet.
func (e *Engine) newExecution(target Target, invoke sluice.InvokeType) (*execution, error) {
	id := target.prelude.executionID()
	if id == "" {
		drawn, err := uuid.NewV7()
		if err != nil {
			return nil, err
		}
		id = drawn.String()
	}
	x, err := e.prepare(target, &store.Execution{
		ID:          id,
		Integration: target.definition.integration.Name, Version: target.version(),
		Customer: target.customer().ID, User: target.user, Instance: target.instance().ID,
		Flow: target.flow().ID, InvokeType: string(invoke), Lane: target.lane(),
	}, 1)
	if err == nil && target.prelude != nil {
		x.steps = []*store.Step{target.prelude.step}
		x.logs.copyFrom(target.prelude.logs)
		x.changes = target.prelude.changes
	}
	return x, err
}

func (e *Engine) prepare(target Target, record *store.Execution, attempt int) (*execution, error) {
	var values map[string]any
	if target.Instance != nil {
		var err error
		if values, err = target.Instance.config(); err != nil {
			e.options.Logger.ErrorContext(e.work, "an instance cannot be served", "error", err)
			return nil, err
		}
	}
	return &execution{
		engine: e, target: target, record: record, attempt: attempt, values: values,
		started: time.Now().UTC(), done: make(chan struct{}), state: &stateBuffer{},
	}, nil
}

// newRun is the run that user code receives, and the context to call it with.
func (x *execution) newRun(ctx context.Context, payload *sluice.TriggerPayload) (context.Context, *sluice.Run) {
	payload.ExecutionID = x.record.ID
	payload.Customer = x.target.customer()
	payload.Instance = x.target.instance()
	// Until users have records of their own, their external id is their id.
	payload.User = sluice.UserAttributes{ID: x.record.User, ExternalID: x.record.User}
	payload.Integration = x.target.integration()
	payload.Flow = x.target.flow()
	payload.WebhookURLs = maps.Clone(x.target.webhookURLs()) // User code may change its own.
	payload.WebhookAPIKeys = cloneKeys(x.target.apiKeys())
	x.state = &stateBuffer{}
	return sluice.NewRun(ctx, sluice.Run{
		ExecutionID:    x.record.ID,
		Attempt:        x.attempt,
		InvokeType:     sluice.InvokeType(x.record.InvokeType),
		StartedAt:      x.started,
		Payload:        payload,
		Deployment:     x.deployment(payload),
		Batch:          x.batchOf(),
		Customer:       payload.Customer,
		Instance:       payload.Instance,
		User:           payload.User,
		Integration:    payload.Integration,
		Flow:           payload.Flow,
		WebhookURLs:    payload.WebhookURLs,
		WebhookAPIKeys: payload.WebhookAPIKeys,
		Logger:         x.logger(),
	}, x.engine.client, &unit{x: x, state: x.state})
}

// deployment tells why the execution runs, if a change of its instance brought it about.
func (x *execution) deployment(payload *sluice.TriggerPayload) (attributes sluice.DeploymentAttributes) {
	switch sluice.InvokeType(x.record.InvokeType) {
	case sluice.InvokeDeploy, sluice.InvokeRemove, sluice.InvokeOnInstanceDeploy, sluice.InvokeOnInstanceDelete,
		sluice.InvokeWebhookCreate, sluice.InvokeWebhookDelete:
		_ = payload.Body.Decode(&attributes) // It was encoded from them.
		return attributes
	default:
		return attributes
	}
}

func cloneKeys(keys map[string][]string) map[string][]string {
	clone := make(map[string][]string, len(keys))
	for flow, live := range keys {
		clone[flow] = slices.Clone(live)
	}
	return clone
}

func (x *execution) configVar(key string) (any, bool) {
	if x.target.Instance == nil {
		x.cancel(&InstanceError{What: fmt.Sprintf("config variable %q", key)})
	}
	value, ok := x.values[key]
	return value, ok
}
