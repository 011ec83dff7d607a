package sluice

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/sluice-go/sluice/internal/encode"
	"github.com/sluice-go/sluice/internal/variant"
)

// Component is the code of a component, which its manifest in the registries of integrations
// only describes. A runtime gets its components with Options.Components.
type Component struct {
	// Key of the component, as in its manifest. Required.
	Key string
	// Triggers and Actions by their keys, as in its manifest. There may be fewer: a trigger
	// without code is refused where a flow refers to it, an action where it is called.
	Triggers map[string]TriggerDefinition
	Actions  map[string]ActionFunc
}

// Inputs are the values of a component's inputs, by key: those that the reference gives, else
// the defaults of the manifest. An input without either is missing. Lists and maps are the
// call's own, to change as it likes.
type Inputs map[string]any

// TriggerDefinition is the code of a component's trigger.
type TriggerDefinition struct {
	// Perform sees each request of the flow, and what its schedule brings about. Required.
	Perform ComponentTriggerFunc
	// OnDeployTrigger is the trigger's initial sync. It is called instead of Perform, once,
	// when an instance is first deployed, for flows with RunInitialSyncOnDeploy.
	OnDeployTrigger ComponentTriggerFunc
	// OnInstanceDeploy and OnInstanceDelete are called before the flow's own.
	OnInstanceDeploy ComponentLifecycleFunc
	OnInstanceDelete ComponentLifecycleFunc
	// WebhookLifecycleHandlers are called before the flow's own.
	WebhookLifecycleHandlers *ComponentWebhookLifecycleHandlers
}

// ComponentTriggerFunc is a [TriggerFunc] with the inputs of the reference.
type ComponentTriggerFunc func(ctx context.Context, run *Run, payload *TriggerPayload, inputs Inputs) (*TriggerResult, error)

// ComponentLifecycleFunc is a [LifecycleFunc] with the inputs of the reference.
type ComponentLifecycleFunc func(ctx context.Context, run *Run, inputs Inputs) (*LifecycleResult, error)

// ComponentWebhookLifecycleHandlers are [WebhookLifecycleHandlers] with the inputs of the
// reference. Both are required.
type ComponentWebhookLifecycleHandlers struct {
	Create, Delete ComponentLifecycleFunc
}

// ActionFunc is the code of a component's action.
type ActionFunc func(ctx context.Context, run *Run, inputs Inputs) (any, error)

// Check reports what the component lacks, all at once.
func (c Component) Check() error {
	var faults []error
	if c.Key == "" {
		faults = append(faults, errors.New("a component needs a key"))
	}
	for key, trigger := range c.Triggers {
		if trigger.Perform == nil {
			faults = append(faults, fmt.Errorf("component %q: trigger %q has no Perform", c.Key, key))
		}
		if handlers := trigger.WebhookLifecycleHandlers; handlers != nil && (handlers.Create == nil || handlers.Delete == nil) {
			faults = append(faults, fmt.Errorf("component %q: trigger %q needs both webhook handlers", c.Key, key))
		}
	}
	for key, action := range c.Actions {
		if action == nil {
			faults = append(faults, fmt.Errorf("component %q: action %q has no function", c.Key, key))
		}
	}
	return errors.Join(faults...)
}

// CallAction calls an action of a component, both by what the integration's registry calls
// them. Inputs that are not given have the defaults of the manifest; those that it does not
// know are refused, and so are required ones that are missing. It is a plain call: in a [Step]
// it is durable.
func (r *Run) CallAction(ctx context.Context, component, action string, inputs Inputs) (any, error) {
	perform, resolved, err := r.host.Action(component, action, inputs)
	if err != nil {
		return nil, err
	}
	call, ok := perform.(ActionFunc)
	if !ok {
		return nil, fmt.Errorf("sluice: action %q of component %q is a %T", action, component, perform)
	}
	return call(ctx, r, resolved)
}

// Action returns the action that references call name.
func (m ComponentManifest) Action(name string) (ComponentAction, bool) {
	return entryOf(m.Actions, name, func(entry ComponentAction) ComponentEntry { return entry.ComponentEntry })
}

// Resolve returns the values of the entry's inputs: those of the expressions, else the
// defaults. configVar reads the instance's configuration, as [Run.ConfigVar] does. It reports
// everything that is wrong at once.
func (e ComponentEntry) Resolve(expressions map[string]InputExpression, configVar func(key string) (value any, ok bool)) (Inputs, error) {
	given := Inputs{}
	for key, expression := range expressions {
		switch expression := variant.Of(expression).(type) {
		case ValueExpression:
			given[key] = ownCopy(expression.Value)
		case ConfigVarExpression:
			value, _ := configVar(expression.ConfigVar)
			given[key] = ownCopy(value)
		case TemplateExpression:
			given[key] = varSlot.ReplaceAllStringFunc(expression.Template, func(slot string) string {
				value, _ := configVar(varSlot.FindStringSubmatch(slot)[1])
				return textOf(value)
			})
		case OpenExpression:
			given[key] = nil // Not even the default.
		}
	}
	return e.Complete(given)
}

// Complete returns the given values of the entry's inputs, and the defaults of the others. It
// reports inputs that the entry does not have, and required ones without a value.
func (e ComponentEntry) Complete(given Inputs) (Inputs, error) {
	var faults []error
	inputs, known := Inputs{}, map[string]bool{}
	for _, input := range e.Inputs {
		known[input.Key] = true
		value, ok := given[input.Key]
		if !ok {
			value = ownCopy(input.Default)
		}
		if pairs, isPairs := Pairs(value); isPairs && input.Collection == CollectionKeyValueList {
			value = pairs
		}
		if empty := value == nil || value == ""; empty && input.Required {
			faults = append(faults, fmt.Errorf("input %q is required and has no value", input.Key))
		}
		if value != nil {
			inputs[input.Key] = value
		}
	}
	for _, key := range slices.Sorted(maps.Keys(given)) {
		if !known[key] {
			faults = append(faults, fmt.Errorf("there is no input %q", key))
		}
	}
	return inputs, errors.Join(faults...)
}

// ownCopy is a value with lists and maps of its own: those of a definition and of a
// configuration serve every call, of every customer.
func ownCopy(value any) any {
	if value == nil {
		return nil
	}
	return copyOf(reflect.ValueOf(value)).Interface()
}

func copyOf(v reflect.Value) reflect.Value {
	switch kind := v.Kind(); {
	case kind == reflect.Interface && !v.IsNil():
		return copyOf(v.Elem())
	case kind == reflect.Map && !v.IsNil():
		own := reflect.MakeMapWithSize(v.Type(), v.Len())
		for key, element := range v.Seq2() {
			own.SetMapIndex(key, copyOf(element))
		}
		return own
	case kind == reflect.Slice && !v.IsNil():
		own := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			own.Index(i).Set(copyOf(v.Index(i)))
		}
		return own
	case kind == reflect.Struct:
		own := reflect.New(v.Type()).Elem()
		own.Set(v)
		for i := range v.NumField() {
			if own.Field(i).CanSet() {
				own.Field(i).Set(copyOf(v.Field(i)))
			}
		}
		return own
	default:
		return v
	}
}

// textOf is a value in a template: a text as it is, nothing as nothing, all else as JSON.
func textOf(value any) string {
	switch value := value.(type) {
	case nil:
		return ""
	case string:
		return value
	default:
		data, err := encode.JSON(value)
		if err != nil {
			return ""
		}
		return string(data)
	}
}
