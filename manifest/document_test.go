package manifest_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"
	"pgregory.net/rapid"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/manifest"
)

// TestDocumentsReadTheSameEverywhere reads each document by the rules of YAML 1.2 and by
// the library's own, which keep much of YAML 1.1.
func TestDocumentsReadTheSameEverywhere(t *testing.T) {
	t.Parallel()
	dirs, err := filepath.Glob(filepath.Join("testdata", "conformance", "*", "definition.json"))
	require.NoError(t, err)
	read := 0
	for _, path := range dirs {
		got := loadCase(t, filepath.Dir(path)).result()
		if got.exportErr != nil {
			continue
		}
		requireSameEverywhere(t, got.document)
		read++
	}
	require.Positive(t, read)
}

func requireSameEverywhere(t require.TestingT, document []byte) {
	strict, err := manifest.Parse(document)
	require.NoError(t, err)
	var loose any
	require.NoError(t, yaml.Unmarshal(document, &loose))
	want, err := json.Marshal(strict)
	require.NoError(t, err)
	got, err := json.Marshal(loose)
	require.NoError(t, err)
	require.JSONEq(t, string(want), string(got))
}

// TestAnyTextSurvives writes any text as a value and as a key.
func TestAnyTextSurvives(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		value, key := rapid.String().Draw(t, "value"), rapid.StringN(0, 100, 400).Draw(t, "key")
		number := rapid.Float64().Draw(t, "number")
		document, err := manifest.Export(
			&sluice.Integration{Name: value},
			manifest.Options{ReferenceKey: "key", ImportMetadata: map[string]any{key: map[string]any{"n": number, "list": []any{value, []any{}}}}},
		)
		require.NoError(t, err)
		requireSameEverywhere(t, document)
		parsed, err := manifest.Parse(document)
		require.NoError(t, err)
		members, ok := parsed.(map[string]any)
		require.True(t, ok)
		require.Equal(t, value, members["name"])
		require.Equal(t, map[string]any{key: map[string]any{"n": number, "list": []any{value, []any{}}}}, members["importMetadata"])
	})
}

func TestExportRefuses(t *testing.T) {
	t.Parallel()
	cyclic := map[string]any{}
	cyclic["self"] = cyclic
	for name, test := range map[string]struct {
		integration *sluice.Integration
		options     manifest.Options
		want        string
	}{
		"no integration":     {nil, manifest.Options{ReferenceKey: "k"}, "there is no integration"},
		"no reference key":   {&sluice.Integration{}, manifest.Options{}, "a reference key is required"},
		"invalid UTF-8":      {&sluice.Integration{Name: "\xff"}, manifest.Options{ReferenceKey: "k"}, "no valid UTF-8"},
		"a cycle":            {&sluice.Integration{}, manifest.Options{ReferenceKey: "k", ImportMetadata: cyclic}, "cannot be written as JSON"},
		"a name too long":    {&sluice.Integration{}, manifest.Options{ReferenceKey: "k", ImportMetadata: map[string]any{strings.Repeat("k", 2000): 1}}, "too long for a name"},
		"a deployment's own": {&sluice.Integration{Flows: []sluice.Flow{{Trigger: sluice.InstanceDeployTrigger{}}}}, manifest.Options{ReferenceKey: "k"}, "flows[0]: a code-native manifest has no trigger"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := manifest.Export(test.integration, test.options)
			require.ErrorContains(t, err, test.want)
		})
	}
}

func TestLifecycleFunctionsWithoutATriggerWrapThePlatforms(t *testing.T) {
	t.Parallel()
	parsed, err := manifest.Parse(export(t, &sluice.Integration{Flows: []sluice.Flow{{
		Name: "Hook", StableKey: "hook", OnInstanceDeploy: lifecycle, Schedule: &sluice.Schedule{Value: "0 0 * * *"},
	}}}))
	require.NoError(t, err)
	data, err := json.Marshal(parsed)
	require.NoError(t, err)
	require.Contains(t, string(data), `"supplementalComponents":[{"isPublic":true,"key":"schedule-triggers","version":"LATEST"}]`)
	require.Contains(t, string(data), `"key":"hook_onTrigger"`)
}

func TestTriggersOfSluiceAreFunctionsOfTheIntegration(t *testing.T) {
	t.Parallel()
	document := export(t, &sluice.Integration{Flows: []sluice.Flow{{
		Name: "Hook", StableKey: "hook", Trigger: &sluice.WebhookTrigger{StatusCode: 204},
	}}})
	require.Contains(t, string(document), "key: hook_onTrigger")
}
