package sluice_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
)

func elementCase(path, want string, elements ...sluice.ConfigElement) validateCase {
	return validateCase{onPage(elements...), path, want}
}

func configCases() []validateCase {
	a := sluice.StringVar{Key: "A", StableKey: "a"}
	const first = "configPages[0].elements[0]"
	twoKinds := onPage(a)
	twoKinds.UserLevelConfigPages = []sluice.ConfigPage{{Name: "Mine", Elements: []sluice.ConfigElement{a}}}
	scoped := onPage()
	scoped.ScopedConfigVars = []sluice.ConfigElement{
		a,
		sluice.ConnectionVar{Key: "S", StableKey: "s", Connection: sluice.BasicConnection{}},
		nil,
		sluice.ConnectionVar{Key: "S", StableKey: "s2", Connection: sluice.CustomerActivatedConnection{}},
	}
	samePages := onPage()
	samePages.ConfigPages = append(samePages.ConfigPages, samePages.ConfigPages[0])
	wrongSchedule := onPage(a)
	wrongSchedule.Flows[0].Schedule = &sluice.Schedule{ConfigVar: "A"}
	form := func(form sluice.JSONForm) sluice.ConfigElement {
		return sluice.JSONFormVar[map[string]any]{Key: "F", StableKey: "f", Default: &form}
	}
	return []validateCase{
		{samePages, "configPages[1].name", "is taken"},
		{wrongSchedule, "flows[0].schedule.configVar", "is no schedule"},
		{twoKinds, "userLevelConfigPages[0].elements[0].key", `Duplicate config var key: "A"`},
		{scoped, "scopedConfigVars[0]", "is an activated connection"},
		{scoped, "scopedConfigVars[1].connection", "is an activated connection"},
		{scoped, "scopedConfigVars[2]", "an element is required"},
		{scoped, "scopedConfigVars[3].key", `Duplicate config var key: "S"`},
		elementCase(first, "an element is required", nil),
		elementCase(first, "an element is required", (*sluice.StringVar)(nil)),
		elementCase(first+".key", "required", sluice.StringVar{StableKey: "a"}),
		elementCase(first+".stableKey", "required", sluice.StringVar{Key: "A"}),
		elementCase("configPages[0].elements[1].key", `Duplicate config var key: "A"`, a, sluice.NumberVar{Key: "A", StableKey: "b"}),
		elementCase("configPages[0].elements[1].stableKey", "is taken", a, sluice.NumberVar{Key: "B", StableKey: "a"}),
		elementCase(first+".permissionAndVisibilityType", "is not one of", sluice.StringVar{Key: "A", StableKey: "a", PermissionAndVisibilityType: "all"}),
		elementCase(first+".default", "expected a date", sluice.DateVar{Key: "A", StableKey: "a", Default: "tomorrow"}),
		elementCase(first+".default", "expected a time", sluice.TimestampVar{Key: "A", StableKey: "a", Default: "2024-02-29"}),
		elementCase(first+".pickList", "needs choices", sluice.PicklistVar{Key: "A", StableKey: "a"}),
		elementCase(first+".pickList[1]", "occurs twice", sluice.PicklistVar{Key: "A", StableKey: "a", PickList: []string{"x", "x"}}),
		elementCase(first+".default", "expected one of", sluice.PicklistVar{Key: "A", StableKey: "a", PickList: []string{"x"}, Default: "y"}),
		elementCase(first+".codeLanguage", "is not one of", sluice.CodeVar{Key: "A", StableKey: "a"}),
		elementCase(first+".default", "five fields", sluice.ScheduleVar{Key: "A", StableKey: "a", Default: "hourly"}),
		elementCase(first+".scheduleType", "is not one of", sluice.ScheduleVar{Key: "A", StableKey: "a", ScheduleType: "year"}),
		elementCase(first+".timeZone", "no IANA time zone", sluice.ScheduleVar{Key: "A", StableKey: "a", TimeZone: "CEST?"}),
		elementCase(first+".element", "needs an element", sluice.ValueListVar[string]{}),
		elementCase(first+".element.default", "stands on the list", sluice.KeyValueListVar[string]{Element: sluice.StringVar{Key: "A", StableKey: "a", Default: "x"}}),
		elementCase(first+".default", "value 1: expected a date", sluice.ValueListVar[string]{Element: sluice.DateVar{Key: "A", StableKey: "a"}, Default: []string{"2024-01-01", "x"}}),
		elementCase(first+".validationMode", "is not one of", sluice.JSONFormVar[any]{Key: "A", StableKey: "a", ValidationMode: "Maybe"}),
		elementCase(first+".default", "needs a schema and a uiSchema", form(sluice.JSONForm{})),
		elementCase(first+".default.schema", "the schema is not valid", form(sluice.JSONForm{Schema: map[string]any{"type": 1}, UISchema: 1})),
		elementCase(first+".default.schema", "refers to another document", form(sluice.JSONForm{Schema: map[string]any{"$ref": "http://127.0.0.1:1/schema.json"}, UISchema: 1})),
		elementCase(first+".default", "expected", form(sluice.JSONForm{Schema: map[string]any{"type": "object"}, UISchema: 1, Data: "text"})),
		elementCase(first+".dataSource.perform", "a function is required", sluice.StringVar{Key: "A", StableKey: "a", DataSource: sluice.InlineDataSource{}}),
		elementCase(first+".dataSource", "nil pointer", sluice.StringVar{Key: "A", StableKey: "a", DataSource: (*sluice.InlineDataSource)(nil)}),
		elementCase(first+".dataSource.dataSourceReset", "only a JSON form", sluice.StringVar{Key: "A", StableKey: "a", DataSource: sluice.InlineDataSource{Perform: noSource, DataSourceReset: &sluice.DataSourceReset{Mode: sluice.ResetAlways}}}),
		elementCase(first+".dataSource.dataSourceReset.mode", "is not one of", sluice.JSONFormVar[any]{Key: "A", StableKey: "a", DataSource: sluice.InlineDataSource{Perform: noSource, DataSourceReset: &sluice.DataSourceReset{}}}),
		elementCase(first+".dataSource.dataSourceReset.dependencies[0]", "there is no config variable", sluice.JSONFormVar[any]{Key: "A", StableKey: "a", DataSource: sluice.InlineDataSource{Perform: noSource, DataSourceReset: &sluice.DataSourceReset{Mode: sluice.ResetAlways, Dependencies: []string{"B"}}}}),
		elementCase("configPages[0].elements[1].key", "make the same key", sluice.StringVar{Key: "my source", StableKey: "a", DataSource: sluice.InlineDataSource{Perform: noSource}}, sluice.StringVar{Key: "My Source", StableKey: "b", DataSource: sluice.InlineDataSource{Perform: noSource}}),
	}
}

func connectionCases() []validateCase {
	const path = "configPages[0].elements[0].connection"
	text := func(key string) sluice.ConnectionInput {
		return sluice.ConnectionInput{Key: key, Label: key, Type: sluice.InputTypeString}
	}
	controlled := func(key string) sluice.ConnectionInput {
		input := text(key)
		input.OnPremControlled = true
		return input
	}
	template := func(value string) sluice.ConnectionInput {
		return sluice.ConnectionInput{Key: "url", Label: "URL", Type: sluice.InputTypeTemplate, TemplateValue: value}
	}
	basic := func(inputs ...sluice.ConnectionInput) *sluice.Integration {
		return connection(sluice.BasicConnection{Inputs: inputs})
	}
	userLevel := onPage()
	userLevel.UserLevelConfigPages = []sluice.ConfigPage{{Name: "U", Elements: []sluice.ConfigElement{
		sluice.ConnectionVar{Key: "C", StableKey: "c", Connection: &sluice.OrganizationActivatedConnection{}},
	}}}
	return []validateCase{
		{connection(nil), path, "a connection is required"},
		{connection(sluice.UserActivatedConnection{}), "configPages", `Move "Shop" on config page "Setup".`},
		{userLevel, "userLevelConfigPages", `Move "C" on user level config page "U".`},
		{basic(text("")), path + ".inputs[0].key", "required"},
		{basic(text("a"), text("a")), path + ".inputs[1].key", "is taken"},
		{basic(sluice.ConnectionInput{Key: "a"}), path + ".inputs[0].label", "required"},
		{basic(sluice.ConnectionInput{Key: "a"}), path + ".inputs[0].type", "is not one of"},
		{basic(sluice.ConnectionInput{Key: "a", Collection: "set"}), path + ".inputs[0].collection", "is not one of"},
		{basic(sluice.ConnectionInput{Key: "a", Type: sluice.InputTypeString, Default: 5}), path + ".inputs[0].default", "expected a string, got a number"},
		{basic(sluice.ConnectionInput{Key: "a", TemplateValue: "{{#b}}"}), path + ".inputs[0].templateValue", "only an input of type template"},
		{basic(template("{{a}}")), path + ".inputs[0].templateValue", `Template input "url": No template slots were found.`},
		{basic(template("{{#a}}{{#url}}")), path + ".inputs[0].templateValue", "declared in the first argument: a,url"},
		{basic(controlled("host"), controlled("port")), path + ".onPremConnectionConfig", "Connection shop has onPremControlled inputs but no onPremConnectionConfig"},
		{connection(sluice.BasicConnection{OnPremConnectionConfig: sluice.OnPremRequired}), path + ".onPremConnectionConfig", "but no onPremControlled inputs"},
		{connection(sluice.BasicConnection{OnPremConnectionConfig: sluice.OnPremAllowed, Inputs: []sluice.ConnectionInput{controlled("host")}}), path + ".onPremConnectionConfig", "needs the inputs host and port"},
		{connection(sluice.BasicConnection{OnPremConnectionConfig: "never"}), path + ".onPremConnectionConfig", "is not one of"},
		{connection(sluice.OAuth2AuthorizationCodeConnection{}), path + ".inputs", `OAuth 2.0 needs the input "authorizeUrl"`},
		{connection(sluice.OAuth2AuthorizationCodeConnection{OAuth2PKCEMethod: "S512"}), path + ".oauth2PkceMethod", "is not one of"},
		{connection(&sluice.OAuth2ClientCredentialsConnection{}), path + ".inputs", `OAuth 2.0 needs the input "clientSecret"`},
		{connection(sluice.OAuth2ClientCredentialsConnection{OAuth2Config: &sluice.OAuth2Config{OverrideGrantType: "x"}}), path + ".oauth2Config", "redirect URIs only"},
	}
}

func referenceCases() []validateCase {
	trigger := func(component, key string, values map[string]sluice.InputExpression) *sluice.Integration {
		return oneFlow(func(_ *sluice.Integration, f *sluice.Flow) {
			f.Trigger = sluice.ComponentTrigger{Component: component, Key: key, Values: values}
		})
	}
	value := func(key string, expression sluice.InputExpression) *sluice.Integration {
		return trigger("acme", "changes", map[string]sluice.InputExpression{key: expression})
	}
	const values = "flows[0].trigger.values"
	source := func(key string) *sluice.Integration {
		return onPage(sluice.StringVar{Key: "A", StableKey: "a", DataSource: sluice.DataSourceReference{
			Component: "acme", Key: key, DataSourceReset: &sluice.DataSourceReset{Mode: sluice.ResetPrompt, Dependencies: []string{"A"}},
		}})
	}
	const dataSource = "configPages[0].elements[0].dataSource"
	return []validateCase{
		{trigger("ghost", "changes", nil), "flows[0].trigger.component", `Component with key "ghost" not found in component registry.`},
		{trigger("acme-crm", "changes", nil), "flows[0].trigger.component", `Component with key "acme-crm" not found in component registry.`},
		{trigger("acme", "login", nil), "flows[0].trigger.key", `Component with key "acme" does not have an entry with key "login" in the component registry.`},
		{value("nope", sluice.ValueExpression{}), values + ".nope", "no such input"},
		{value("object", nil), values + ".object", "a value is required"},
		{value("object", (*sluice.ValueExpression)(nil)), values + ".object", "a value is required"},
		{value("object", sluice.ValueExpression{Value: func() {}}), values + ".object.value", "cannot be written as JSON"},
		{value("tags", sluice.ValueExpression{Value: "x"}), values + ".tags.value", "expected a list, got a string"},
		{value("headers", sluice.ValueExpression{Value: []string{"x"}}), values + ".headers.value", "expected a list of keys and values"},
		{value("object", &sluice.ConfigVarExpression{ConfigVar: "B"}), values + ".object.configVar", `there is no config variable "B"`},
		{value("object", sluice.TemplateExpression{}), values + ".object.template", "required"},
		{value("object", sluice.TemplateExpression{Template: "/{{#The Site}}/"}), values + ".object.template", `there is no config variable "The Site"`},
		{value("object", sluice.OpenExpression{PermissionAndVisibilityType: "x"}), values + ".object.permissionAndVisibilityType", "is not one of"},
		{source("ghost"), dataSource + ".key", "does not have an entry"},
		{source("users"), dataSource, `of type "picklist", the config variable of type "string"`},
		{source("users"), dataSource + ".dataSourceReset.dependencies", "are its dependencies"},
		{connection(sluice.ConnectionReference{Component: "acme", Key: "changes"}), "configPages[0].elements[0].connection.key", "does not have an entry"},
		{connection(sluice.ConnectionReference{Component: "acme", Key: "login", OnPremiseConnectionConfig: sluice.OnPremAllowed}), "configPages[0].elements[0].connection.onPremiseConnectionConfig", "cannot be on-premise"},
	}
}

func TestValidReferences(t *testing.T) {
	t.Parallel()
	i := onPage(
		sluice.StringVar{Key: "The Site", StableKey: "site"},
		sluice.PicklistVar{Key: "User", StableKey: "user", DataSource: &sluice.DataSourceReference{Component: "acme", Key: "users"}},
		&sluice.ConnectionVar{Key: "Login", StableKey: "login", Connection: &sluice.ConnectionReference{Component: "acme", Key: "login"}},
		sluice.HTMLElement{Content: "<p>"}, sluice.HTMLElement{Content: "<p>"}, sluice.HTMLElementVar{Key: "H", StableKey: "h"},
	)
	i.Flows[0].Trigger = &sluice.ComponentTrigger{Component: "acme", Key: "changes", Values: map[string]sluice.InputExpression{
		"object":  sluice.TemplateExpression{Template: "/{{#The Site}}/"},
		"tags":    sluice.ValueExpression{Value: []string{"a"}},
		"headers": sluice.ValueExpression{Value: []sluice.KeyValue[int]{{Key: "a", Value: 1}}},
	}}
	require.NoError(t, i.Validate())
}

func TestFaultsHoldNoSecrets(t *testing.T) {
	t.Parallel()
	i := connection(sluice.BasicConnection{Inputs: []sluice.ConnectionInput{
		{Key: "apiKey", Label: "API key", Type: sluice.InputTypePassword},
		{Key: "mode", Label: "Mode", Type: sluice.InputTypeString, Model: []sluice.InputChoice{{Value: "a"}}},
	}})
	_, err := i.ConfigValues(map[string]any{"Shop": map[string]any{"fields": map[string]any{"apiKey": []any{"s3cret"}, "mode": "s3cret", "other": "s3cret"}}})
	require.ErrorContains(t, err, `field "apiKey"`)
	require.ErrorContains(t, err, `field "mode"`)
	require.ErrorContains(t, err, `field "other"`)
	require.False(t, strings.Contains(err.Error(), "s3cret"), "%v", err)
}
