package manifest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/manifest"
)

func export(t *testing.T, i *sluice.Integration) []byte {
	t.Helper()
	document, err := manifest.Export(i, manifest.Options{ReferenceKey: "key"})
	require.NoError(t, err)
	return document
}

func lines(changes []manifest.Change) []string {
	texts := make([]string, len(changes))
	for i, change := range changes {
		texts[i] = change.String()
	}
	return texts
}

func TestDiff(t *testing.T) {
	t.Parallel()
	before := &sluice.Integration{Name: "Orders", Flows: []sluice.Flow{
		{Name: "Create", StableKey: "create", RetryConfig: &sluice.RetryConfig{MaxAttempts: 1}},
		{Name: "Delete", StableKey: "delete"},
		{Name: "Update", StableKey: "update", Description: "Changes an order."},
	}}
	after := &sluice.Integration{Name: "Orders", Labels: []string{"shop"}, Flows: []sluice.Flow{
		{Name: "Update", StableKey: "update", Description: "Changes one order."},
		{Name: "Create", StableKey: "create", RetryConfig: &sluice.RetryConfig{MaxAttempts: 3}},
		{Name: "List", StableKey: "list"},
	}}
	changes, err := manifest.Diff(export(t, before), export(t, after))
	require.NoError(t, err)
	texts := lines(changes)
	require.Len(t, texts, 6)
	require.Equal(t, `~ flows: ["create","update"] -> ["update","create"]`, texts[0])
	require.Equal(t, "~ flows[create].retryConfig.maxAttempts: 1 -> 3", texts[1])
	require.Contains(t, texts[2], "- flows[delete]: {")
	require.Contains(t, texts[3], "+ flows[list]: {")
	require.Equal(t, `~ flows[update].description: "Changes an order." -> "Changes one order."`, texts[4])
	require.Equal(t, `+ labels: ["shop"]`, texts[5])
}

func TestDiffOfTheSame(t *testing.T) {
	t.Parallel()
	document := export(t, twentyFlows())
	changes, err := manifest.Diff(document, document)
	require.NoError(t, err)
	require.Empty(t, changes)
}

func TestDiffRefusesWhatIsNoYAML(t *testing.T) {
	t.Parallel()
	_, err := manifest.Diff([]byte("a: 1"), []byte("a: [1"))
	require.ErrorContains(t, err, "the new document")
	_, err = manifest.Diff([]byte("a: &a [*a]"), []byte("a: 1"))
	require.Error(t, err)
}

func FuzzDiff(f *testing.F) {
	f.Add([]byte("a: 1"), []byte("b: [x, {name: y}]"))
	f.Add([]byte("flows: [{key: a}, {key: b}]"), []byte("flows: [{key: b}, {key: a}]"))
	f.Fuzz(func(t *testing.T, before, after []byte) {
		changes, err := manifest.Diff(before, after)
		if err != nil {
			return
		}
		back, err := manifest.Diff(after, before)
		require.NoError(t, err)
		require.Len(t, back, len(changes), "a change has one change back")
	})
}
