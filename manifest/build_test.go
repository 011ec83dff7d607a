package manifest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/sluice-go/sluice"
)

// errInexpressible marks definitions that Go's types cannot express, errUnknown those with
// a member that nobody knows.
var (
	errInexpressible = errors.New("not expressible in Go")
	errUnknown       = errors.New("unknown member")
)

// build turns the plain data of a definition into the integration that an author would
// write. A member that it does not know is an error.
func build(definition any) (integration *sluice.Integration, err error) {
	defer func() {
		if recovered := recover(); recovered != nil {
			failed, ok := recovered.(buildError)
			if !ok {
				panic(recovered)
			}
			integration, err = nil, failed.err
		}
	}()
	root := builder{}.object("$", definition)
	built := &sluice.Integration{
		Name: root.text("name"), Description: root.text("description"), IconPath: root.text("iconPath"),
		Category: root.text("category"), Documentation: root.text("documentation"), Version: root.text("version"),
		Labels: root.texts("labels"), InstanceProfile: root.text("instanceProfile"),
		EndpointType:                sluice.EndpointType(root.text("endpointType")),
		TriggerPreprocessFlowConfig: preprocess(root, "triggerPreprocessFlowConfig"),
	}
	if root.has("configuration") {
		fail(root.path, "function-backed configuration: %w", errInexpressible)
	}
	b := builder{integration: built}
	root.each("componentRegistry", func(name string, o *object) {
		built.ComponentRegistry = append(built.ComponentRegistry, component(name, o))
	})
	built.ConfigPages = b.pages(root, "configPages")
	built.UserLevelConfigPages = b.pages(root, "userLevelConfigPages")
	for _, m := range root.members("scopedConfigVars") {
		built.ScopedConfigVars = append(built.ScopedConfigVars, b.element(root.path+".scopedConfigVars", m))
	}
	for n, value := range root.list("flows") {
		built.Flows = append(built.Flows, b.flow(b.object(fmt.Sprintf("flows[%d]", n), value)))
	}
	root.done()
	return built, nil
}

type buildError struct{ err error }

func fail(path, format string, args ...any) {
	panic(buildError{fmt.Errorf("%s: "+format, append([]any{path}, args...)...)})
}

// builder knows the integration that is being built, for references into its registry.
type builder struct{ integration *sluice.Integration }

// object is a JSON object that is being read: done fails when a member was not.
type object struct {
	path string
	data ordered
	read map[string]bool
}

func (builder) object(path string, value any) *object {
	data, ok := value.(ordered)
	if !ok {
		fail(path, "not an object")
	}
	return &object{path, data, map[string]bool{}}
}

func (o *object) done() {
	for _, m := range o.data {
		if !o.read[m.key] {
			fail(o.path, "%q: %w", m.key, errUnknown)
		}
	}
}

func (o *object) get(key string) (value any, ok bool) {
	o.read[key] = true
	for _, m := range o.data {
		if m.key == key {
			return m.value, true
		}
	}
	return nil, false
}

func (o *object) has(key string) bool {
	_, ok := o.get(key)
	return ok
}

func read[T any](o *object, key string) (zero T) {
	value, ok := o.get(key)
	if !ok {
		return zero
	}
	typed, ok := value.(T)
	if !ok {
		fail(o.path+"."+key, "a %T: %w", value, errInexpressible)
	}
	return typed
}

func (o *object) text(key string) string  { return read[string](o, key) }
func (o *object) boolean(key string) bool { return read[bool](o, key) }
func (o *object) list(key string) []any   { return read[[]any](o, key) }
func (o *object) members(key string) ordered {
	return read[ordered](o, key)
}

func (o *object) flag(key string) *bool {
	if !o.has(key) {
		return nil
	}
	return new(o.boolean(key))
}

func (o *object) texts(key string) []string {
	if !o.has(key) {
		return nil
	}
	texts := []string{}
	for _, value := range o.list(key) {
		text, ok := value.(string)
		if !ok {
			fail(o.path+"."+key, "a %T in a list of texts", value)
		}
		texts = append(texts, text)
	}
	return texts
}

func (o *object) integer(key string) int {
	value, err := read[json.Number](o, key).Int64()
	if o.has(key) && err != nil {
		fail(o.path+"."+key, "%w: %w", err, errInexpressible)
	}
	return int(value)
}

func (o *object) optionalInteger(key string) *int {
	if !o.has(key) {
		return nil
	}
	return new(o.integer(key))
}

// function tells whether the member is a function.
func (o *object) function(key string) bool {
	value, ok := o.get(key)
	if ok && value != "<function>" {
		fail(o.path+"."+key, "not a function")
	}
	return ok
}

// nested reads a member that is an object; f is not called without one.
func (o *object) nested(key string, f func(*object)) {
	if value, ok := o.get(key); ok {
		child := builder{}.object(o.path+"."+key, value)
		f(child)
		child.done()
	}
}

// each reads a member whose members are objects.
func (o *object) each(key string, f func(name string, o *object)) {
	for _, m := range o.members(key) {
		child := builder{}.object(o.path+"."+key+"."+m.key, m.value)
		f(m.key, child)
		child.done()
	}
}

func preprocess(o *object, key string) (config *sluice.PreprocessFlowConfig) {
	o.nested(key, func(o *object) {
		config = &sluice.PreprocessFlowConfig{
			FlowNameField:               o.text("flowNameField"),
			ExternalCustomerIDField:     o.text("externalCustomerIdField"),
			ExternalCustomerUserIDField: o.text("externalCustomerUserIdField"),
		}
	})
	return config
}

func (b builder) flow(o *object) sluice.Flow {
	flow := sluice.Flow{
		Name: o.text("name"), StableKey: o.text("stableKey"), Description: o.text("description"),
		TriggerType: sluice.TriggerType(o.text("triggerType")), IsSynchronous: o.boolean("isSynchronous"),
		IsAgentFlow: o.boolean("isAgentFlow"), RunInitialSyncOnDeploy: o.boolean("runInitialSyncOnDeploy"),
		EndpointSecurityType: sluice.EndpointSecurityType(o.text("endpointSecurityType")),
		OrganizationAPIKeys:  o.texts("organizationApiKeys"), TestAPIKeys: o.texts("testApiKeys"),
		PreprocessFlowConfig: preprocess(o, "preprocessFlowConfig"), QueueConfig: queue(o),
	}
	for _, wire := range []string{"triggerResolver", "onDeployResolver"} {
		if o.has(wire) {
			fail(o.path, "%s is written by hand: %w", wire, errInexpressible)
		}
	}
	flow.OnExecution = functionOf(o, "onExecution", onExecution)
	flow.OnDeployTrigger = functionOf(o, "onDeployTrigger", onTrigger)
	flow.OnInstanceDeploy = functionOf(o, "onInstanceDeploy", lifecycle)
	flow.OnInstanceDelete = functionOf(o, "onInstanceDelete", lifecycle)
	o.nested("webhookLifecycleHandlers", func(o *object) {
		flow.WebhookLifecycleHandlers = &sluice.WebhookLifecycleHandlers{
			Create: functionOf(o, "create", lifecycle), Delete: functionOf(o, "delete", lifecycle),
		}
	})
	b.trigger(o, &flow)
	o.nested("schedule", func(o *object) {
		flow.Schedule = &sluice.Schedule{Value: o.text("value"), ConfigVar: o.text("configVar"), TimeZone: o.text("timezone")}
	})
	o.nested("batchConfig", func(o *object) {
		flow.BatchConfig = &sluice.BatchConfig{
			BatchSize: o.integer("batchSize"), ConcurrentBatchLimit: o.optionalInteger("concurrentBatchLimit"),
		}
	})
	o.nested("retryConfig", func(o *object) {
		flow.RetryConfig = &sluice.RetryConfig{
			MaxAttempts: o.integer("maxAttempts"), DelayMinutes: o.integer("delayMinutes"),
			UsesExponentialBackoff: o.boolean("usesExponentialBackoff"), UniqueRequestIDField: o.text("uniqueRequestIdField"),
		}
	})
	o.nested("errorConfig", func(o *object) {
		flow.ErrorConfig = &sluice.StepErrorConfig{
			ErrorHandlerType: sluice.StepErrorHandlerType(o.text("errorHandlerType")), MaxAttempts: o.integer("maxAttempts"),
			DelaySeconds: o.integer("delaySeconds"), UsesExponentialBackoff: o.boolean("usesExponentialBackoff"),
			IgnoreFinalError: o.boolean("ignoreFinalError"),
		}
	})
	if o.has("schemas") {
		flow.Schemas = schemas(o)
	}
	o.done()
	return flow
}

func functionOf[F any](o *object, key string, f F) (none F) {
	if o.function(key) {
		return f
	}
	return none
}

func onExecution(context.Context, *sluice.Run) (*sluice.Result, error) { return nil, nil }

func lifecycle(context.Context, *sluice.Run) (*sluice.LifecycleResult, error) { return nil, nil }

func onTrigger(context.Context, *sluice.Run, *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
	return nil, nil
}

func onBatch(context.Context, *sluice.Run, *sluice.TriggerPayload, *any) (*sluice.BatchPage[any, any], error) {
	return nil, nil
}

func (b builder) trigger(o *object, flow *sluice.Flow) {
	if value, _ := o.get("onTrigger"); value == "<function>" {
		flow.OnTrigger = onTrigger
	} else {
		o.nested("onTrigger", func(o *object) {
			trigger := sluice.ComponentTrigger{Component: o.text("component"), Key: o.text("key")}
			component, _ := b.integration.Component(trigger.Component)
			entry, _ := component.Trigger(trigger.Key)
			trigger.Values = expressions(o, entry.Inputs)
			flow.Trigger = trigger
		})
	}
	o.nested("trigger", func(o *object) {
		var trigger sluice.BatchTrigger[any, any]
		trigger.OnTrigger = functionOf(o, "onTrigger", onBatch)
		trigger.OnDeploy = functionOf(o, "onDeploy", onBatch)
		flow.Trigger = trigger
	})
}

func queue(o *object) (config sluice.QueueConfig) {
	o.nested("queueConfig", func(o *object) {
		dedupe := o.text("dedupeIdField")
		if !o.has("type") {
			config = sluice.StandardQueueConfig{
				UsesFIFOQueue: o.boolean("usesFifoQueue"), DedupeIDField: dedupe,
				SingletonExecutions: o.boolean("singletonExecutions"), ConcurrencyLimit: o.optionalInteger("concurrencyLimit"),
			}
			return
		}
		switch kind := o.text("type"); kind {
		case "parallel":
			config = sluice.ParallelQueueConfig{}
		case "throttled":
			config = sluice.ThrottledQueueConfig{ConcurrencyLimit: o.integer("concurrencyLimit"), DedupeIDField: dedupe}
		case "sequential":
			config = sluice.SequentialQueueConfig{DedupeIDField: dedupe}
		default:
			fail(o.path, "queue type %q: %w", kind, errInexpressible)
		}
	})
	return config
}

func schemas(o *object) *sluice.FlowSchemas {
	built := &sluice.FlowSchemas{}
	o.each("schemas", func(name string, o *object) {
		schema := &sluice.FlowSchema{
			Title: o.text("title"), Comment: o.text("$comment"), Schema: o.text("$schema"), Required: o.texts("required"),
			Properties: map[string]sluice.SchemaProperty{}, Keywords: map[string]any{},
		}
		o.each("properties", func(name string, o *object) {
			property := sluice.SchemaProperty{Description: o.text("description"), Keywords: map[string]any{}}
			for _, m := range o.data {
				if kind, ok := m.value.(string); ok && m.key == "type" {
					property.Type = kind
				} else if m.key != "description" {
					property.Keywords[m.key] = m.value
				}
				o.read[m.key] = true
			}
			schema.Properties[name] = property
		})
		for _, m := range o.data {
			if !o.read[m.key] {
				schema.Keywords[m.key] = m.value
				o.read[m.key] = true
			}
		}
		switch name {
		case "invoke":
			built.Invoke = schema
		case "result":
			built.Result = schema
		default:
			if built.Others == nil {
				built.Others = map[string]*sluice.FlowSchema{}
			}
			built.Others[name] = schema
		}
	})
	return built
}
