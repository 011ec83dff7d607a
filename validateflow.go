package sluice

import (
	"maps"
	"slices"

	"github.com/sluice-go/sluice/internal/cron"
	"github.com/sluice-go/sluice/internal/variant"
)

func (v *validator) flows() {
	flowNames, keys, stableKeys := v.unique("the name"), v.unique("the key"), v.unique("the stable key")
	for n := range v.integration.Flows {
		flow, path := &v.integration.Flows[n], at("flows", n)
		if flowNames.take(path+".name", flow.Name) {
			v.flowKey(path, flow.Name, keys)
		}
		stableKeys.take(path+".stableKey", flow.StableKey)
		v.flow(path, flow)
	}
}

// flowKey checks the key that the flow's functions get from its name.
func (v *validator) flowKey(path, name string, keys names) {
	key := FlowKey(name)
	if key == "" {
		v.add(path+".name", "a flow's name needs ASCII letters or digits, of which its key is made")
		return
	}
	keys.take(path+".name", key)
}

func (v *validator) flow(path string, flow *Flow) {
	if flow.OnExecution == nil {
		v.add(path+".onExecution", "a function is required")
	}
	if flow.fault != "" {
		v.add(path+".onExecution", "%s", flow.fault)
	}
	if flow.TriggerType != "" {
		oneOf(v, path+".triggerType", flow.TriggerType, TriggerTypeStandard, TriggerTypePolling)
	}
	v.trigger(path, flow)
	if flow.Schedule != nil {
		v.schedule(path, flow)
	}
	v.queue(path, flow)
	v.retries(path, flow)
	v.security(path, flow)
	v.schemas(path, flow)
	if handlers := flow.WebhookLifecycleHandlers; handlers != nil {
		if handlers.Create == nil {
			v.add(path+".webhookLifecycleHandlers.create", "a function is required")
		}
		if handlers.Delete == nil {
			v.add(path+".webhookLifecycleHandlers.delete", "a function is required")
		}
	}
}

func (v *validator) schedule(path string, flow *Flow) {
	schedule := flow.Schedule
	path += ".schedule"
	switch {
	case schedule.Value != "" && schedule.ConfigVar != "":
		v.add(path, "a schedule has either a value or a configVar, not both")
	case schedule.Value == "" && schedule.ConfigVar == "":
		v.add(path, "a schedule needs a value or a configVar")
	}
	if schedule.Value != "" && !v.mirrored {
		if _, err := cron.Parse(schedule.Value); err != nil {
			v.add(path+".value", "%v", err)
		}
	}
	if schedule.ConfigVar != "" {
		configVar, ok := v.vars[schedule.ConfigVar]
		if !ok {
			v.add(path+".configVar", "there is no config variable %q", schedule.ConfigVar)
		} else if configVar.DataType != DataTypeSchedule || configVar.CollectionType != "" {
			v.add(path+".configVar", "the config variable %q is no schedule", schedule.ConfigVar)
		}
	}
	v.timeZone(path+".timeZone", schedule.TimeZone)
	v.between(path+".catchUp", schedule.CatchUp, 0, maxCatchUp)
	if flow.IsSynchronous {
		v.add(path, "a synchronous flow has a caller that waits: it cannot be scheduled")
	}
}

func (v *validator) timeZone(path, name string) {
	if v.mirrored {
		return
	}
	if _, err := cron.Location(name); err != nil {
		v.add(path, "%v", err)
	}
}

// The limits of concurrent executions (spectral 10.31).
const (
	minConcurrency = 2
	maxConcurrency = 15
)

func (v *validator) queue(path string, flow *Flow) {
	path += ".queueConfig"
	fifo := isFIFO(flow.QueueConfig)
	if fifo && flow.Schedule != nil {
		v.mirror(path, "%s has a schedule & usesFifoQueue set to true. FIFO queues cannot be used with scheduled flows.", flow.Name)
	}
	if fifo && flow.IsSynchronous {
		v.add(path, "a synchronous flow cannot be queued: use ParallelQueueConfig")
	}
	v.fieldPath(path+".dedupeIdField", DedupeIDField(flow.QueueConfig), true)
	switch queue := variant.Of(flow.QueueConfig).(type) {
	case nil:
		if flow.QueueConfig != nil {
			v.add(path, "a nil pointer is no queue config")
		}
	case ThrottledQueueConfig:
		switch {
		case queue.ConcurrencyLimit != 0:
			v.concurrency(path, flow, queue.ConcurrencyLimit)
		case !v.mirrored: // Spectral takes a limit that is left out, as the zero value is.
			v.concurrency(path, flow, 0)
		}
	case StandardQueueConfig:
		if queue.SingletonExecutions && flow.Schedule == nil {
			v.mirror(path+".singletonExecutions", "%s is configured for singletonExecutions but has no schedule. Unscheduled flows cannot be configured for singleton executions.", flow.Name)
		}
		if queue.ConcurrencyLimit != nil {
			v.concurrency(path, flow, *queue.ConcurrencyLimit)
			if !queue.UsesFIFOQueue {
				v.add(path+".concurrencyLimit", "a limit has no effect without usesFifoQueue")
			}
		}
	}
}

func (v *validator) concurrency(path string, flow *Flow, limit int) {
	if limit < minConcurrency || limit > maxConcurrency {
		v.mirror(path+".concurrencyLimit", "%s has an invalid concurrencyLimit of %d. concurrencyLimit must be between %d and %d.", flow.Name, limit, minConcurrency, maxConcurrency)
	}
}

// isFIFO tells whether executions wait for each other.
func isFIFO(config QueueConfig) bool {
	switch queue := variant.Of(config).(type) {
	case ThrottledQueueConfig, SequentialQueueConfig:
		return true
	case StandardQueueConfig:
		return queue.UsesFIFOQueue
	}
	return false
}

func (v *validator) retries(path string, flow *Flow) {
	if retry := flow.RetryConfig; retry != nil {
		v.between(path+".retryConfig.maxAttempts", retry.MaxAttempts, 0, 10)
		v.between(path+".retryConfig.delayMinutes", retry.DelayMinutes, 0, 60)
		v.fieldPath(path+".retryConfig.uniqueRequestIdField", retry.UniqueRequestIDField, true)
		if flow.IsSynchronous {
			v.add(path+".retryConfig", "a synchronous flow is not retried: its caller has the answer")
		}
	}
	if flow.ErrorConfig != nil {
		v.stepErrors(path+".errorConfig", *flow.ErrorConfig)
	}
}

func (v *validator) stepErrors(path string, config StepErrorConfig) {
	oneOf(v, path+".errorHandlerType", config.ErrorHandlerType, ErrorHandlerFail, ErrorHandlerIgnore, ErrorHandlerRetry)
	v.between(path+".maxAttempts", config.MaxAttempts, 0, 5)
	v.between(path+".delaySeconds", config.DelaySeconds, 0, 60)
	only := StepErrorConfig{ErrorHandlerType: config.ErrorHandlerType}
	if config.ErrorHandlerType != ErrorHandlerRetry && config != only {
		v.add(path, "attempts, delays and ignoreFinalError have an effect with the errorHandlerType retry only")
	}
}

func (v *validator) security(path string, flow *Flow) {
	if flow.EndpointSecurityType != "" {
		oneOf(v, path+".endpointSecurityType", flow.EndpointSecurityType,
			EndpointSecurityUnsecured, EndpointSecurityCustomerOptional, EndpointSecurityCustomerRequired, EndpointSecurityOrganization)
	}
	organization := flow.EndpointSecurityType == EndpointSecurityOrganization
	switch {
	case organization && len(flow.OrganizationAPIKeys) == 0:
		v.add(path+".organizationApiKeys", "the security type organization needs at least one key")
	case !organization && len(flow.OrganizationAPIKeys) > 0:
		v.add(path+".organizationApiKeys", "keys belong to the security type organization")
	}
	for n, key := range flow.OrganizationAPIKeys {
		v.required(at(path+".organizationApiKeys", n), key)
	}
	for n, key := range flow.TestAPIKeys {
		v.required(at(path+".testApiKeys", n), key)
	}
}

func (v *validator) schemas(path string, flow *Flow) {
	path += ".schemas"
	if flow.Schemas == nil {
		if flow.IsAgentFlow {
			v.add(path, "an agent flow needs schemas, to tell agents what it takes")
		}
		return
	}
	if v.mirrored {
		return
	}
	if flow.Schemas.Invoke == nil {
		v.add(path+".invoke", "a schema is required")
	}
	v.schema(path+".invoke", flow.Schemas.Invoke, flow.IsAgentFlow)
	v.schema(path+".result", flow.Schemas.Result, flow.IsAgentFlow)
	for _, name := range slices.Sorted(maps.Keys(flow.Schemas.Others)) {
		if name == "" || name == "invoke" || name == "result" {
			v.add(path+".others", "%q is not a name for a further schema", name)
		}
		v.schema(path+"."+name, flow.Schemas.Others[name], flow.IsAgentFlow)
	}
}

func (v *validator) schema(path string, schema *FlowSchema, forAgents bool) {
	if schema == nil {
		return
	}
	if !schema.derived || forAgents {
		for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
			if schema.Properties[name].Description == "" {
				v.add(path+".properties."+name+".description", "a value is required")
			}
		}
	}
	if _, err := schema.compile(); err != nil {
		v.add(path, "%v", err)
	}
}
