package sluice_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
)

func noExecution(context.Context, *sluice.Run) (*sluice.Result, error) { return nil, nil }

func noTrigger(context.Context, *sluice.Run, *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
	return nil, nil
}

func noLifecycle(context.Context, *sluice.Run) (*sluice.LifecycleResult, error) { return nil, nil }

func noBatch(context.Context, *sluice.Run, *sluice.TriggerPayload, *string) (*sluice.BatchPage[int, string], error) {
	return nil, nil
}

func noSource(context.Context, *sluice.Run) (*sluice.DataSourceResult, error) { return nil, nil }

// oneFlow is a valid integration with one flow, after change.
func oneFlow(change func(i *sluice.Integration, f *sluice.Flow)) *sluice.Integration {
	i := &sluice.Integration{
		Name:  "Orders",
		Flows: []sluice.Flow{{Name: "Create", StableKey: "create", OnExecution: noExecution}},
		ComponentRegistry: []sluice.ComponentManifest{{
			Name: "acme", Key: "acme-crm", Signature: "s",
			Triggers: []sluice.ComponentEntry{{Key: "changes", Inputs: []sluice.ComponentInput{
				{Key: "object"}, {Key: "tags", Collection: sluice.CollectionValueList}, {Key: "headers", Collection: sluice.CollectionKeyValueList},
			}}},
			DataSources: []sluice.ComponentDataSource{{ComponentEntry: sluice.ComponentEntry{Key: "users"}, DataSourceType: sluice.DataTypePicklist}},
			Connections: []sluice.ComponentConnection{{ComponentEntry: sluice.ComponentEntry{Key: "login", Inputs: []sluice.ComponentInput{{Key: "user"}}}}},
		}},
	}
	change(i, &i.Flows[0])
	return i
}

// onPage is a valid integration with elements on a config page.
func onPage(elements ...sluice.ConfigElement) *sluice.Integration {
	return oneFlow(func(i *sluice.Integration, _ *sluice.Flow) {
		i.ConfigPages = []sluice.ConfigPage{{Name: "Setup", Elements: elements}}
	})
}

func connection(definition sluice.ConnectionDefinition) *sluice.Integration {
	return onPage(sluice.ConnectionVar{Key: "Shop", StableKey: "shop", Connection: definition})
}

type validateCase struct {
	integration *sluice.Integration
	path, want  string
}

func flowCase(path, want string, change func(f *sluice.Flow)) validateCase {
	return validateCase{oneFlow(func(_ *sluice.Integration, f *sluice.Flow) { change(f) }), path, want}
}

func integrationCase(path, want string, change func(i *sluice.Integration)) validateCase {
	return validateCase{oneFlow(func(i *sluice.Integration, _ *sluice.Flow) { change(i) }), path, want}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	for _, cases := range [][]validateCase{integrationCases(), flowCases(), triggerCases(), configCases(), connectionCases(), referenceCases()} {
		for _, test := range cases {
			t.Run(test.path+": "+test.want, func(t *testing.T) {
				t.Parallel()
				var invalid *sluice.ValidationError
				require.ErrorAs(t, test.integration.Validate(), &invalid)
				require.Contains(t, invalid.Error(), test.path+": ", "the path")
				for _, fault := range invalid.Faults {
					if fault.Path == test.path && strings.Contains(fault.Message, test.want) {
						return
					}
				}
				require.Fail(t, "no such fault", "%v", invalid)
			})
		}
	}
}

func integrationCases() []validateCase {
	return []validateCase{
		integrationCase("name", "required", func(i *sluice.Integration) { i.Name = " " }),
		integrationCase("flows", "at least one flow", func(i *sluice.Integration) { i.Flows = nil }),
		integrationCase("endpointType", "is not one of", func(i *sluice.Integration) { i.EndpointType = "everywhere" }),
		integrationCase("endpointType", "must define either", func(i *sluice.Integration) { i.EndpointType = sluice.EndpointInstanceSpecific }),
		integrationCase("endpointType", "routes requests of shared endpoints", func(i *sluice.Integration) {
			i.TriggerPreprocessFlowConfig = &sluice.PreprocessFlowConfig{FlowNameField: "body.data.flow"}
		}),
		integrationCase("triggerPreprocessFlowConfig.flowNameField", "required", func(i *sluice.Integration) {
			i.TriggerPreprocessFlowConfig = &sluice.PreprocessFlowConfig{}
		}),
		integrationCase("triggerPreprocessFlowConfig.externalCustomerIdField", "required with the endpoint type shared_instance", func(i *sluice.Integration) {
			i.EndpointType = sluice.EndpointSharedInstance
			i.TriggerPreprocessFlowConfig = &sluice.PreprocessFlowConfig{FlowNameField: "body.data.flow"}
		}),
		integrationCase("flows[0].preprocessFlowConfig", "must not define both", func(i *sluice.Integration) {
			i.TriggerPreprocessFlowConfig = &sluice.PreprocessFlowConfig{FlowNameField: "x"}
			i.Flows[0].PreprocessFlowConfig = &sluice.PreprocessFlowConfig{FlowNameField: "x"}
		}),
		integrationCase("flows[1].preprocessFlowConfig", "Only one flow may define", func(i *sluice.Integration) {
			i.Flows = append(i.Flows, sluice.Flow{})
			i.Flows[0].PreprocessFlowConfig = &sluice.PreprocessFlowConfig{}
			i.Flows[1].PreprocessFlowConfig = &sluice.PreprocessFlowConfig{}
		}),
		integrationCase("flows[1].name", `the name "Create" is taken by flows[0].name`, func(i *sluice.Integration) { i.Flows = append(i.Flows, i.Flows[0]) }),
		integrationCase("flows[1].stableKey", `the stable key "create" is taken by flows[0].stableKey`, func(i *sluice.Integration) { i.Flows = append(i.Flows, i.Flows[0]) }),
		integrationCase("flows[1].name", `the key "create" is taken`, func(i *sluice.Integration) {
			i.Flows = append(i.Flows, sluice.Flow{Name: "create!"})
		}),
		integrationCase("componentRegistry[1].name", "is taken", func(i *sluice.Integration) {
			i.ComponentRegistry = append(i.ComponentRegistry, i.ComponentRegistry[0])
		}),
		integrationCase("componentRegistry[0].key", "required", func(i *sluice.Integration) { i.ComponentRegistry[0].Key = "" }),
		integrationCase("componentRegistry[0].triggers[1].key", "is taken", func(i *sluice.Integration) {
			i.ComponentRegistry[0].Triggers = append(i.ComponentRegistry[0].Triggers, i.ComponentRegistry[0].Triggers[0])
		}),
		integrationCase("componentRegistry[0].dataSources[0].dataSourceType", "is not one of", func(i *sluice.Integration) {
			i.ComponentRegistry[0].DataSources[0].DataSourceType = "connection"
		}),
		integrationCase("componentRegistry[0].triggers[0].inputs[0].default", "cannot be written as JSON", func(i *sluice.Integration) {
			i.ComponentRegistry[0].Triggers[0].Inputs[0].Default = make(chan int)
		}),
	}
}

func flowCases() []validateCase {
	return []validateCase{
		integrationCase("triggerPreprocessFlowConfig.flowNameField", "a payload has body.data", func(i *sluice.Integration) {
			i.TriggerPreprocessFlowConfig = &sluice.PreprocessFlowConfig{FlowNameField: "event"}
		}),
		flowCase("flows[0].queueConfig.dedupeIdField", "a segment is empty", func(f *sluice.Flow) {
			f.QueueConfig = &sluice.SequentialQueueConfig{DedupeIDField: "body.data..id"}
		}),
		flowCase("flows[0].retryConfig.uniqueRequestIdField", "a payload has body.data", func(f *sluice.Flow) {
			f.RetryConfig = &sluice.RetryConfig{UniqueRequestIDField: "productId"}
		}),
		flowCase("flows[0].name", "required", func(f *sluice.Flow) { f.Name = "" }),
		flowCase("flows[0].name", "needs ASCII letters", func(f *sluice.Flow) { f.Name = "日本語" }),
		flowCase("flows[0].stableKey", "required", func(f *sluice.Flow) { f.StableKey = "" }),
		flowCase("flows[0].onExecution", "a function is required", func(f *sluice.Flow) { f.OnExecution = nil }),
		flowCase("flows[0].triggerType", "is not one of", func(f *sluice.Flow) { f.TriggerType = "push" }),
		flowCase("flows[0].schedule", "needs a value or a configVar", func(f *sluice.Flow) { f.Schedule = &sluice.Schedule{} }),
		flowCase("flows[0].schedule", "not both", func(f *sluice.Flow) { f.Schedule = &sluice.Schedule{Value: "* * * * *", ConfigVar: "x"} }),
		flowCase("flows[0].schedule.value", "five fields", func(f *sluice.Flow) { f.Schedule = &sluice.Schedule{Value: "0 * * * * *"} }),
		flowCase("flows[0].schedule.timeZone", "no IANA time zone", func(f *sluice.Flow) { f.Schedule = &sluice.Schedule{Value: "* * * * *", TimeZone: "Mars/Base"} }),
		flowCase("flows[0].schedule.configVar", "there is no config variable", func(f *sluice.Flow) { f.Schedule = &sluice.Schedule{ConfigVar: "Every"} }),
		flowCase("flows[0].schedule", "cannot be scheduled", func(f *sluice.Flow) {
			f.Schedule, f.IsSynchronous = &sluice.Schedule{Value: "* * * * *"}, true
		}),
		flowCase("flows[0].queueConfig", "FIFO queues cannot be used with scheduled flows", func(f *sluice.Flow) {
			f.Schedule, f.QueueConfig = &sluice.Schedule{Value: "* * * * *"}, sluice.SequentialQueueConfig{}
		}),
		flowCase("flows[0].queueConfig", "a synchronous flow cannot be queued", func(f *sluice.Flow) {
			f.IsSynchronous, f.QueueConfig = true, sluice.StandardQueueConfig{UsesFIFOQueue: true}
		}),
		flowCase("flows[0].queueConfig", "a preprocess flow cannot be queued", func(f *sluice.Flow) {
			f.PreprocessFlowConfig, f.QueueConfig = &sluice.PreprocessFlowConfig{FlowNameField: "x"}, sluice.SequentialQueueConfig{}
		}),
		flowCase("flows[0].queueConfig.concurrencyLimit", "Create has an invalid concurrencyLimit of 0.", func(f *sluice.Flow) { f.QueueConfig = sluice.ThrottledQueueConfig{} }),
		flowCase("flows[0].queueConfig.concurrencyLimit", "Create has an invalid concurrencyLimit of 16.", func(f *sluice.Flow) { f.QueueConfig = &sluice.ThrottledQueueConfig{ConcurrencyLimit: 16} }),
		flowCase("flows[0].queueConfig.concurrencyLimit", "Create has an invalid concurrencyLimit of 0.", func(f *sluice.Flow) {
			f.QueueConfig = sluice.StandardQueueConfig{UsesFIFOQueue: true, ConcurrencyLimit: new(0)}
		}),
		flowCase("flows[0].queueConfig.concurrencyLimit", "no effect without usesFifoQueue", func(f *sluice.Flow) { f.QueueConfig = sluice.StandardQueueConfig{ConcurrencyLimit: new(3)} }),
		flowCase("flows[0].queueConfig.singletonExecutions", "has no schedule", func(f *sluice.Flow) { f.QueueConfig = sluice.StandardQueueConfig{SingletonExecutions: true} }),
		flowCase("flows[0].queueConfig", "nil pointer", func(f *sluice.Flow) { f.QueueConfig = (*sluice.SequentialQueueConfig)(nil) }),
		flowCase("flows[0].retryConfig.maxAttempts", "11 is not between 0 and 10", func(f *sluice.Flow) { f.RetryConfig = &sluice.RetryConfig{MaxAttempts: 11} }),
		flowCase("flows[0].retryConfig.delayMinutes", "-1 is not between 0 and 60", func(f *sluice.Flow) { f.RetryConfig = &sluice.RetryConfig{DelayMinutes: -1} }),
		flowCase("flows[0].retryConfig", "a synchronous flow is not retried", func(f *sluice.Flow) { f.IsSynchronous, f.RetryConfig = true, &sluice.RetryConfig{} }),
		flowCase("flows[0].errorConfig.errorHandlerType", "is not one of", func(f *sluice.Flow) { f.ErrorConfig = &sluice.StepErrorConfig{} }),
		flowCase("flows[0].errorConfig.maxAttempts", "6 is not between 0 and 5", func(f *sluice.Flow) {
			f.ErrorConfig = &sluice.StepErrorConfig{ErrorHandlerType: sluice.ErrorHandlerRetry, MaxAttempts: 6}
		}),
		flowCase("flows[0].errorConfig.delaySeconds", "61 is not between 0 and 60", func(f *sluice.Flow) {
			f.ErrorConfig = &sluice.StepErrorConfig{ErrorHandlerType: sluice.ErrorHandlerRetry, DelaySeconds: 61}
		}),
		flowCase("flows[0].errorConfig", "retry only", func(f *sluice.Flow) {
			f.ErrorConfig = &sluice.StepErrorConfig{ErrorHandlerType: sluice.ErrorHandlerFail, MaxAttempts: 1}
		}),
		flowCase("flows[0].endpointSecurityType", "is not one of", func(f *sluice.Flow) { f.EndpointSecurityType = "secret" }),
		flowCase("flows[0].organizationApiKeys", "at least one key", func(f *sluice.Flow) { f.EndpointSecurityType = sluice.EndpointSecurityOrganization }),
		flowCase("flows[0].organizationApiKeys", "belong to the security type organization", func(f *sluice.Flow) { f.OrganizationAPIKeys = []string{"k"} }),
		flowCase("flows[0].testApiKeys[1]", "required", func(f *sluice.Flow) { f.TestAPIKeys = []string{"k", ""} }),
		flowCase("flows[0].schemas", "an agent flow needs schemas", func(f *sluice.Flow) { f.IsAgentFlow = true }),
		flowCase("flows[0].schemas.invoke", "a schema is required", func(f *sluice.Flow) { f.Schemas = &sluice.FlowSchemas{} }),
		flowCase("flows[0].schemas.invoke.properties.id.description", "required", func(f *sluice.Flow) {
			f.Schemas = &sluice.FlowSchemas{Invoke: &sluice.FlowSchema{Properties: map[string]sluice.SchemaProperty{"id": {}}}}
		}),
		flowCase("flows[0].schemas.invoke", "the schema is not valid", func(f *sluice.Flow) {
			f.Schemas = &sluice.FlowSchemas{Invoke: &sluice.FlowSchema{Properties: map[string]sluice.SchemaProperty{"id": {Description: "Id", Type: "text"}}}}
		}),
		flowCase("flows[0].webhookLifecycleHandlers.delete", "a function is required", func(f *sluice.Flow) {
			f.WebhookLifecycleHandlers = &sluice.WebhookLifecycleHandlers{Create: noLifecycle}
		}),
		flowCase("flows[0].webhookLifecycleHandlers.create", "a function is required", func(f *sluice.Flow) {
			f.WebhookLifecycleHandlers = &sluice.WebhookLifecycleHandlers{Delete: noLifecycle}
		}),
	}
}

func triggerCases() []validateCase {
	batch := sluice.BatchTrigger[int, string]{OnTrigger: noBatch}
	return []validateCase{
		flowCase("flows[0].trigger", "not both", func(f *sluice.Flow) { f.OnTrigger, f.Trigger = noTrigger, sluice.WebhookTrigger{} }),
		flowCase("flows[0].trigger", "nil pointer", func(f *sluice.Flow) { f.Trigger = (*sluice.WebhookTrigger)(nil) }),
		flowCase("flows[0].schedule", "Create is marked as a polling trigger but has no schedule.", func(f *sluice.Flow) { f.TriggerType = sluice.TriggerTypePolling }),
		flowCase("flows[0].onTrigger", "a polling flow needs an onTrigger", func(f *sluice.Flow) {
			f.TriggerType, f.Trigger = sluice.TriggerTypePolling, sluice.WebhookTrigger{}
		}),
		flowCase("flows[0].batchConfig", "Create defines a triggerResolver/onDeployResolver but no batchConfig.", func(f *sluice.Flow) { f.Trigger = &batch }),
		flowCase("flows[0].batchConfig", "needs a BatchTrigger", func(f *sluice.Flow) { f.BatchConfig = &sluice.BatchConfig{BatchSize: 1} }),
		flowCase("flows[0].batchConfig.batchSize", "Create has an invalid batchConfig batchSize of 0.", func(f *sluice.Flow) {
			f.Trigger, f.BatchConfig = batch, &sluice.BatchConfig{}
		}),
		flowCase("flows[0].batchConfig.concurrentBatchLimit", "Create has an invalid batchConfig concurrentBatchLimit of 0.", func(f *sluice.Flow) {
			f.Trigger, f.BatchConfig = batch, &sluice.BatchConfig{BatchSize: 1, ConcurrentBatchLimit: new(0)}
		}),
		flowCase("flows[0].trigger.onTrigger", "a function is required", func(f *sluice.Flow) {
			f.Trigger, f.BatchConfig = sluice.BatchTrigger[int, string]{OnDeploy: noBatch}, &sluice.BatchConfig{BatchSize: 1}
		}),
		flowCase("flows[0].onDeployTrigger", "has its own OnDeploy", func(f *sluice.Flow) { f.Trigger, f.OnDeployTrigger = batch, noTrigger }),
		flowCase("flows[0].onDeployTrigger", "needs an onTrigger beside it", func(f *sluice.Flow) { f.OnDeployTrigger = noTrigger }),
		flowCase("flows[0].runInitialSyncOnDeploy", "needs a ComponentTrigger or a BatchTrigger", func(f *sluice.Flow) { f.RunInitialSyncOnDeploy = true }),
		flowCase("flows[0].schedule", "takes no schedule", func(f *sluice.Flow) {
			f.Trigger, f.Schedule = sluice.InstanceDeployTrigger{}, &sluice.Schedule{Value: "* * * * *"}
		}),
		flowCase("flows[0].isSynchronous", "no caller that waits", func(f *sluice.Flow) { f.Trigger, f.IsSynchronous = sluice.InstanceRemoveTrigger{}, true }),
		flowCase("flows[0].queueConfig", "a deployment starts the flow", func(f *sluice.Flow) {
			f.Trigger, f.QueueConfig = sluice.InstanceRemoveTrigger{}, sluice.SequentialQueueConfig{}
		}),
		flowCase("flows[0].preprocessFlowConfig", "routes no requests", func(f *sluice.Flow) {
			f.Trigger, f.PreprocessFlowConfig = sluice.InstanceRemoveTrigger{}, &sluice.PreprocessFlowConfig{FlowNameField: "x"}
		}),
		flowCase("flows[0].trigger.statusCode", "99 is not between 200 and 599", func(f *sluice.Flow) { f.Trigger = sluice.WebhookTrigger{StatusCode: 99} }),
		flowCase("flows[0].trigger.body", "has no body", func(f *sluice.Flow) { f.Trigger = sluice.WebhookTrigger{StatusCode: 204, Body: "x"} }),
		flowCase("flows[0].trigger.contentType", "no content type", func(f *sluice.Flow) { f.Trigger = sluice.WebhookTrigger{ContentType: "text" + "/"} }),
		flowCase("flows[0].trigger.headers", "no name of an HTTP header", func(f *sluice.Flow) {
			f.Trigger = sluice.WebhookTrigger{Headers: map[string]string{"X Y": ""}}
		}),
		flowCase("flows[0].trigger.headers", "one line", func(f *sluice.Flow) {
			f.Trigger = sluice.WebhookTrigger{Headers: map[string]string{"X-Y": "a\r\nSet-Cookie: b"}}
		}),
	}
}

func TestValidIntegrations(t *testing.T) {
	t.Parallel()
	require.NoError(t, oneFlow(func(*sluice.Integration, *sluice.Flow) {}).Validate())
	require.NoError(t, oneFlow(func(i *sluice.Integration, f *sluice.Flow) {
		i.EndpointType = sluice.EndpointSharedInstance
		f.PreprocessFlowConfig = &sluice.PreprocessFlowConfig{FlowNameField: "flow", ExternalCustomerIDField: "customer"}
		f.Trigger = &sluice.WebhookTrigger{StatusCode: 201, ContentType: "text/plain; charset=utf-8", Headers: map[string]string{"X-Y": "z"}, Body: "ok"}
		f.RetryConfig = &sluice.RetryConfig{MaxAttempts: 10, DelayMinutes: 60}
		f.ErrorConfig = &sluice.StepErrorConfig{ErrorHandlerType: sluice.ErrorHandlerRetry, MaxAttempts: 5, DelaySeconds: 60}
		f.OnInstanceDeploy = noLifecycle
	}).Validate())
}

func TestValidateReportsEveryFaultAtOnce(t *testing.T) {
	t.Parallel()
	i := &sluice.Integration{EndpointType: "x", Flows: []sluice.Flow{{TriggerType: "y"}, {RetryConfig: &sluice.RetryConfig{MaxAttempts: 99}}}}
	var invalid *sluice.ValidationError
	require.True(t, errors.As(i.Validate(), &invalid))
	require.GreaterOrEqual(t, len(invalid.Faults), 10)
	require.Equal(t, len(invalid.Faults), strings.Count(invalid.Error(), "\n"), "one a line")
}

func TestValidateNil(t *testing.T) {
	t.Parallel()
	var i *sluice.Integration
	require.ErrorContains(t, i.Validate(), "there is no integration")
	require.ErrorContains(t, i.ValidateExport(), "there is no integration")
}

func TestValidateExportMakesSpectralsChecksOnly(t *testing.T) {
	t.Parallel()
	i := &sluice.Integration{Flows: []sluice.Flow{{}, {}}}
	require.Error(t, i.Validate())
	require.NoError(t, i.ValidateExport())
}

// TestKeysOfRoutedFlows: the one key that a caller presents must fit the preprocess flow and
// its target.
func TestKeysOfRoutedFlows(t *testing.T) {
	t.Parallel()
	integration := func(keys ...string) *sluice.Integration {
		return oneFlow(func(i *sluice.Integration, f *sluice.Flow) {
			i.EndpointType = sluice.EndpointInstanceSpecific
			f.EndpointSecurityType, f.OrganizationAPIKeys = sluice.EndpointSecurityOrganization, []string{"one", "two"}
			target := sluice.Flow{Name: "Target", StableKey: "target", OnExecution: noExecution, EndpointSecurityType: f.EndpointSecurityType, OrganizationAPIKeys: keys}
			f.PreprocessFlowConfig = &sluice.PreprocessFlowConfig{FlowNameField: "flow"}
			i.Flows = append(i.Flows, target)
		})
	}
	require.NoError(t, integration("two", "three").Validate())
	require.ErrorContains(t, integration("three").Validate(), `flows[1].organizationApiKeys: none of the keys is one of flow "Create"`)
	require.NoError(t, integration("three").ValidateExport())
}
