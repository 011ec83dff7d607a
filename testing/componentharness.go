package sluicetest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/sluice-go/sluice"
)

// ComponentTestHarness calls the code of a component. Make one with [CreateHarness].
type ComponentTestHarness struct {
	component sluice.Component
}

// CreateHarness is spectral's createHarness: it calls the triggers and actions of a component by
// their keys, each in a runtime of its own, with the inputs that an integration would give.
func CreateHarness(component sluice.Component) *ComponentTestHarness {
	return &ComponentTestHarness{component}
}

// Trigger calls a trigger for a request: see [InvokeTrigger].
func (c *ComponentTestHarness) Trigger(t *testing.T, key string, inputs sluice.Inputs, options InvokeOptions) (*sluice.TriggerResult, error) {
	t.Helper()
	definition := c.definition(t, key)
	perform := func(ctx context.Context, run *sluice.Run, payload *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
		return definition.Perform(ctx, run, payload, inputs)
	}
	return InvokeTrigger(t, perform, options)
}

// TriggerOnInstanceDeploy deploys an instance with a trigger's OnInstanceDeploy.
func (c *ComponentTestHarness) TriggerOnInstanceDeploy(t *testing.T, key string, inputs sluice.Inputs, options InvokeOptions) error {
	t.Helper()
	return invokeHook(t, c.definition(t, key).OnInstanceDeploy, "onInstanceDeploy", inputs, options, func(flow *sluice.Flow, hook sluice.LifecycleFunc) {
		flow.OnInstanceDeploy = hook
	})
}

// TriggerOnInstanceDelete deletes an instance with a trigger's OnInstanceDelete.
func (c *ComponentTestHarness) TriggerOnInstanceDelete(t *testing.T, key string, inputs sluice.Inputs, options InvokeOptions) error {
	t.Helper()
	return invokeHook(t, c.definition(t, key).OnInstanceDelete, "onInstanceDelete", inputs, options, func(flow *sluice.Flow, hook sluice.LifecycleFunc) {
		flow.OnInstanceDelete = hook
	})
}

// TriggerWebhookCreate deploys an instance with a trigger's handler that puts up webhooks.
func (c *ComponentTestHarness) TriggerWebhookCreate(t *testing.T, key string, inputs sluice.Inputs, options InvokeOptions) error {
	t.Helper()
	return invokeHook(t, c.handlers(t, key).Create, "webhookCreate", inputs, options, func(flow *sluice.Flow, hook sluice.LifecycleFunc) {
		flow.WebhookLifecycleHandlers = &sluice.WebhookLifecycleHandlers{Create: hook, Delete: noHook}
	})
}

// TriggerWebhookDelete deletes an instance with a trigger's handler that takes webhooks down.
func (c *ComponentTestHarness) TriggerWebhookDelete(t *testing.T, key string, inputs sluice.Inputs, options InvokeOptions) error {
	t.Helper()
	return invokeHook(t, c.handlers(t, key).Delete, "webhookDelete", inputs, options, func(flow *sluice.Flow, hook sluice.LifecycleFunc) {
		flow.WebhookLifecycleHandlers = &sluice.WebhookLifecycleHandlers{Create: noHook, Delete: hook}
	})
}

// Action calls an action and returns what it returns: spectral's harness.action, and invoke.
func (c *ComponentTestHarness) Action(t *testing.T, key string, inputs sluice.Inputs, options InvokeOptions) (result any, err error) {
	t.Helper()
	action, ok := c.component.Actions[key]
	if !ok {
		t.Fatalf("component %q has no action %q; it has %q", c.component.Key, key, slices.Sorted(maps.Keys(c.component.Actions)))
	}
	return invokeCode(t, options, func(ctx context.Context, run *sluice.Run) (any, error) { return action(ctx, run, inputs) })
}

func (c *ComponentTestHarness) definition(t *testing.T, key string) sluice.TriggerDefinition {
	t.Helper()
	trigger, ok := c.component.Triggers[key]
	if !ok || trigger.Perform == nil {
		t.Fatalf("component %q has no trigger %q; it has %q", c.component.Key, key, slices.Sorted(maps.Keys(c.component.Triggers)))
	}
	return trigger
}

func (c *ComponentTestHarness) handlers(t *testing.T, key string) sluice.ComponentWebhookLifecycleHandlers {
	t.Helper()
	if handlers := c.definition(t, key).WebhookLifecycleHandlers; handlers != nil {
		return *handlers
	}
	return sluice.ComponentWebhookLifecycleHandlers{}
}

// invokeHook deploys and deletes an instance of a flow with the hook, which place puts in its
// place, and returns the hook's error, or that of a deployment that did not come to it.
func invokeHook(
	t *testing.T, hook sluice.ComponentLifecycleFunc, name string, inputs sluice.Inputs, options InvokeOptions,
	place func(flow *sluice.Flow, hook sluice.LifecycleFunc),
) (err error) {
	t.Helper()
	if hook == nil {
		return fmt.Errorf("Trigger does not support %s", name)
	}
	flow := sluice.Flow{Name: "Flow 1", StableKey: "flow-1", OnExecution: doNothing, OnTrigger: noTrigger}
	called := false
	place(&flow, func(ctx context.Context, run *sluice.Run) (*sluice.LifecycleResult, error) {
		called = true
		var result *sluice.LifecycleResult
		result, err = hook(ctx, run, inputs)
		return result, err
	})
	harness := options.harness(flow)
	deployments := harness.Deployments
	harness.Deployments = nil
	RunOptions(t, harness, func(t *testing.T, h *Harness) {
		instance, failed := h.Runtime.Deploy(t.Context(), deployments[0])
		if failed == nil {
			failed = h.Runtime.Delete(t.Context(), instance.ID)
		}
		if !called {
			err = failed
		}
		h.Drain()
	})
	return err
}

func noHook(context.Context, *sluice.Run) (*sluice.LifecycleResult, error) { return nil, nil }

func noTrigger(context.Context, *sluice.Run, *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
	return nil, nil
}

// invokeCode calls code in an execution, and returns what it returns, as it is.
func invokeCode(t *testing.T, options InvokeOptions, code func(ctx context.Context, run *sluice.Run) (any, error)) (result any, err error) {
	t.Helper()
	called := false
	flow := sluice.Flow{
		Name: "Flow 1", StableKey: "flow-1",
		OnExecution: func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
			called = true
			result, err = code(ctx, run)
			return nil, err
		},
	}
	if _, refused := InvokeFlow(t, flow, options); !called {
		return nil, refused
	}
	return result, err
}
