package sluice_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/manifest"
)

// cyclic contains itself.
var cyclic = func() map[string]any {
	m := map[string]any{}
	m["self"], m["list"] = m, []any{m}
	return m
}()

// odd are values that no author should write.
var odd = []any{nil, cyclic, []any{cyclic}, make(chan int), func() {}, (*int)(nil), "{{#A}}", "", "\xff", -1, 1e300, []sluice.KeyValue[any]{{Value: cyclic}}, (*sluice.KeyValue[int])(nil), []*sluice.KeyValue[int]{nil}, map[int]int{1: 1}}

func oddText() *rapid.Generator[string] {
	return rapid.OneOf(rapid.SampledFrom([]string{"", " ", "A", "a", "acme", "{{#A}}", "* * * * *", "\x00", "host", "UTC"}), rapid.String())
}

func oddConnection() *rapid.Generator[sluice.ConnectionDefinition] {
	return rapid.Custom(func(t *rapid.T) sluice.ConnectionDefinition {
		input := sluice.ConnectionInput{
			Key: oddText().Draw(t, "key"), Type: sluice.ConnectionInputType(rapid.SampledFrom([]string{"string", "template", "", "boolean"}).Draw(t, "type")),
			TemplateValue: oddText().Draw(t, "template"), Collection: sluice.CollectionType(rapid.SampledFrom([]string{"", "valuelist", "keyvaluelist", "x"}).Draw(t, "collection")),
			Default: rapid.SampledFrom(odd).Draw(t, "default"), OnPremControlled: rapid.Bool().Draw(t, "controlled"),
		}
		inputs := rapid.SampledFrom([][]sluice.ConnectionInput{nil, {input}, {input, input}}).Draw(t, "inputs")
		return rapid.SampledFrom([]sluice.ConnectionDefinition{
			nil, (*sluice.BasicConnection)(nil), (*sluice.ConnectionReference)(nil),
			sluice.BasicConnection{Inputs: inputs},
			&sluice.OAuth2AuthorizationCodeConnection{Inputs: inputs},
			sluice.OAuth2ClientCredentialsConnection{Inputs: inputs, OAuth2Config: &sluice.OAuth2Config{}},
			sluice.ConnectionReference{Component: oddText().Draw(t, "component"), Key: oddText().Draw(t, "entry"), Values: oddValues(t)},
			sluice.UserActivatedConnection{},
			&sluice.OrganizationActivatedConnection{},
			sluice.CustomerActivatedConnection{},
		}).Draw(t, "connection")
	})
}

func oddValues(t *rapid.T) map[string]sluice.InputExpression {
	return map[string]sluice.InputExpression{oddText().Draw(t, "input"): rapid.SampledFrom([]sluice.InputExpression{
		nil, (*sluice.ValueExpression)(nil),
		sluice.ValueExpression{Value: rapid.SampledFrom(odd).Draw(t, "value")},
		&sluice.ConfigVarExpression{},
		sluice.TemplateExpression{Template: "{{#A"},
		sluice.OpenExpression{},
	}).Draw(t, "expression")}
}

func oddElement() *rapid.Generator[sluice.ConfigElement] {
	return rapid.Custom(func(t *rapid.T) sluice.ConfigElement {
		key, value := oddText().Draw(t, "key"), rapid.SampledFrom(odd).Draw(t, "value")
		source := rapid.SampledFrom([]sluice.DataSource{
			nil, (*sluice.InlineDataSource)(nil), (*sluice.DataSourceReference)(nil),
			sluice.InlineDataSource{DataSourceReset: &sluice.DataSourceReset{}},
			&sluice.DataSourceReference{Component: "acme", Key: "a", Values: oddValues(t)},
		}).Draw(t, "source")
		return rapid.SampledFrom([]sluice.ConfigElement{
			nil, (*sluice.StringVar)(nil), (*sluice.ValueListVar[string])(nil), (*sluice.HTMLElement)(nil), (*sluice.ConnectionVar)(nil),
			sluice.HTMLElement{Key: key},
			&sluice.HTMLElementVar{Key: key},
			sluice.StringVar{Key: key, DataSource: source},
			sluice.DateVar{Key: key, Default: key},
			sluice.PicklistVar{Key: key, Default: key, DataSource: source},
			&sluice.ScheduleVar{Key: key, Default: key, TimeZone: key},
			sluice.NumberVar{Key: key, Default: 1e308},
			sluice.ValueListVar[string]{},
			sluice.ValueListVar[string]{Element: (*sluice.StringVar)(nil), Default: []string{key}},
			sluice.KeyValueListVar[float64]{Element: sluice.NumberVar{Key: key}, Default: []sluice.KeyValue[float64]{{Key: key}}},
			sluice.JSONFormVar[any]{Key: key, DataSource: source, Default: &sluice.JSONForm{Schema: value, UISchema: value, Data: value}},
			sluice.ConnectionVar{Key: key, StableKey: key, Connection: oddConnection().Draw(t, "definition")},
			sluice.ObjectFieldMapVar{Key: key, Default: &sluice.ObjectFieldMap{}},
			sluice.ObjectSelectionVar{Key: key, Default: sluice.ObjectSelection{}},
		}).Draw(t, "element")
	})
}

func oddFlow() *rapid.Generator[sluice.Flow] {
	return rapid.Custom(func(t *rapid.T) sluice.Flow {
		keywords := map[string]any{oddText().Draw(t, "keyword"): rapid.SampledFrom(odd).Draw(t, "value"), "properties": rapid.SampledFrom(odd).Draw(t, "properties")}
		schema := &sluice.FlowSchema{Keywords: keywords, Properties: map[string]sluice.SchemaProperty{"a": {Keywords: keywords}}}
		return sluice.Flow{
			Name: oddText().Draw(t, "name"), StableKey: oddText().Draw(t, "stable"),
			Trigger: rapid.SampledFrom([]sluice.Trigger{
				nil, (*sluice.WebhookTrigger)(nil), (*sluice.ComponentTrigger)(nil), (*sluice.BatchTrigger[int, string])(nil), &sluice.BatchTrigger[int, string]{},
				sluice.WebhookTrigger{StatusCode: rapid.Int().Draw(t, "status"), Headers: map[string]string{oddText().Draw(t, "header"): "\r"}},
				sluice.ComponentTrigger{Component: "acme", Key: "a", Values: oddValues(t)},
				sluice.InstanceDeployTrigger{},
			}).Draw(t, "trigger"),
			QueueConfig: rapid.SampledFrom([]sluice.QueueConfig{
				nil, (*sluice.ParallelQueueConfig)(nil), &sluice.ThrottledQueueConfig{ConcurrencyLimit: rapid.Int().Draw(t, "limit")}, sluice.StandardQueueConfig{ConcurrencyLimit: new(rapid.Int().Draw(t, "limit"))},
			}).Draw(t, "queue"),
			Schedule:    rapid.SampledFrom([]*sluice.Schedule{nil, {}, {Value: oddText().Draw(t, "cron")}, {ConfigVar: "A", TimeZone: oddText().Draw(t, "zone")}}).Draw(t, "schedule"),
			BatchConfig: rapid.SampledFrom([]*sluice.BatchConfig{nil, {}, {BatchSize: -1, ConcurrentBatchLimit: new(0)}}).Draw(t, "batch"),
			Schemas: rapid.SampledFrom([]*sluice.FlowSchemas{
				nil, {}, {Invoke: schema, Others: map[string]*sluice.FlowSchema{"": nil, "invoke": schema}},
			}).Draw(t, "schemas"),
			PreprocessFlowConfig:     rapid.SampledFrom([]*sluice.PreprocessFlowConfig{nil, {}}).Draw(t, "preprocess"),
			ErrorConfig:              rapid.SampledFrom([]*sluice.StepErrorConfig{nil, {}, {MaxAttempts: -5}}).Draw(t, "errors"),
			WebhookLifecycleHandlers: rapid.SampledFrom([]*sluice.WebhookLifecycleHandlers{nil, {}}).Draw(t, "handlers"),
		}
	})
}

// TestNothingPanics validates definitions as no author should write them, and deploys them.
func TestNothingPanics(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		page := sluice.ConfigPage{Name: oddText().Draw(t, "page"), Elements: rapid.SliceOfN(oddElement(), 0, 4).Draw(t, "elements")}
		i := &sluice.Integration{
			Flows: rapid.SliceOfN(oddFlow(), 0, 3).Draw(t, "flows"), ConfigPages: []sluice.ConfigPage{page},
			UserLevelConfigPages: rapid.SampledFrom([][]sluice.ConfigPage{nil, {page}, {{}}}).Draw(t, "user level"),
			ScopedConfigVars:     rapid.SliceOfN(oddElement(), 0, 2).Draw(t, "scoped"),
			ComponentRegistry: []sluice.ComponentManifest{{Name: "acme", Triggers: []sluice.ComponentEntry{{Key: "a", Inputs: []sluice.ComponentInput{
				{Key: "a", Collection: "keyvaluelist", Default: rapid.SampledFrom(odd).Draw(t, "default")},
			}}}}},
		}
		var invalid *sluice.ValidationError
		require.ErrorAs(t, i.Validate(), &invalid)
		if err := i.ValidateExport(); err != nil {
			require.ErrorAs(t, err, &invalid)
		} else {
			_, _ = manifest.Export(i, manifest.Options{ReferenceKey: "key"})
		}
		_, _ = i.ConfigValues(map[string]any{"A": rapid.SampledFrom(odd).Draw(t, "given"), oddText().Draw(t, "key"): rapid.SampledFrom(odd).Draw(t, "given")})
		for n := range i.Flows {
			_, _ = i.Flows[n].InputCheck()
		}
	})
}
