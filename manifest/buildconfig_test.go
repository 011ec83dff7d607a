package manifest_test

import (
	"context"
	"encoding/json"

	"github.com/sluice-go/sluice"
)

func (b builder) pages(o *object, key string) (pages []sluice.ConfigPage) {
	o.each(key, func(name string, o *object) {
		page := sluice.ConfigPage{Name: name, Tagline: o.text("tagline")}
		for _, m := range o.members("elements") {
			page.Elements = append(page.Elements, b.element(o.path, m))
		}
		pages = append(pages, page)
	})
	return pages
}

func (b builder) element(path string, m member) sluice.ConfigElement {
	if content, ok := m.value.(string); ok {
		return sluice.HTMLElement{Key: m.key, Content: content}
	}
	o := b.object(path+"."+m.key, m.value)
	element := b.configVar(m.key, o)
	o.done()
	return element
}

// common are the members that all config variables have.
type common struct {
	key, stableKey, description string
	permission                  sluice.PermissionAndVisibilityType
	visible                     *bool
	source                      sluice.DataSource
	fallback                    any
	collection                  sluice.CollectionType
}

func (b builder) configVar(key string, o *object) sluice.ConfigElement {
	c := common{
		key: key, stableKey: o.text("stableKey"), description: o.text("description"),
		permission: sluice.PermissionAndVisibilityType(o.text("permissionAndVisibilityType")), visible: o.flag("visibleToOrgDeployer"),
		collection: sluice.CollectionType(o.text("collectionType")),
	}
	dataType := o.text("dataType")
	if dataType == "connection" || dataType == "userScopedConnection" || o.has("connection") {
		return b.connection(c, dataType, o)
	}
	c.fallback, _ = o.get("defaultValue")
	dataType = b.dataSource(o, &c, dataType)
	switch dataType {
	case "string":
		return text(c, func(c common, d string) sluice.ScalarVar[string] {
			return sluice.StringVar{Key: c.key, StableKey: c.stableKey, Description: c.description, PermissionAndVisibilityType: c.permission, VisibleToOrgDeployer: c.visible, DataSource: c.source, Default: d}
		})
	case "date":
		return text(c, func(c common, d string) sluice.ScalarVar[string] {
			return sluice.DateVar{Key: c.key, StableKey: c.stableKey, Description: c.description, PermissionAndVisibilityType: c.permission, VisibleToOrgDeployer: c.visible, DataSource: c.source, Default: d}
		})
	case "timestamp":
		return text(c, func(c common, d string) sluice.ScalarVar[string] {
			return sluice.TimestampVar{Key: c.key, StableKey: c.stableKey, Description: c.description, PermissionAndVisibilityType: c.permission, VisibleToOrgDeployer: c.visible, DataSource: c.source, Default: d}
		})
	case "picklist":
		choices := o.texts("pickList")
		return text(c, func(c common, d string) sluice.ScalarVar[string] {
			return sluice.PicklistVar{Key: c.key, StableKey: c.stableKey, Description: c.description, PermissionAndVisibilityType: c.permission, VisibleToOrgDeployer: c.visible, DataSource: c.source, Default: d, PickList: choices}
		})
	case "code":
		language := sluice.CodeLanguage(o.text("codeLanguage"))
		return text(c, func(c common, d string) sluice.ScalarVar[string] {
			return sluice.CodeVar{Key: c.key, StableKey: c.stableKey, Description: c.description, PermissionAndVisibilityType: c.permission, VisibleToOrgDeployer: c.visible, DataSource: c.source, Default: d, CodeLanguage: language}
		})
	case "boolean":
		return collect(c, as[bool], func(d bool) sluice.ScalarVar[bool] {
			return sluice.BooleanVar{Key: c.key, StableKey: c.stableKey, Description: c.description, PermissionAndVisibilityType: c.permission, VisibleToOrgDeployer: c.visible, DataSource: c.source, Default: d}
		})
	case "number":
		return collect(c, number, func(d float64) sluice.ScalarVar[float64] {
			return sluice.NumberVar{Key: c.key, StableKey: c.stableKey, Description: c.description, PermissionAndVisibilityType: c.permission, VisibleToOrgDeployer: c.visible, DataSource: c.source, Default: d}
		})
	}
	return single(c, dataType, o)
}

// single builds the config variables of which there are no collections.
func single(c common, dataType string, o *object) sluice.ConfigElement {
	if c.collection != "" {
		fail(o.path, "a collection of %s: %w", dataType, errInexpressible)
	}
	switch dataType {
	case "schedule":
		d, _ := c.fallback.(string)
		return sluice.ScheduleVar{Key: c.key, StableKey: c.stableKey, Description: c.description, PermissionAndVisibilityType: c.permission, VisibleToOrgDeployer: c.visible, DataSource: c.source, Default: d, ScheduleType: sluice.ScheduleType(o.text("scheduleType")), TimeZone: o.text("timeZone")}
	case "objectSelection":
		return sluice.ObjectSelectionVar{Key: c.key, StableKey: c.stableKey, Description: c.description, PermissionAndVisibilityType: c.permission, VisibleToOrgDeployer: c.visible, DataSource: c.source, Default: structured[sluice.ObjectSelection](c.fallback)}
	case "objectFieldMap":
		return sluice.ObjectFieldMapVar{Key: c.key, StableKey: c.stableKey, Description: c.description, PermissionAndVisibilityType: c.permission, VisibleToOrgDeployer: c.visible, DataSource: c.source, Default: structured[*sluice.ObjectFieldMap](c.fallback)}
	case "jsonForm":
		var form *sluice.JSONForm
		if data, ok := c.fallback.(ordered); ok {
			d := builder{}.object(o.path, data)
			form = &sluice.JSONForm{}
			form.Schema, _ = d.get("schema")
			form.UISchema, _ = d.get("uiSchema")
			form.Data, _ = d.get("data")
			d.done()
		}
		return &sluice.JSONFormVar[any]{Key: c.key, StableKey: c.stableKey, Description: c.description, PermissionAndVisibilityType: c.permission, VisibleToOrgDeployer: c.visible, DataSource: c.source, Default: form, ValidationMode: sluice.ValidationMode(o.text("validationMode"))}
	case "htmlElement":
		return &sluice.HTMLElementVar{Key: c.key, StableKey: c.stableKey}
	}
	fail(o.path, "data type %q: %w", dataType, errInexpressible)
	return nil
}

func structured[T any](value any) (built T) {
	if value == nil {
		return built
	}
	data, err := json.Marshal(value)
	if err != nil {
		fail("default", "%w", err)
	}
	if err := json.Unmarshal(data, &built); err != nil {
		fail("default", "%w", err)
	}
	return built
}

func as[T any](value any) T {
	typed, ok := value.(T)
	if !ok {
		fail("default", "a %T: %w", value, errInexpressible)
	}
	return typed
}

func number(value any) float64 {
	parsed, err := as[json.Number](value).Float64()
	if err != nil {
		fail("default", "%w", err)
	}
	return parsed
}

func text(c common, build func(c common, fallback string) sluice.ScalarVar[string]) sluice.ConfigElement {
	return collect(c, as[string], func(fallback string) sluice.ScalarVar[string] { return build(c, fallback) })
}

// collect builds a single value, or a list of values or of keys and values.
func collect[T any](c common, convert func(any) T, build func(fallback T) sluice.ScalarVar[T]) sluice.ConfigElement {
	var none T
	switch c.collection {
	case sluice.CollectionValueList:
		list := sluice.ValueListVar[T]{Element: build(none)}
		if values, ok := c.fallback.([]any); ok {
			list.Default = []T{}
			for _, value := range values {
				list.Default = append(list.Default, convert(value))
			}
		}
		return list
	case sluice.CollectionKeyValueList:
		list := sluice.KeyValueListVar[T]{Element: build(none)}
		switch entries := c.fallback.(type) {
		case ordered:
			list.Default = []sluice.KeyValue[T]{}
			for _, m := range entries {
				list.Default = append(list.Default, sluice.KeyValue[T]{Key: m.key, Value: convert(m.value)})
			}
		case []any:
			list.Default = []sluice.KeyValue[T]{}
			for _, value := range entries {
				o := builder{}.object(c.key, value)
				element, _ := o.get("value")
				list.Default = append(list.Default, sluice.KeyValue[T]{Key: o.text("key"), Value: convert(element)})
			}
		}
		return list
	}
	if c.fallback != nil {
		return build(convert(c.fallback))
	}
	return build(none)
}

// dataSource reads an inline or referenced data source and returns the variable's type.
func (b builder) dataSource(o *object, c *common, dataType string) string {
	var reset *sluice.DataSourceReset
	o.nested("dataSourceReset", func(o *object) {
		reset = &sluice.DataSourceReset{Mode: sluice.DataSourceResetMode(o.text("mode")), Dependencies: o.texts("dependencies")}
	})
	if o.has("dataSourceType") {
		source := sluice.InlineDataSource{DataSourceReset: reset}
		source.Perform = functionOf(o, "perform", sluice.DataSourceFunc(perform))
		c.source = source
		return o.text("dataSourceType")
	}
	o.nested("dataSource", func(o *object) {
		source := sluice.DataSourceReference{Component: o.text("component"), Key: o.text("key"), DataSourceReset: reset}
		component, _ := b.integration.Component(source.Component)
		entry, ok := component.DataSource(source.Key)
		source.Values = expressions(o, entry.Inputs)
		c.source = &source
		dataType = "string"
		if ok {
			dataType = string(entry.DataSourceType)
		}
	})
	return dataType
}

func perform(context.Context, *sluice.Run) (*sluice.DataSourceResult, error) { return nil, nil }

func (b builder) connection(c common, dataType string, o *object) sluice.ConfigElement {
	built := sluice.ConnectionVar{
		Key: c.key, StableKey: c.stableKey, Description: c.description,
		PermissionAndVisibilityType: c.permission, VisibleToOrgDeployer: c.visible,
	}
	var oauth2 *sluice.OAuth2Config
	o.nested("oauth2Config", func(o *object) {
		oauth2 = &sluice.OAuth2Config{
			OverrideGrantType: o.text("overrideGrantType"), AllowedTokenParams: o.texts("allowedTokenParams"),
			OAuthSuccessRedirectURI: o.text("oAuthSuccessRedirectUri"), OAuthFailureRedirectURI: o.text("oAuthFailureRedirectUri"),
		}
	})
	switch {
	case dataType == "userScopedConnection":
		built.Connection = sluice.UserActivatedConnection{}
	case o.has("connection"):
		o.nested("connection", func(o *object) { built.Connection = b.connectionReference(o, oauth2) })
	case o.has("inputs"):
		built.Connection = inlineConnection(o, oauth2)
	default:
		built.Connection = sluice.OrganizationActivatedConnection{}
	}
	return built
}

func (b builder) connectionReference(o *object, oauth2 *sluice.OAuth2Config) sluice.ConnectionReference {
	reference := sluice.ConnectionReference{
		Component: o.text("component"), Key: o.text("key"), Template: o.text("template"), OAuth2Config: oauth2,
		OnPremiseConnectionConfig: sluice.OnPremConnectionConfig(o.text("onPremiseConnectionConfig")),
	}
	component, _ := b.integration.Component(reference.Component)
	entry, _ := component.Connection(reference.Key)
	reference.Values = expressions(o, entry.Inputs)
	return reference
}

func inlineConnection(o *object, oauth2 *sluice.OAuth2Config) sluice.ConnectionDefinition {
	var inputs []sluice.ConnectionInput
	o.each("inputs", func(key string, o *object) { inputs = append(inputs, connectionInput(key, o)) })
	onPrem := sluice.OnPremConnectionConfig(o.text("onPremConnectionConfig"))
	var icons sluice.ConnectionIcons
	o.nested("icons", func(o *object) {
		icons = sluice.ConnectionIcons{AvatarPath: o.text("avatarPath"), OAuth2ConnectionIconPath: o.text("oauth2ConnectionIconPath")}
	})
	switch kind := o.text("oauth2Type"); kind {
	case "authorization_code":
		return sluice.OAuth2AuthorizationCodeConnection{
			Inputs: inputs, OAuth2PKCEMethod: sluice.OAuth2PKCEMethod(o.text("oauth2PkceMethod")), OAuth2Config: oauth2,
			OnPremConnectionConfig: onPrem, Icons: icons,
		}
	case "client_credentials":
		return sluice.OAuth2ClientCredentialsConnection{Inputs: inputs, OAuth2Config: oauth2, OnPremConnectionConfig: onPrem, Icons: icons}
	case "":
		return sluice.BasicConnection{Inputs: inputs, OnPremConnectionConfig: onPrem, Icons: icons}
	default:
		fail(o.path, "oauth2Type %q: %w", kind, errInexpressible)
		return nil
	}
}

func connectionInput(key string, o *object) sluice.ConnectionInput {
	input := sluice.ConnectionInput{
		Key: key, Type: sluice.ConnectionInputType(o.text("type")), TemplateValue: o.text("templateValue"),
		Collection: sluice.CollectionType(o.text("collection")), Required: o.boolean("required"), Shown: o.flag("shown"),
		WriteOnly: o.boolean("writeOnly"), OnPremControlled: o.boolean("onPremControlled"),
		Placeholder: o.text("placeholder"), Comments: o.text("comments"), Example: o.text("example"),
		PermissionAndVisibilityType: sluice.PermissionAndVisibilityType(o.text("permissionAndVisibilityType")),
		VisibleToOrgDeployer:        o.flag("visibleToOrgDeployer"),
	}
	if label, _ := o.get("label"); label != nil {
		if pair, ok := label.(ordered); ok {
			labels := builder{}.object(o.path, pair)
			input.KeyLabel, input.Label = labels.text("key"), labels.text("value")
		} else {
			input.Label = o.text("label")
		}
	}
	for _, choice := range o.list("model") {
		c := builder{}.object(o.path, choice)
		input.Model = append(input.Model, sluice.InputChoice{Label: c.text("label"), Value: c.text("value")})
	}
	if o.function("clean") {
		input.Clean = func(value any) (any, error) { return value, nil }
	}
	if value, ok := o.get("default"); ok {
		input.Default = inputDefault(input.Collection, value)
	}
	return input
}

func inputDefault(collection sluice.CollectionType, value any) any {
	switch collection {
	case sluice.CollectionValueList:
		texts := []string{}
		for _, element := range as[[]any](value) {
			texts = append(texts, as[string](element))
		}
		return texts
	case sluice.CollectionKeyValueList:
		pairs := []sluice.KeyValue[string]{}
		for _, element := range as[[]any](value) {
			o := builder{}.object("default", element)
			pairs = append(pairs, sluice.KeyValue[string]{Key: o.text("key"), Value: o.text("value")})
		}
		return pairs
	}
	if flag, ok := value.(bool); ok {
		return flag
	}
	return as[string](value)
}
