package sluice

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/sluice-go/sluice/internal/casing"
	"github.com/sluice-go/sluice/internal/variant"
)

// configuration checks the config pages and the scoped config variables.
func (v *validator) configuration() {
	i := v.integration
	v.collectVars()
	keys := configKeys{v: v, scoped: map[string]bool{}, stable: v.unique("the stable key"), functions: map[string]string{}}
	for _, element := range i.ScopedConfigVars {
		keys.scoped[elementKey(element)] = true
	}
	keys.used = map[string]bool{}
	v.pages("configPages", i.ConfigPages, &keys)
	keys.pages, keys.used = keys.used, map[string]bool{}
	v.pages("userLevelConfigPages", i.UserLevelConfigPages, &keys)
	v.scoped(&keys)
	v.placement()
}

// collectVars notes the config variables by key, for references to them.
func (v *validator) collectVars() {
	i := v.integration
	for _, pages := range [][]ConfigPage{i.ConfigPages, i.UserLevelConfigPages, {{Elements: i.ScopedConfigVars}}} {
		for configVar := range configVars(pages) {
			definition := configVar.Definition()
			if _, known := v.vars[definition.Key]; !known {
				v.vars[definition.Key] = definition
			}
		}
	}
}

func elementKey(element ConfigElement) string {
	switch element := variant.Of(element).(type) {
	case HTMLElement:
		return element.Key
	case ConfigVar:
		return element.Definition().Key
	}
	return ""
}

// configKeys notes which keys of config variables are taken.
type configKeys struct {
	v      *validator
	used   map[string]bool // In the pages of this kind.
	pages  map[string]bool // On the config pages, while the user-level ones are checked.
	scoped map[string]bool
	stable names
	// functions are the keys of inline connections and data sources, by kind and key.
	functions map[string]string
}

// take notes a config variable's keys.
func (k *configKeys) take(path string, definition ConfigVarDefinition) {
	switch key := definition.Key; {
	case strings.TrimSpace(key) == "":
		k.v.add(path+".key", "a value is required")
	case k.used[key] || k.scoped[key]:
		k.v.mirror(path+".key", `Duplicate config var key: "%s"`, key)
	case k.pages[key]: // Spectral lets the user-level variable replace the other.
		k.v.add(path+".key", `Duplicate config var key: "%s"`, key)
	}
	k.used[definition.Key] = true
	k.stable.take(path+".stableKey", definition.StableKey)
}

// takeFunction notes the key that an inline connection or data source gets from its name.
func (k *configKeys) takeFunction(path, kind, key string) {
	camel := casing.Camel(key)
	switch first, taken := k.functions[kind+camel]; {
	case camel == "":
		k.v.add(path+".key", "the key needs letters or digits, of which the key of its %s is made", kind)
	case taken && first != key:
		k.v.add(path+".key", "%q and %q make the same key %q of a %s", key, first, camel, kind)
	}
	k.functions[kind+camel] = key
}

func (v *validator) pages(list string, pages []ConfigPage, keys *configKeys) {
	pageNames := v.unique("the page")
	for n, page := range pages {
		path := at(list, n)
		pageNames.take(path+".name", page.Name)
		for m, element := range page.Elements {
			elementPath := at(path+".elements", m)
			switch element := variant.Of(element).(type) {
			case HTMLElement:
			case ConfigVar:
				definition := element.Definition()
				keys.take(elementPath, definition)
				v.configVar(elementPath, element, definition, keys)
			default:
				v.add(elementPath, "an element is required")
			}
		}
	}
}

// scoped checks the scoped config variables: activated connections, each with a key of its own.
func (v *validator) scoped(keys *configKeys) {
	used := map[string]bool{}
	for n, element := range v.integration.ScopedConfigVars {
		path := at("scopedConfigVars", n)
		key := elementKey(element)
		if used[key] && key != "" {
			v.mirror(path+".key", `Duplicate config var key: "%s"`, key)
		}
		used[key] = true
		switch element := variant.Of(element).(type) {
		case HTMLElement:
			v.required(path+".key", element.Key)
		case ConnectionVar:
			v.required(path+".key", element.Key)
			keys.stable.take(path+".stableKey", element.StableKey)
			switch variant.Of(element.Connection).(type) {
			case OrganizationActivatedConnection, CustomerActivatedConnection, UserActivatedConnection:
			default:
				v.add(path+".connection", "a scoped config variable is an activated connection: put others on a config page")
				v.connection(path, element, keys)
			}
		case ConfigVar:
			v.add(path, "a scoped config variable is an activated connection: put others on a config page")
		default:
			v.add(path, "an element is required")
		}
	}
}

// placement checks on which kind of page an activated connection stands, in spectral's words.
func (v *validator) placement() {
	misplaced := func(pages []ConfigPage, kind string, belongs func(definition any) bool) string {
		var found []string
		for _, page := range pages {
			for configVar := range configVars([]ConfigPage{page}) {
				definition := configVar.Definition()
				if connection := variant.Of(definition.Connection); connection != nil && !belongs(connection) {
					found = append(found, `"`+definition.Key+`" on `+kind+` "`+page.Name+`"`)
				}
			}
		}
		return strings.Join(found, ", ")
	}
	if found := misplaced(v.integration.ConfigPages, "config page", func(connection any) bool {
		_, users := connection.(UserActivatedConnection)
		return !users
	}); found != "" {
		v.mirror("configPages", "A user-activated connection is activated by each person individually, so it belongs on a user level config page. Move %s.", found)
	}
	if found := misplaced(v.integration.UserLevelConfigPages, "user level config page", func(connection any) bool {
		switch connection.(type) {
		case OrganizationActivatedConnection, CustomerActivatedConnection:
			return false
		}
		return true
	}); found != "" {
		v.mirror("userLevelConfigPages", "A connection activated once by the organization or the customer does not belong on a user level config page, which asks each person for their own. Move %s.", found)
	}
}

// configVar checks one config variable of a page.
func (v *validator) configVar(path string, configVar ConfigVar, definition ConfigVarDefinition, keys *configKeys) {
	if connection, ok := configVar.(ConnectionVar); ok {
		v.permission(path, connection.PermissionAndVisibilityType)
		v.connection(path, connection, keys)
		return
	}
	v.dataSource(path+".dataSource", definition, keys)
	if v.mirrored {
		return
	}
	v.permission(path, definition.PermissionAndVisibilityType)
	if list, ok := configVar.(interface{ elementVar() ConfigVar }); ok {
		v.listElement(path, list.elementVar())
	}
	v.typeFields(path, definition)
	if fallback := defaultValue(definition); fallback != nil {
		if _, err := configVar.parse(v.integration, fallback); err != nil {
			v.add(path+".default", "%v", err)
		}
	}
}

func (v *validator) listElement(path string, element ConfigVar) {
	switch {
	case isNil(element):
		v.add(path+".element", "a list needs an element that describes its values")
	case element.Definition().Default != nil:
		v.add(path+".element.default", "the default of a list stands on the list, not on its element")
	}
}

// typeFields checks what only some data types have.
func (v *validator) typeFields(path string, definition ConfigVarDefinition) {
	sourced := variant.Of(definition.DataSource) != nil
	switch definition.DataType {
	case DataTypePicklist:
		v.pickList(path+".pickList", definition.PickList, sourced)
	case DataTypeCode:
		if !sourced || definition.CodeLanguage != "" {
			oneOf(v, path+".codeLanguage", definition.CodeLanguage, CodeLanguageJSON, CodeLanguageXML, CodeLanguageHTML)
		}
	case DataTypeSchedule:
		oneOf(v, path+".scheduleType", definition.ScheduleType, scheduleTypes...)
		v.timeZone(path+".timeZone", definition.TimeZone)
	case DataTypeJSONForm:
		v.form(path, definition)
	default:
	}
}

func (v *validator) pickList(path string, choices []string, sourced bool) {
	if len(choices) == 0 && !sourced {
		v.add(path, "a picklist needs choices, or a data source that offers them")
	}
	for n, choice := range choices {
		if slices.Index(choices, choice) < n {
			v.add(at(path, n), "the choice %q occurs twice", choice)
		}
	}
}

func (v *validator) form(path string, definition ConfigVarDefinition) {
	if definition.ValidationMode != "" {
		oneOf(v, path+".validationMode", definition.ValidationMode, ValidateAndShow, ValidateAndHide, NoValidation)
	}
	form, ok := definition.Default.(JSONForm)
	if !ok {
		return
	}
	if form.Schema == nil || form.UISchema == nil {
		v.add(path+".default", "a form needs a schema and a uiSchema")
		return
	}
	if _, err := compileSchema(form.Schema); err != nil {
		v.add(path+".default.schema", "%v", err)
	}
	if _, err := json.Marshal(form.UISchema); err != nil {
		v.add(path+".default.uiSchema", "the value cannot be written as JSON")
	}
}

func (v *validator) dataSource(path string, definition ConfigVarDefinition, keys *configKeys) {
	switch source := variant.Of(definition.DataSource).(type) {
	case nil:
		if definition.DataSource != nil {
			v.add(path, "a nil pointer is no data source")
		}
	case InlineDataSource:
		keys.takeFunction(strings.TrimSuffix(path, ".dataSource"), "data source", definition.Key)
		if source.Perform == nil {
			v.add(path+".perform", "a function is required")
		}
		v.reset(path+".dataSourceReset", source.DataSourceReset)
		if source.DataSourceReset != nil && definition.DataType != DataTypeJSONForm {
			v.add(path+".dataSourceReset", "only a JSON form is reset by its own data source")
		}
	case DataSourceReference:
		v.reset(path+".dataSourceReset", source.DataSourceReset)
		if source.DataSourceReset != nil && len(source.DataSourceReset.Dependencies) > 0 {
			v.add(path+".dataSourceReset.dependencies", "the inputs of a component's data source are its dependencies")
		}
		component, ok := v.component(path, source.Component)
		if !ok {
			return
		}
		entry, ok := component.DataSource(source.Key)
		if !ok {
			v.missingEntry(path, source.Component, source.Key)
			return
		}
		if entry.DataSourceType != definition.DataType {
			v.add(path, "the data source is of type %q, the config variable of type %q", entry.DataSourceType, definition.DataType)
		}
		v.expressions(path+".values", source.Values, entry.Inputs)
	}
}

func (v *validator) reset(path string, reset *DataSourceReset) {
	if reset == nil {
		return
	}
	oneOf(v, path+".mode", reset.Mode, ResetPrompt, ResetAlways)
	for n, dependency := range reset.Dependencies {
		v.knownVar(at(path+".dependencies", n), dependency)
	}
}
