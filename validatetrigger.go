package sluice

import (
	"mime"
	"net/http"

	"github.com/sluice-go/sluice/internal/headers"
	"github.com/sluice-go/sluice/internal/variant"
)

// trigger checks what starts a flow.
func (v *validator) trigger(path string, flow *Flow) {
	trigger := variant.Of(flow.Trigger)
	if trigger == nil && flow.Trigger != nil {
		v.add(path+".trigger", "a nil pointer is no trigger")
	}
	if trigger != nil && flow.OnTrigger != nil {
		v.add(path+".trigger", "a flow has either an onTrigger or a trigger, not both")
	}
	if flow.TriggerType == TriggerTypePolling {
		v.polling(path, flow, trigger)
	}
	batcher, batched := trigger.(Batcher)
	switch trigger := trigger.(type) {
	case ComponentTrigger:
		v.componentTrigger(path+".trigger", trigger)
	case WebhookTrigger:
		v.webhookTrigger(path+".trigger", trigger)
	case HMACTrigger:
		v.hmacTrigger(path+".trigger", trigger)
	case InstanceDeployTrigger, InstanceRemoveTrigger:
		v.managementTrigger(path, flow)
	}
	if batched {
		v.batchTrigger(path, flow, batcher)
	} else if flow.BatchConfig != nil {
		v.add(path+".batchConfig", "a batch config needs a BatchTrigger as the flow's trigger")
	}
	if flow.OnDeployTrigger != nil && flow.OnTrigger == nil {
		v.add(path+".onDeployTrigger", "an onDeployTrigger needs an onTrigger beside it")
	}
	if _, component := trigger.(ComponentTrigger); flow.RunInitialSyncOnDeploy && !component && !batched {
		v.add(path+".runInitialSyncOnDeploy", "an initial sync needs a ComponentTrigger or a BatchTrigger")
	}
}

func (v *validator) polling(path string, flow *Flow, trigger any) {
	if flow.Schedule == nil {
		v.mirror(path+".schedule", "%s is marked as a polling trigger but has no schedule. Polling triggers require a schedule.", flow.Name)
	}
	if flow.OnTrigger != nil {
		return
	}
	switch trigger.(type) {
	case ComponentTrigger, Batcher:
	default:
		v.add(path+".onTrigger", "a polling flow needs an onTrigger, a BatchTrigger or a ComponentTrigger that polls")
	}
}

func (v *validator) batchTrigger(path string, flow *Flow, batcher Batcher) {
	if onTrigger, _ := batcher.Has(); !onTrigger {
		v.add(path+".trigger.onTrigger", "a function is required")
	}
	if flow.OnDeployTrigger != nil {
		v.add(path+".onDeployTrigger", "a BatchTrigger has its own OnDeploy")
	}
	config := flow.BatchConfig
	if config == nil {
		v.mirror(path+".batchConfig", "%s defines a triggerResolver/onDeployResolver but no batchConfig. Add `batchConfig: { batchSize }` to the flow.", flow.Name)
		return
	}
	if limit := config.ConcurrentBatchLimit; limit != nil && *limit < 1 {
		v.mirror(path+".batchConfig.concurrentBatchLimit", "%s has an invalid batchConfig concurrentBatchLimit of %d. concurrentBatchLimit must be an integer >= 1.", flow.Name, *limit)
	}
	if config.BatchSize < 1 {
		v.mirror(path+".batchConfig.batchSize", "%s has an invalid batchConfig batchSize of %d. batchSize must be an integer >= 1.", flow.Name, config.BatchSize)
	}
}

// managementTrigger checks a flow that a deployment starts: nobody calls it and no clock
// does.
func (v *validator) managementTrigger(path string, flow *Flow) {
	if flow.Schedule != nil {
		v.add(path+".schedule", "a deployment starts the flow: it takes no schedule")
	}
	if flow.IsSynchronous {
		v.add(path+".isSynchronous", "a deployment starts the flow: it has no caller that waits")
	}
	if isFIFO(flow.QueueConfig) {
		v.add(path+".queueConfig", "a deployment starts the flow: it cannot be queued")
	}
	if flow.PreprocessFlowConfig != nil {
		v.add(path+".preprocessFlowConfig", "a deployment starts the flow: it routes no requests")
	}
}

func (v *validator) webhookTrigger(path string, trigger WebhookTrigger) {
	if trigger.StatusCode != 0 {
		v.between(path+".statusCode", trigger.StatusCode, 200, 599)
	}
	if (trigger.StatusCode == http.StatusNoContent || trigger.StatusCode == http.StatusNotModified) && trigger.Body != "" {
		v.add(path+".body", "an answer with status %d has no body", trigger.StatusCode)
	}
	if trigger.ContentType != "" {
		if _, _, err := mime.ParseMediaType(trigger.ContentType); err != nil || !headers.IsValue(trigger.ContentType) {
			v.add(path+".contentType", "%q is no content type such as text/plain", trigger.ContentType)
		}
	}
	for _, fault := range headers.Faults(trigger.Headers) {
		v.add(path+".headers", "%v", fault)
	}
}
