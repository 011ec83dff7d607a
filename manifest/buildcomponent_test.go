package manifest_test

import (
	"encoding/json"

	"github.com/sluice-go/sluice"
)

// component builds a manifest. Functions of its entries are the platform's; Go resolves
// them at run time.
func component(name string, o *object) sluice.ComponentManifest {
	built := sluice.ComponentManifest{Name: name, Key: o.text("key"), Public: o.boolean("public")}
	if signature, _ := o.get("signature"); signature != nil {
		built.Signature = o.text("signature")
	}
	o.each("actions", func(name string, o *object) {
		action := sluice.ComponentAction{ComponentEntry: entry(name, o)}
		action.ExamplePayload, _ = o.get("examplePayload")
		for _, platforms := range []string{"examplePerform", "examplePerformSafety", "performSafety", "outputSchema"} {
			o.get(platforms) // The platform's; a reference needs none of it.
		}
		built.Actions = append(built.Actions, action)
	})
	o.each("triggers", func(name string, o *object) { built.Triggers = append(built.Triggers, entry(name, o)) })
	o.each("dataSources", func(name string, o *object) {
		built.DataSources = append(built.DataSources, sluice.ComponentDataSource{
			ComponentEntry: entry(name, o), DataSourceType: sluice.ConfigVarDataType(o.text("dataSourceType")),
		})
	})
	o.each("connections", func(name string, o *object) {
		built.Connections = append(built.Connections, sluice.ComponentConnection{
			ComponentEntry: entry(name, o), OnPremAvailable: o.boolean("onPremAvailable"),
		})
	})
	return built
}

func entry(name string, o *object) sluice.ComponentEntry {
	o.function("perform")
	built := sluice.ComponentEntry{Name: name, Key: o.text("key")}
	o.each("inputs", func(key string, o *object) {
		input := sluice.ComponentInput{
			Key: key, InputType: o.text("inputType"), Collection: sluice.CollectionType(o.text("collection")),
			Required: o.boolean("required"), OnPremControlled: o.boolean("onPremControlled"),
		}
		input.Default, _ = o.get("default")
		input.Default = plain(input.Default)
		built.Inputs = append(built.Inputs, input)
	})
	return built
}

// plain turns decoded JSON into values that an author would write; objects keep the order
// of their members.
func plain(value any) any {
	switch value := value.(type) {
	case json.Number:
		number, err := value.Float64()
		if err != nil {
			fail("number", "%w", err)
		}
		return number
	case []any:
		list := make([]any, len(value))
		for i, element := range value {
			list[i] = plain(element)
		}
		return list
	}
	return value
}

func expressions(o *object, inputs []sluice.ComponentInput) map[string]sluice.InputExpression {
	built := map[string]sluice.InputExpression{}
	o.each("values", func(key string, o *object) {
		permission, visible := sluice.PermissionAndVisibilityType(o.text("permissionAndVisibilityType")), o.flag("visibleToOrgDeployer")
		writeOnly := o.boolean("writeOnly")
		switch {
		case o.has("value"):
			value, _ := o.get("value")
			built[key] = sluice.ValueExpression{
				Value: inputValue(value, collectionOf(inputs, key)), PermissionAndVisibilityType: permission,
				VisibleToOrgDeployer: visible, WriteOnly: writeOnly,
			}
		case o.has("configVar"):
			built[key] = sluice.ConfigVarExpression{ConfigVar: o.text("configVar")}
		case o.has("template"):
			built[key] = sluice.TemplateExpression{Template: o.text("template")}
		default:
			built[key] = sluice.OpenExpression{PermissionAndVisibilityType: permission, VisibleToOrgDeployer: visible, WriteOnly: writeOnly}
		}
	})
	return built
}

func collectionOf(inputs []sluice.ComponentInput, key string) sluice.CollectionType {
	for _, input := range inputs {
		if input.Key == key {
			return input.Collection
		}
	}
	return ""
}

func inputValue(value any, collection sluice.CollectionType) any {
	members, ok := value.(ordered)
	if !ok || collection != sluice.CollectionKeyValueList {
		return plain(value)
	}
	pairs := make([]sluice.KeyValue[any], len(members))
	for i, m := range members {
		pairs[i] = sluice.KeyValue[any]{Key: m.key, Value: plain(m.value)}
	}
	return pairs
}
