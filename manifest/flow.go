package manifest

import (
	"errors"
	"maps"
	"slices"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/internal/variant"
)

func (e *exporter) flow(flow *sluice.Flow) (object, error) {
	o := newObject()
	o.text("name", flow.Name)
	o.text("stableKey", flow.StableKey)
	o.optional("description", flow.Description)
	o.flag("isSynchronous", flow.IsSynchronous)
	o.flag("runInitialSyncOnDeploy", flow.RunInitialSyncOnDeploy)
	o.flag("isAgentFlow", flow.IsAgentFlow)
	if retry := flow.RetryConfig; retry != nil {
		config := newObject()
		config.integer("maxAttempts", retry.MaxAttempts)
		config.integer("delayMinutes", retry.DelayMinutes)
		config.boolean("usesExponentialBackoff", retry.UsesExponentialBackoff)
		config.optional("uniqueRequestIdField", retry.UniqueRequestIDField)
		o.set("retryConfig", config.node)
	}
	if config, ok := queueConfig(flow); ok {
		o.set("queueConfig", config.node)
	}
	o.optional("endpointSecurityType", string(flow.EndpointSecurityType))
	o.texts("organizationApiKeys", flow.OrganizationAPIKeys)
	if flow.Schemas != nil {
		schemas, err := flowSchemas(flow)
		if err != nil {
			return object{}, err
		}
		o.set("schemas", schemas.node)
	}
	trigger := variant.Of(flow.Trigger)
	if _, batched := trigger.(sluice.Batcher); batched && flow.BatchConfig != nil {
		o.set("triggerResolver", triggerResolver(flow).node)
	}
	triggerStep, supplement, err := e.triggerStep(flow, trigger)
	if err != nil {
		return object{}, err
	}
	o.set("steps", list([]*node{triggerStep.node, e.executionStep(flow).node}))
	o.set("supplementalComponents", e.supplementalComponents(supplement))
	return o, nil
}

func queueConfig(flow *sluice.Flow) (object, bool) {
	o, dedupeIDField := newObject(), ""
	switch queue := variant.Of(flow.QueueConfig).(type) {
	case sluice.ParallelQueueConfig:
		o.boolean("usesFifoQueue", false)
	case sluice.ThrottledQueueConfig:
		o.boolean("usesFifoQueue", true)
		o.count("concurrencyLimit", queue.ConcurrencyLimit)
		dedupeIDField = queue.DedupeIDField
	case sluice.SequentialQueueConfig:
		o.boolean("usesFifoQueue", true)
		dedupeIDField = queue.DedupeIDField
	case sluice.StandardQueueConfig:
		o.boolean("usesFifoQueue", queue.UsesFIFOQueue)
		o.flag("singletonExecutions", queue.SingletonExecutions)
		if queue.ConcurrencyLimit != nil {
			o.integer("concurrencyLimit", *queue.ConcurrencyLimit)
		}
		dedupeIDField = queue.DedupeIDField
	default:
		return object{}, false
	}
	if dedupeIDField != "" {
		o.set("dedupeIdField", resultReference("onTrigger", dedupeIDField))
	}
	return o, true
}

func triggerResolver(flow *sluice.Flow) object {
	o := newObject()
	o.integer("batchSize", flow.BatchConfig.BatchSize)
	o.boolean("enabled", true)
	if limit := flow.BatchConfig.ConcurrentBatchLimit; limit != nil {
		o.integer("concurrentBatchLimit", *limit)
	}
	o.flag("runInitialSyncOnDeploy", flow.RunInitialSyncOnDeploy)
	return o
}

// triggerStep writes the step that starts the flow. supplement is the platform's component
// behind a trigger that only adds lifecycle functions to it; empty is none.
func (e *exporter) triggerStep(flow *sluice.Flow, trigger any) (step object, supplement string, err error) {
	switch trigger.(type) {
	case sluice.InstanceDeployTrigger, sluice.InstanceRemoveTrigger:
		return object{}, "", errors.New("a code-native manifest has no trigger for the deployment or removal of an instance")
	}
	o := newObject()
	o.text("name", "On Trigger")
	o.text("stableKey", flow.StableKey+"-onTrigger")
	o.text("description", "The function that will be executed by the flow to return an HTTP response.")
	o.boolean("isTrigger", true)
	setErrorConfig(o, flow.ErrorConfig)
	platform := "webhook"
	if flow.Schedule != nil {
		platform = "schedule"
	}
	component, referenced := trigger.(sluice.ComponentTrigger)
	lifecycle := flow.OnInstanceDeploy != nil || flow.OnInstanceDelete != nil || flow.WebhookLifecycleHandlers != nil
	own := lifecycle || flow.OnTrigger != nil || trigger != nil && !referenced
	var reference componentReference
	if referenced {
		if reference, err = e.triggerReference(component); err != nil {
			return object{}, "", err
		}
	}
	switch {
	case own:
		o.set("action", e.ownAction(flow, "onTrigger"))
		if lifecycle && flow.OnTrigger == nil && trigger == nil {
			supplement = platform
		}
	case referenced:
		o.set("action", reference.action())
	default:
		action := newObject()
		action.text("key", platform)
		action.set("component", latestComponent(platform+"-triggers", true))
		o.set("action", action.node)
	}
	if referenced {
		o.set("inputs", reference.inputs)
	}
	if flow.Schedule != nil {
		o.set("schedule", schedule(flow.Schedule))
	}
	return o, supplement, nil
}

func schedule(schedule *sluice.Schedule) *node {
	o := newObject()
	if schedule.ConfigVar != "" {
		o.text("type", "configVar")
		o.text("value", schedule.ConfigVar)
	} else {
		o.text("type", "value")
		o.text("value", schedule.Value)
	}
	meta := newObject()
	meta.text("scheduleType", "custom")
	meta.text("timeZone", schedule.TimeZone)
	o.set("meta", meta.node)
	return o.node
}

func (e *exporter) executionStep(flow *sluice.Flow) object {
	o := newObject()
	o.set("action", e.ownAction(flow, "onExecution"))
	o.text("name", "On Execution")
	o.text("stableKey", flow.StableKey+"-onExecution")
	o.text("description", "The function that will be executed by the flow.")
	setErrorConfig(o, flow.ErrorConfig)
	return o
}

// ownAction refers to one of the flow's functions in the component that is published with
// the integration.
func (e *exporter) ownAction(flow *sluice.Flow, function string) *node {
	o := newObject()
	o.text("key", sluice.FlowKey(flow.Name)+"_"+function)
	o.set("component", e.ownComponent)
	return o.node
}

func setErrorConfig(o object, config *sluice.StepErrorConfig) {
	if config == nil {
		return
	}
	c := newObject()
	c.text("errorHandlerType", string(config.ErrorHandlerType))
	c.count("maxAttempts", config.MaxAttempts)
	c.count("delaySeconds", config.DelaySeconds)
	c.flag("usesExponentialBackoff", config.UsesExponentialBackoff)
	c.flag("ignoreFinalError", config.IgnoreFinalError)
	o.set("errorConfig", c.node)
}

// supplementalComponents lists the whole registry, and the platform's component if any.
func (e *exporter) supplementalComponents(platform string) *node {
	components := make([]*node, 0, len(e.integration.ComponentRegistry)+1)
	for _, component := range e.integration.ComponentRegistry {
		o := newObject()
		o.text("key", component.Key)
		o.boolean("isPublic", component.Public)
		if component.Signature != "" {
			o.text("signature", component.Signature)
		} else {
			o.text("version", "LATEST")
		}
		components = append(components, o.node)
	}
	if platform != "" {
		components = append(components, latestComponent(platform+"-triggers", true))
	}
	return list(components)
}

func flowSchemas(flow *sluice.Flow) (object, error) {
	schemas := maps.Clone(flow.Schemas.Others)
	if schemas == nil {
		schemas = map[string]*sluice.FlowSchema{}
	}
	schemas["invoke"], schemas["result"] = flow.Schemas.Invoke, flow.Schemas.Result
	o := newObject()
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		schema := schemas[name]
		if schema == nil {
			continue
		}
		node, err := flowSchema(flow.StableKey+"-"+name, schema)
		if err != nil {
			return object{}, err
		}
		o.set(name, node)
	}
	return o, nil
}

func flowSchema(title string, schema *sluice.FlowSchema) (*node, error) {
	o := newObject()
	if schema.Title != "" {
		title = schema.Title
	}
	o.text("title", title)
	o.text("type", "object")
	o.optional("$comment", schema.Comment)
	documents := make(map[string]any, len(schema.Properties))
	for name, property := range schema.Properties {
		documents[name] = property.Document()
	}
	properties, err := jsonNode(documents)
	if err != nil {
		return nil, err
	}
	o.set("properties", properties)
	dialect := schema.Schema
	if dialect == "" {
		dialect = sluice.DefaultJSONSchemaVersion
	}
	o.text("$schema", dialect)
	if len(schema.Required) > 0 {
		o.texts("required", schema.Required)
	}
	return o.node, nil
}
