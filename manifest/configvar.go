package manifest

import (
	"fmt"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/internal/casing"
	"github.com/sluice-go/sluice/internal/variant"
)

// pages writes config pages. Connections that the organization or the customer has
// activated are not collected on a page, and left out there.
func pages(pages []sluice.ConfigPage, userLevel bool) []*node {
	nodes := make([]*node, len(pages))
	for n, page := range pages {
		o := newObject()
		o.text("name", page.Name)
		o.optional("tagline", page.Tagline)
		o.flag("userLevelConfigured", userLevel)
		elements := make([]*node, 0, len(page.Elements))
		for _, element := range page.Elements {
			if kind, value, ok := pageElement(element); ok {
				e := newObject()
				e.text("type", kind)
				e.text("value", value)
				elements = append(elements, e.node)
			}
		}
		o.set("elements", list(elements))
		nodes[n] = o.node
	}
	return nodes
}

func pageElement(element sluice.ConfigElement) (kind, value string, ok bool) {
	switch element := variant.Of(element).(type) {
	case sluice.HTMLElement:
		return "htmlElement", element.Content, true
	case sluice.HTMLElementVar:
		return "htmlElement", element.Key, true
	case sluice.ConfigVar:
		definition := element.Definition()
		switch variant.Of(definition.Connection).(type) {
		case sluice.OrganizationActivatedConnection, sluice.CustomerActivatedConnection:
			return "", "", false
		}
		return "configVar", definition.Key, true
	}
	return "", "", false
}

// requiredConfigVars lists the config variables: of the pages, of the user-level pages,
// then the scoped ones.
func (e *exporter) requiredConfigVars() (*node, error) {
	var elements []sluice.ConfigElement
	for _, page := range e.integration.ConfigPages {
		elements = append(elements, page.Elements...)
	}
	for _, page := range e.integration.UserLevelConfigPages {
		elements = append(elements, page.Elements...)
	}
	elements = append(elements, e.integration.ScopedConfigVars...)
	nodes := make([]*node, 0, len(elements))
	for _, element := range elements {
		configVar, ok := variant.Of(element).(sluice.ConfigVar)
		if !ok {
			continue
		}
		definition := configVar.Definition()
		if definition.DataType == sluice.DataTypeHTMLElement {
			continue
		}
		o, err := e.configVar(configVar, definition)
		if err != nil {
			return nil, fmt.Errorf("config variable %q: %w", definition.Key, err)
		}
		nodes = append(nodes, o.node)
	}
	return list(nodes), nil
}

func (e *exporter) configVar(configVar sluice.ConfigVar, definition sluice.ConfigVarDefinition) (object, error) {
	if connection, ok := configVar.(sluice.ConnectionVar); ok {
		return e.connection(connection, definition)
	}
	o, meta := newObject(), configMeta(definition)
	o.boolean("orgOnly", definition.PermissionAndVisibilityType == sluice.PermissionOrganization)
	o.set("meta", meta.node)
	o.text("key", definition.Key)
	if err := setDefault(o, definition); err != nil {
		return object{}, err
	}
	o.text("stableKey", definition.StableKey)
	o.optional("description", definition.Description)
	o.text("dataType", string(definition.DataType))
	o.texts("pickList", definition.PickList)
	o.optional("timeZone", definition.TimeZone)
	o.optional("codeLanguage", string(definition.CodeLanguage))
	o.optional("collectionType", string(definition.CollectionType))
	source := variant.Of(definition.DataSource)
	if definition.DataType == sluice.DataTypeSchedule && source == nil {
		o.text("scheduleType", string(definition.ScheduleType))
	}
	_, referenced := source.(sluice.DataSourceReference)
	switch {
	case definition.ValidationMode != "":
		meta.text("validationMode", string(definition.ValidationMode))
	case definition.DataType == sluice.DataTypeJSONForm && !referenced:
		meta.text("validationMode", string(sluice.ValidateAndShow))
	}
	return o, e.dataSource(o, meta, definition, source)
}

// configMeta says who sees a config variable.
func configMeta(definition sluice.ConfigVarDefinition) object {
	meta := newObject()
	meta.boolean("visibleToCustomerDeployer", definition.PermissionAndVisibilityType == sluice.PermissionCustomer)
	meta.boolean("visibleToOrgDeployer", definition.VisibleToOrgDeployer)
	return meta
}

// setDefault adds the default: a text as it is, anything else as JSON in a text. The
// values of a key-value list are texts, JSON where they are not.
func setDefault(o object, definition sluice.ConfigVarDefinition) error {
	value := definition.Default
	if value == nil {
		return nil
	}
	if plain, ok := value.(string); ok {
		o.text("defaultValue", plain)
		return nil
	}
	if definition.CollectionType == sluice.CollectionKeyValueList {
		pairs, _ := sluice.Pairs(value)
		texts := make([]sluice.KeyValue[string], len(pairs))
		for i, pair := range pairs {
			plain, ok := pair.Value.(string)
			if !ok {
				data, err := stringify(pair.Value)
				if err != nil {
					return err
				}
				plain = data
			}
			texts[i] = sluice.KeyValue[string]{Key: pair.Key, Value: plain}
		}
		value = texts
	}
	data, err := stringify(value)
	if err != nil {
		return err
	}
	o.text("defaultValue", data)
	return nil
}

func (e *exporter) dataSource(o, meta object, definition sluice.ConfigVarDefinition, source any) error {
	switch source := source.(type) {
	case sluice.InlineDataSource:
		dataSource := newObject()
		dataSource.text("key", casing.Camel(definition.Key))
		dataSource.set("component", e.ownComponent)
		o.set("dataSource", dataSource.node)
		if reset := source.DataSourceReset; reset != nil && definition.DataType == sluice.DataTypeJSONForm {
			meta.text("dataSourceReset", string(reset.Mode))
			o.set("inputs", dependencies(reset.Dependencies).node)
		}
	case sluice.DataSourceReference:
		manifest, _ := e.integration.Component(source.Component)
		entry, _ := manifest.DataSource(source.Key)
		reference, err := reference(manifest, entry.ComponentEntry, source.Values)
		if err != nil {
			return err
		}
		o.set("dataSource", reference.action())
		o.set("inputs", reference.inputs)
		if reset := source.DataSourceReset; reset != nil {
			meta.text("dataSourceReset", string(reset.Mode))
		}
	}
	return nil
}

// dependencies makes an input of each config variable whose change resets a form.
func dependencies(keys []string) object {
	inputs := newObject()
	for n, key := range keys {
		input := newObject()
		input.text("type", "configVar")
		input.text("value", key)
		inputs.set(fmt.Sprintf("input%d", n), input.node)
	}
	return inputs
}
