package sluice_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/internal/host"
)

// configured is a run of an instance with config values.
type configured struct {
	host.Run
	values map[string]any
}

func (c configured) ConfigVar(key string) (any, bool) { value, ok := c.values[key]; return value, ok }

// runWith checks the values as a deployment does and returns a run that reads them.
func runWith(t require.TestingT, i *sluice.Integration, values map[string]any) *sluice.Run {
	parsed, err := i.ConfigValues(values)
	require.NoError(t, err)
	_, run := sluice.NewRun(context.Background(), sluice.Run{}, nil, configured{values: parsed})
	return run
}

type settings struct {
	Size int `json:"size"`
}

var (
	text      = sluice.StringVar{Key: "Text", StableKey: "text", Default: "d"}
	date      = sluice.DateVar{Key: "Date", StableKey: "date"}
	timestamp = sluice.TimestampVar{Key: "Timestamp", StableKey: "timestamp"}
	choice    = sluice.PicklistVar{Key: "Choice", StableKey: "choice", PickList: []string{"a", "b"}, Default: "b"}
	free      = sluice.PicklistVar{Key: "Free", StableKey: "free", DataSource: sluice.InlineDataSource{Perform: noSource}}
	code      = sluice.CodeVar{Key: "Code", StableKey: "code", CodeLanguage: sluice.CodeLanguageJSON}
	flag      = sluice.BooleanVar{Key: "Flag", StableKey: "flag", Default: true}
	number    = &sluice.NumberVar{Key: "Number", StableKey: "number", Default: 0.5}
	every     = sluice.ScheduleVar{Key: "Every", StableKey: "every", Default: "0 6 * * *", TimeZone: "Europe/Berlin"}
	objects   = sluice.ObjectSelectionVar{Key: "Objects", StableKey: "objects"}
	mapping   = sluice.ObjectFieldMapVar{Key: "Mapping", StableKey: "mapping"}
	form      = sluice.JSONFormVar[settings]{Key: "Form", StableKey: "form", Default: &sluice.JSONForm{
		Schema:   map[string]any{"type": "object", "properties": map[string]any{"size": map[string]any{"maximum": 9}}},
		UISchema: map[string]any{"type": "VerticalLayout"}, Data: map[string]any{"size": 3},
	}}
	tags   = sluice.ValueListVar[string]{Element: sluice.StringVar{Key: "Tags", StableKey: "tags"}, Default: []string{"x"}}
	limits = sluice.KeyValueListVar[float64]{Element: sluice.NumberVar{Key: "Limits", StableKey: "limits"}}
	shop   = sluice.ConnectionVar{Key: "My Shop", StableKey: "shop", Connection: sluice.OAuth2ClientCredentialsConnection{Inputs: []sluice.ConnectionInput{
		{Key: "domain", Label: "Domain", Type: sluice.InputTypeString, Required: true},
		{Key: "tokenUrl", Label: "Token URL", Type: sluice.InputTypeTemplate, TemplateValue: "https://{{#domain}}.example.com/token?live={{#live}}"},
		{Key: "scopes", Label: "Scopes", Type: sluice.InputTypeString, Default: "read", Shown: new(false)},
		{Key: "live", Label: "Live", Type: sluice.InputTypeBoolean},
		{Key: "clientId", Label: "Client", Type: sluice.InputTypeString, Clean: func(value any) (any, error) { return fmt.Sprint("clean ", value), nil }},
		{Key: "clientSecret", Label: "Secret", Type: sluice.InputTypePassword},
		{Key: "headers", Label: "Headers", Type: sluice.InputTypeString, Collection: sluice.CollectionKeyValueList},
	}}}
	own = sluice.ConnectionVar{Key: "Org", StableKey: "org", Connection: sluice.OrganizationActivatedConnection{}}
)

func everyType() *sluice.Integration {
	i := onPage(text, date, timestamp, choice, free, code, flag, number, every, objects, mapping, form, tags, limits, shop,
		sluice.HTMLElementVar{Key: "Place", StableKey: "place"}, sluice.HTMLElement{Content: "<p>"}, nil)
	i.ScopedConfigVars = []sluice.ConfigElement{own}
	i.UserLevelConfigPages = []sluice.ConfigPage{{Name: "Mine", Elements: []sluice.ConfigElement{sluice.StringVar{Key: "Nick", StableKey: "nick"}}}}
	return i
}

func TestHandlesReadDefaults(t *testing.T) {
	t.Parallel()
	for name, run := range map[string]*sluice.Run{
		"filled in": runWith(t, everyType(), nil),
		"absent":    runWith(t, &sluice.Integration{}, nil),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, "d", text.Get(run))
			require.Empty(t, date.Get(run))
			require.Empty(t, timestamp.Get(run))
			require.Equal(t, "b", choice.Get(run))
			require.Empty(t, code.Get(run))
			require.True(t, flag.Get(run))
			require.InDelta(t, 0.5, number.Get(run), 0)
			require.Equal(t, sluice.ScheduleValue{Value: "0 6 * * *", ScheduleType: sluice.ScheduleCustom, TimeZone: "Europe/Berlin"}, every.Get(run))
			require.Empty(t, objects.Get(run))
			require.Empty(t, mapping.Get(run).Fields)
			require.Equal(t, settings{Size: 3}, form.Get(run))
			require.Equal(t, []string{"x"}, tags.Get(run))
			require.Empty(t, limits.Get(run))
			require.Equal(t, sluice.Connection{ConfigVarKey: "My Shop"}, shop.Get(run))
		})
	}
}

// givenValues are a value of each type, as Go values.
func givenValues() map[string]any {
	return map[string]any{
		"Text": "t", "Date": "2024-02-29", "Timestamp": time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC), "Choice": "a", "Free": "any",
		"Code": "{}", "Flag": false, "Number": 7, "Every": sluice.ScheduleValue{ScheduleType: sluice.ScheduleOnce},
		"Objects": sluice.ObjectSelection{{Object: sluice.Element{Key: "Account"}, Fields: []sluice.Element{{Key: "Id"}}}},
		"Mapping": &sluice.ObjectFieldMap{Fields: []sluice.FieldMapping{{Field: sluice.Element{Key: "name"}, MappedField: &sluice.Element{Key: "Name"}}}},
		"Form":    settings{Size: 9}, "Tags": []string{"a", "b"}, "Limits": map[string]int{"z": 1, "a": 2},
		"My Shop": map[string]any{"fields": map[string]any{
			"domain": "acme", "live": true, "clientId": "id", "clientSecret": "s", "headers": []any{map[string]any{"key": "X", "value": "1"}},
		}, "token": map[string]any{"access_token": "tok"}},
		"Org": sluice.Connection{Key: "slack", Fields: map[string]any{"anything": 1.0}},
	}
}

func TestHandlesReadValues(t *testing.T) {
	t.Parallel()
	i := everyType()
	parsed, err := i.ConfigValues(givenValues())
	require.NoError(t, err)
	stored, err := json.Marshal(parsed)
	require.NoError(t, err)
	decoded, err := i.DecodeConfigValues(stored)
	require.NoError(t, err)
	require.Equal(t, parsed["Form"], decoded["Form"])
	for name, run := range map[string]*sluice.Run{"given": runWith(t, i, givenValues()), "stored": runWith(t, i, decoded)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, "t", text.Get(run))
			require.Equal(t, "2024-02-29", date.Get(run))
			require.Equal(t, "2024-02-29T12:00:00Z", timestamp.Get(run))
			require.Equal(t, "a", choice.Get(run))
			require.Equal(t, "any", free.Get(run))
			require.Equal(t, "{}", code.Get(run))
			require.False(t, flag.Get(run))
			require.InDelta(t, 7.0, number.Get(run), 0)
			require.Equal(t, sluice.ScheduleValue{ScheduleType: sluice.ScheduleOnce, TimeZone: "Europe/Berlin"}, every.Get(run))
			require.Equal(t, "Account", objects.Get(run)[0].Object.Key)
			require.Equal(t, "Name", mapping.Get(run).Fields[0].MappedField.Key)
			require.Equal(t, settings{Size: 9}, form.Get(run))
			require.Equal(t, []string{"a", "b"}, tags.Get(run))
			require.Equal(t, []sluice.KeyValue[float64]{{Key: "a", Value: 2}, {Key: "z", Value: 1}}, limits.Get(run))
			require.Equal(t, sluice.Connection{Key: "slack", ConfigVarKey: "Org", Fields: map[string]any{"anything": 1.0}}, own.Get(run))
		})
	}
	connection := shop.Get(runWith(t, i, givenValues()))
	require.Equal(t, "myShop", connection.Key)
	require.Equal(t, "tok", connection.AccessToken())
	require.Equal(t, "https://acme.example.com/token?live=true", connection.Field("tokenUrl"))
	require.Equal(t, "read", connection.Field("scopes"))
	require.Equal(t, "clean id", connection.Field("clientId"))
	require.Equal(t, []sluice.KeyValue[string]{{Key: "X", Value: "1"}}, connection.Fields["headers"])
}

func TestWhatAHandleReturnsIsTheCallers(t *testing.T) {
	t.Parallel()
	run := runWith(t, everyType(), givenValues())
	tags.Get(run)[0] = "changed"
	shop.Get(run).Fields["domain"] = "changed"
	require.Equal(t, "a", tags.Get(run)[0])
	require.Equal(t, "acme", shop.Get(run).Field("domain"))
}

func TestConfigValuesRefuse(t *testing.T) {
	t.Parallel()
	cyclic := map[string]any{}
	cyclic["self"] = cyclic
	for key, tests := range map[string][]struct {
		value any
		want  string
	}{
		"Text":      {{1, "expected a string, got a number"}, {"\xff", "valid UTF-8"}, {json.Number("1"), "expected a string, got a number"}, {[]any{}, "got a list"}},
		"Date":      {{"2024-02-30", "expected a date"}, {true, "expected a date such as 2024-02-29, got a boolean"}},
		"Timestamp": {{"2024-02-29", "expected a time"}, {0, "expected a time"}},
		"Choice":    {{"c", `expected one of "a", "b"`}, {1.5, "expected a string"}},
		"Code":      {{map[string]any{}, "expected a string, got an object"}},
		"Flag":      {{"true", "expected a boolean, got a string"}, {1, "expected a boolean"}},
		"Number":    {{"1", "expected a number, got a string"}, {json.Number("1e999"), "range"}, {math.NaN(), "finite"}},
		"Every": {
			{"* * *", "five fields"},
			{map[string]any{"cron": "x"}, "expected a cron expression or a schedule"},
			{map[string]any{"schedule_type": "yearly"}, "expected a schedule type"},
			{map[string]any{"schedule_type": "hour"}, "five fields"},
			{map[string]any{"value": "* * * * *", "time_zone": "Mars"}, "no IANA time zone"},
		},
		"Objects": {{map[string]any{}, "expected a list of objects"}, {[]any{map[string]any{"objekt": 1}}, "expected a list of objects"}},
		"Mapping": {{[]any{}, "expected an object with fields"}},
		"Form":    {{map[string]any{"size": 10}, "/size: must be <= 9"}, {map[string]any{"size": "x"}, "expected data that fits"}, {cyclic, "JSON can hold"}},
		"Tags":    {{"a", "expected a list, got a string"}, {[]any{"a", 1, 2}, "value 1: expected a string, got a number; value 2"}},
		"Limits":  {{[]any{1}, "expected a list of keys and values"}, {map[string]any{"a": "1"}, `value of "a": expected a number, got a string`}},
		"Place":   {{"x", "has no value"}},
		"Nick":    {{"x", "no such config variable"}},
		"My Shop": {
			{"x", "expected a connection"},
			{map[string]any{"fields": map[string]any{}}, `field "domain": a value is required`},
			{map[string]any{"fields": map[string]any{"domain": "a", "live": 1}}, `field "live": expected a string, got a number`},
			{map[string]any{"fields": map[string]any{"domain": "a", "tokenURL": "x"}}, `field "tokenURL": the connection has no such input`},
			{map[string]any{"secret": 1}, "expected a connection"},
		},
	} {
		for _, test := range tests {
			_, err := everyType().ConfigValues(map[string]any{key: test.value})
			var invalid *sluice.ValidationError
			require.ErrorAs(t, err, &invalid, key)
			require.Len(t, invalid.Faults, 1)
			require.Equal(t, key, invalid.Faults[0].Path)
			require.Contains(t, invalid.Faults[0].Message, test.want)
		}
	}
}

func TestConfigValuesReportEveryFaultAtOnce(t *testing.T) {
	t.Parallel()
	_, err := everyType().ConfigValues(map[string]any{"Text": 1, "Flag": 1, "Nope": 1, "Also": 1})
	var invalid *sluice.ValidationError
	require.ErrorAs(t, err, &invalid)
	var paths []string
	for _, fault := range invalid.Faults {
		paths = append(paths, fault.Path)
	}
	require.Equal(t, []string{"Text", "Flag", "Also", "Nope"}, paths)
}

func TestUserLevelConfigValues(t *testing.T) {
	t.Parallel()
	values, err := everyType().UserLevelConfigValues(map[string]any{"Nick": "n"})
	require.NoError(t, err)
	require.Equal(t, map[string]any{"Nick": "n"}, values)
	_, err = everyType().UserLevelConfigValues(map[string]any{"Text": "t"})
	require.ErrorContains(t, err, "no such config variable")
}

func TestDecodeConfigValuesRefusesWhatIsNoObject(t *testing.T) {
	t.Parallel()
	for _, data := range []string{"", "[]", `{"Text":"a"} {}`, `{"Text":`} {
		_, err := everyType().DecodeConfigValues([]byte(data))
		require.ErrorContains(t, err, "config values", data)
	}
}

// TestStoredConfigValuesStay stores and loads what was accepted, twice the same.
func TestStoredConfigValuesStay(t *testing.T) {
	t.Parallel()
	i := everyType()
	rapid.Check(t, func(t *rapid.T) {
		given := map[string]any{}
		for key := range givenValues() {
			if rapid.Bool().Draw(t, key) {
				given[key] = anyValue().Draw(t, "value of "+key)
			}
		}
		parsed, err := i.ConfigValues(given)
		if err != nil {
			var invalid *sluice.ValidationError
			require.ErrorAs(t, err, &invalid)
			return
		}
		stored, err := json.Marshal(parsed)
		require.NoError(t, err)
		decoded, err := i.DecodeConfigValues(stored)
		require.NoError(t, err)
		again, err := json.Marshal(decoded)
		require.NoError(t, err)
		require.JSONEq(t, string(stored), string(again))
	})
}

// anyValue is any value as JSON decodes it, often one of the right type.
func anyValue() *rapid.Generator[any] {
	return rapid.OneOf(
		rapid.Map(rapid.String(), func(s string) any { return s }),
		rapid.Map(rapid.Float64(), func(f float64) any { return f }),
		rapid.Map(rapid.Int(), func(n int) any { return n }),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Map(rapid.SliceOf(rapid.String()), func(list []string) any { return list }),
		rapid.Map(rapid.MapOf(rapid.String(), rapid.Float64()), func(members map[string]float64) any { return members }),
		rapid.SampledFrom([]any{nil, json.Number("12"), "2024-02-29", "2024-02-29T12:34:56+02:00", "a", "0 6 * * *", []any{}, map[string]any{}, settings{3}}),
	)
}
