package manifest

import (
	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/internal/variant"
)

// componentReference is an entry of a component with the values of its inputs.
type componentReference struct {
	manifest sluice.ComponentManifest
	key      string
	inputs   *node
}

// action is what the document refers to.
func (r componentReference) action() *node {
	component := newObject()
	component.text("key", r.manifest.Key)
	component.text("signature", r.manifest.Signature)
	component.boolean("isPublic", r.manifest.Public)
	o := newObject()
	o.set("component", component.node)
	o.text("key", r.key)
	return o.node
}

func (e *exporter) triggerReference(trigger sluice.ComponentTrigger) (componentReference, error) {
	manifest, _ := e.integration.Component(trigger.Component)
	entry, _ := manifest.Trigger(trigger.Key)
	return reference(manifest, entry, trigger.Values)
}

func reference(manifest sluice.ComponentManifest, entry sluice.ComponentEntry, values map[string]sluice.InputExpression) (componentReference, error) {
	inputs := newObject()
	for _, input := range entry.Inputs {
		node, err := inputNode(input, values[input.Key])
		if err != nil {
			return componentReference{}, err
		}
		if node != nil {
			inputs.set(input.Key, node)
		}
	}
	return componentReference{manifest: manifest, key: entry.EntryKey(), inputs: inputs.node}, nil
}

// inputNode writes the value of an input; nil leaves the input out.
func inputNode(input sluice.ComponentInput, expression sluice.InputExpression) (*node, error) {
	o := newObject()
	switch expression := variant.Of(expression).(type) {
	case nil:
		return valueNode(input, sluice.ValueExpression{Value: inputDefault(input)})
	case sluice.ValueExpression:
		return valueNode(input, expression)
	case sluice.ConfigVarExpression:
		o.text("type", "configVar")
		o.text("value", expression.ConfigVar)
	case sluice.TemplateExpression:
		o.text("type", "template")
		o.text("value", expression.Template)
	default:
		return nil, nil //nolint:nilnil // An open input has no node, which is no error.
	}
	return o.node, nil
}

func inputDefault(input sluice.ComponentInput) any {
	switch {
	case input.Collection != "" && input.Default == "":
		return []any{}
	case input.Collection == "" && input.Default == nil:
		return ""
	}
	return input.Default
}

func valueNode(input sluice.ComponentInput, expression sluice.ValueExpression) (*node, error) {
	o := newObject()
	value, err := inputValue(input, expression.Value)
	if err != nil {
		return nil, err
	}
	if input.Collection == "" {
		o.text("type", "value")
	} else {
		o.text("type", "complex")
	}
	if value != nil {
		o.set("value", value)
	}
	o.set("meta", inputMeta(expression.PermissionAndVisibilityType, expression.VisibleToOrgDeployer, expression.WriteOnly))
	return o.node, nil
}

// inputValue writes a value: a text as it is, anything else as JSON in a text, a
// collection as a list; nil leaves a collection open that has no default.
func inputValue(input sluice.ComponentInput, value any) (*node, error) {
	if input.Collection == "" {
		if plain, ok := value.(string); ok {
			return text(plain), nil
		}
		data, err := stringify(value)
		return text(data), err
	}
	if value == nil {
		return nil, nil //nolint:nilnil // Nothing to write is no error.
	}
	if input.Collection == sluice.CollectionKeyValueList {
		if pairs, ok := sluice.Pairs(value); ok {
			return pairsNode(pairs)
		}
	}
	values, err := jsonNode(value)
	if err != nil || values.kind != sequenceNode {
		return values, err
	}
	items := make([]*node, len(values.children))
	for i, item := range values.children {
		items[i] = valueItem(item.value).node
	}
	return list(items), nil
}

// pairsNode writes a key-value list. Spectral writes each value as JSON, texts too.
func pairsNode(pairs []sluice.KeyValue[any]) (*node, error) {
	items := make([]*node, len(pairs))
	for i, pair := range pairs {
		data, err := stringify(pair.Value)
		if err != nil {
			return nil, err
		}
		o := newObject()
		o.set("name", valueItem(text(pair.Key)).node)
		o.text("type", "value")
		o.text("value", data)
		items[i] = o.node
	}
	return list(items), nil
}

func valueItem(value *node) object {
	o := newObject()
	o.text("type", "value")
	o.set("value", value)
	return o
}

// inputMeta says who sees and edits an input.
func inputMeta(permission sluice.PermissionAndVisibilityType, visibleToOrg *bool, writeOnly bool) *node {
	o := newObject()
	o.boolean("orgOnly", permission == sluice.PermissionOrganization)
	o.boolean("visibleToOrgDeployer", visibleToOrg == nil || *visibleToOrg)
	o.boolean("visibleToCustomerDeployer", permission == "" || permission == sluice.PermissionCustomer)
	o.flag("writeOnly", writeOnly)
	return o.node
}
