package sluice

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"

	"github.com/sluice-go/sluice/internal/variant"
)

// registry checks the components that references may name.
func (v *validator) registry() {
	components := v.unique("the component")
	for n, component := range v.integration.ComponentRegistry {
		path := at("componentRegistry", n)
		v.required(path+".key", component.Key)
		if component.Key != "" {
			components.take(path+".name", component.name())
		}
		actions, triggers := v.unique("the action"), v.unique("the trigger")
		dataSources, connections := v.unique("the data source"), v.unique("the connection")
		for m, action := range component.Actions {
			v.entry(at(path+".actions", m), action.ComponentEntry, actions)
		}
		for m, trigger := range component.Triggers {
			v.entry(at(path+".triggers", m), trigger, triggers)
		}
		for m, source := range component.DataSources {
			v.entry(at(path+".dataSources", m), source.ComponentEntry, dataSources)
			oneOf(v, at(path+".dataSources", m)+".dataSourceType", source.DataSourceType, dataSourceTypes...)
		}
		for m, connection := range component.Connections {
			v.entry(at(path+".connections", m), connection.ComponentEntry, connections)
		}
	}
}

// dataSourceTypes are the data types that a data source can fill.
var dataSourceTypes = []ConfigVarDataType{
	DataTypeString, DataTypeDate, DataTypeTimestamp, DataTypePicklist, DataTypeSchedule, DataTypeCode,
	DataTypeBoolean, DataTypeNumber, DataTypeObjectSelection, DataTypeObjectFieldMap, DataTypeJSONForm,
}

func (v *validator) entry(path string, entry ComponentEntry, entries names) {
	entries.take(path+".key", entry.name())
	inputs := v.unique("the input")
	for n, input := range entry.Inputs {
		inputPath := at(path+".inputs", n)
		inputs.take(inputPath+".key", input.Key)
		v.collection(inputPath+".collection", input.Collection)
		if _, err := json.Marshal(input.Default); err != nil {
			v.add(inputPath+".default", "the value cannot be written as JSON")
		}
	}
}

func (v *validator) collection(path string, collection CollectionType) {
	if collection != "" {
		oneOf(v, path, collection, CollectionValueList, CollectionKeyValueList)
	}
}

// component looks a reference's component up, in spectral's words when there is none.
func (v *validator) component(path, name string) (ComponentManifest, bool) {
	component, ok := v.integration.Component(name)
	if !ok {
		v.mirror(path+".component", `Component with key "%s" not found in component registry.`, name)
	}
	return component, ok
}

// missingEntry says, in spectral's words, that a component has no such entry.
func (v *validator) missingEntry(path, component, key string) {
	v.mirror(path+".key", `Component with key "%s" does not have an entry with key "%s" in the component registry.`, component, key)
}

func (v *validator) componentTrigger(path string, trigger ComponentTrigger) {
	component, ok := v.component(path, trigger.Component)
	if !ok {
		return
	}
	entry, ok := component.Trigger(trigger.Key)
	if !ok {
		v.missingEntry(path, trigger.Component, trigger.Key)
		return
	}
	v.expressions(path+".values", trigger.Values, entry.Inputs)
}

// expressions checks the values of a reference's inputs.
func (v *validator) expressions(path string, values map[string]InputExpression, inputs []ComponentInput) {
	if v.mirrored {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(values)) {
		keyPath := path + "." + key
		n := slices.IndexFunc(inputs, func(input ComponentInput) bool { return input.Key == key })
		if n < 0 {
			v.add(keyPath, "the component has no such input")
			continue
		}
		switch expression := variant.Of(values[key]).(type) {
		case nil:
			v.add(keyPath, "a value is required")
		case ValueExpression:
			v.permission(keyPath, expression.PermissionAndVisibilityType)
			v.expressionValue(keyPath+".value", expression.Value, inputs[n])
		case ConfigVarExpression:
			v.knownVar(keyPath+".configVar", expression.ConfigVar)
		case TemplateExpression:
			v.template(keyPath+".template", expression.Template)
		case OpenExpression:
			v.permission(keyPath, expression.PermissionAndVisibilityType)
		}
	}
}

func (v *validator) expressionValue(path string, value any, input ComponentInput) {
	if _, err := json.Marshal(value); err != nil {
		v.add(path, "the value cannot be written as JSON")
		return
	}
	switch input.Collection {
	case CollectionValueList:
		if _, ok := listOf(value); !ok {
			v.add(path, "%v", expected("a list", value))
		}
	case CollectionKeyValueList:
		if _, ok := Pairs(value); !ok {
			v.add(path, "%v", expected("a list of keys and values, or a map", value))
		}
	}
}

func (v *validator) knownVar(path, key string) {
	if _, ok := v.vars[key]; !ok {
		v.add(path, "there is no config variable %q", key)
	}
}

// varSlot is a place in a template that a config variable fills.
var varSlot = regexp.MustCompile(`\{\{#([^{}]*)\}\}`)

func (v *validator) template(path, template string) {
	v.required(path, template)
	for _, match := range varSlot.FindAllStringSubmatch(template, -1) {
		v.knownVar(path, match[1])
	}
}

func (v *validator) permission(path string, permission PermissionAndVisibilityType) {
	if permission != "" {
		oneOf(v, path+".permissionAndVisibilityType", permission, PermissionCustomer, PermissionEmbedded, PermissionOrganization)
	}
}
