package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/sluice-go/sluice"
)

// newComponents returns the components by key. It reports every fault at once.
func newComponents(list []sluice.Component) (map[string]sluice.Component, error) {
	var faults []error
	components := make(map[string]sluice.Component, len(list))
	for _, component := range list {
		faults = append(faults, component.Check())
		if _, twice := components[component.Key]; twice {
			faults = append(faults, fmt.Errorf("component %q is registered twice", component.Key))
		}
		components[component.Key] = component
	}
	return components, errors.Join(faults...)
}

// componentTrigger is the trigger of a component as a flow refers to it.
type componentTrigger struct {
	sluice.TriggerDefinition
	entry  sluice.ComponentEntry
	values map[string]sluice.InputExpression
}

// bind makes a trigger function of the component one of the flow.
func (t *componentTrigger) bind(trigger sluice.ComponentTriggerFunc) sluice.TriggerFunc {
	return func(ctx context.Context, run *sluice.Run, payload *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
		inputs, err := t.entry.Resolve(t.values, run.ConfigVar)
		if err != nil {
			return nil, err
		}
		return trigger(ctx, run, payload, inputs)
	}
}

// bindHook makes a hook of the component one of the flow.
func (t *componentTrigger) bindHook(hook sluice.ComponentLifecycleFunc) sluice.LifecycleFunc {
	if hook == nil {
		return nil
	}
	return func(ctx context.Context, run *sluice.Run) (*sluice.LifecycleResult, error) {
		inputs, err := t.entry.Resolve(t.values, run.ConfigVar)
		if err != nil {
			return nil, err
		}
		return hook(ctx, run, inputs)
	}
}

// setHooks finds what calls the flow in its instance's life: its component first, then the
// flow itself (behaviour of the platform).
func (f *Flow) setHooks() {
	add := func(hooks *[]sluice.LifecycleFunc, hook sluice.LifecycleFunc) {
		if hook != nil {
			*hooks = append(*hooks, hook)
		}
	}
	if c := f.component; c != nil {
		add(&f.onDeploy, c.bindHook(c.OnInstanceDeploy))
		add(&f.onDelete, c.bindHook(c.OnInstanceDelete))
		if handlers := c.WebhookLifecycleHandlers; handlers != nil {
			f.webhooks = append(f.webhooks, &sluice.WebhookLifecycleHandlers{Create: c.bindHook(handlers.Create), Delete: c.bindHook(handlers.Delete)})
		}
	}
	add(&f.onDeploy, f.OnInstanceDeploy)
	add(&f.onDelete, f.OnInstanceDelete)
	if f.WebhookLifecycleHandlers != nil {
		f.webhooks = append(f.webhooks, f.WebhookLifecycleHandlers)
	}
}

// resolve finds the code of what the flows refer to. It reports everything that is missing at
// once.
func (d *definition) resolve(components map[string]sluice.Component) error {
	d.components = components
	var faults []error
	for i, flow := range d.ordered {
		if trigger, ok := flow.trigger.(sluice.ComponentTrigger); ok {
			manifest, _ := d.integration.Component(trigger.Component) // Validate has found it, and the entry.
			entry, _ := manifest.Trigger(trigger.Key)
			code, ok := components[manifest.Key].Triggers[entry.EntryKey()]
			if !ok {
				faults = append(faults, fmt.Errorf("flows[%d].trigger: trigger %q of component %q has no code: add the component to Options.Components",
					i, entry.EntryKey(), manifest.Key))
			}
			if ok && flow.RunInitialSyncOnDeploy && code.OnDeployTrigger == nil {
				faults = append(faults, fmt.Errorf("flows[%d].runInitialSyncOnDeploy: trigger %q of component %q has no initial sync: set its OnDeployTrigger",
					i, entry.EntryKey(), manifest.Key))
			}
			flow.component = &componentTrigger{code, entry, trigger.Values}
		}
		flow.setHooks()
	}
	return errors.Join(faults...)
}

// checkInputs tells which inputs of components have no value with a configuration.
func (d *definition) checkInputs(config []byte) error {
	values, err := d.integration.DecodeConfigValues(config)
	if err != nil {
		return err
	}
	configVar := func(key string) (any, bool) {
		value, ok := values[key]
		return value, ok
	}
	var faults []error
	for _, flow := range d.ordered {
		if flow.component == nil {
			continue
		}
		if _, err := flow.component.entry.Resolve(flow.component.values, configVar); err != nil {
			faults = append(faults, fmt.Errorf("flow %q: trigger: %w", flow.Name, err))
		}
	}
	return errors.Join(faults...)
}

// Action implements host.Run.
func (u *unit) Action(component, action string, given map[string]any) (perform any, inputs map[string]any, err error) {
	d := u.x.target.definition
	manifest, ok := d.integration.Component(component)
	if !ok {
		return nil, nil, sluice.Permanent(fmt.Errorf("component %q is not in the registry of integration %q", component, d.integration.Name))
	}
	entry, ok := manifest.Action(action)
	if !ok {
		return nil, nil, sluice.Permanent(fmt.Errorf("component %q has no action %q in the registry", component, action))
	}
	code, ok := d.components[manifest.Key].Actions[entry.EntryKey()]
	if !ok {
		return nil, nil, sluice.Permanent(fmt.Errorf("action %q of component %q has no code: add it to Options.Components", entry.EntryKey(), manifest.Key))
	}
	inputs, err = entry.Complete(given)
	if err != nil {
		return nil, nil, sluice.Permanent(fmt.Errorf("action %q of component %q: %w", action, component, err))
	}
	return code, inputs, nil
}
