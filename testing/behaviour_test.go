package sluicetest_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// behaviourPair is what spectral 10.31.1 made of an input, in testdata/behaviour.
type behaviourPair struct {
	Name   string
	Note   string
	Input  map[string]any
	Output any
	Error  *struct{ Name, Message string }
}

// mirror does in Go what a pair describes: it sees the pair's input and nothing else of it.
type mirror func(t *testing.T, input map[string]any) (any, error)

// mirrors are the pairs that are mirrored, by the topic that names their file.
var mirrors = map[string]map[string]mirror{
	"batch":               batchMirrors,
	"cni-context":         contextMirrors,
	"invoke-flow-http":    callMirrors,
	"invoke-flow-testing": flowMirrors,
	"perform":             performMirrors,
	"polling":             pollingMirrors,
}

// differences is testdata/differences.json: what is not mirrored, and why.
type differences struct {
	// Pairs by topic and name, Names of spectral's testing module that Go has not, and Members of
	// outputs that are not compared.
	Pairs          map[string]map[string]string
	Names, Members map[string]string
}

func readDifferences(t *testing.T) differences {
	t.Helper()
	data, err := os.ReadFile("testdata/differences.json")
	require.NoError(t, err)
	var read differences
	require.NoError(t, json.Unmarshal(data, &read))
	return read
}

func readPairs(t *testing.T) map[string][]behaviourPair {
	t.Helper()
	files, err := filepath.Glob("testdata/behaviour/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files, "there are no pairs")
	pairs := map[string][]behaviourPair{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		var topic struct {
			Topic string
			Count int
			Pairs []behaviourPair
		}
		require.NoError(t, json.Unmarshal(data, &topic))
		require.Len(t, topic.Pairs, topic.Count, file)
		require.NotEmpty(t, topic.Pairs, file)
		pairs[topic.Topic] = topic.Pairs
	}
	return pairs
}

// TestBehaviour compares what the runtime does with what spectral does, pair by pair: each is
// mirrored, or listed as different with the reason.
func TestBehaviour(t *testing.T) {
	t.Parallel()
	different := readDifferences(t)
	mirrored, listed, used := 0, 0, map[string]bool{}
	for topic, pairs := range readPairs(t) {
		for _, pair := range pairs {
			what := topic + ": " + pair.Name
			run, isMirrored := mirrors[topic][pair.Name]
			_, isDifferent := different.Pairs[topic][pair.Name]
			require.NotEqual(t, isMirrored, isDifferent, "%s: mirror it, or say in testdata/differences.json why not", what)
			require.False(t, used[what], "%s: there are two pairs of this name", what)
			used[what] = true
			if isDifferent {
				listed++
				continue
			}
			mirrored++
			t.Run(topic+"/"+pair.Name, func(t *testing.T) {
				t.Parallel()
				got, err := run(t, pair.Input)
				comparePair(t, different.Members, pair, got, err)
			})
		}
	}
	for topic, reasons := range different.Pairs {
		for name := range reasons {
			require.True(t, used[topic+": "+name], "there is no pair %q in %s", name, topic)
		}
	}
	for topic := range mirrors {
		for name := range mirrors[topic] {
			require.True(t, used[topic+": "+name], "there is no pair %q in %s", name, topic)
		}
	}
	require.NotZero(t, mirrored)
	t.Logf("behaviour: %d pairs, %d mirrored, %d different with a reason", mirrored+listed, mirrored, listed)
}

// TestBehaviourPage keeps docs/spectral-behaviour.md in step with the lists; -update writes it.
func TestBehaviourPage(t *testing.T) {
	t.Parallel()
	const file = "../docs/spectral-behaviour.md"
	page := behaviourPage(readPairs(t), readDifferences(t))
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(page), 0o600))
	}
	written, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, page, string(written), "write it anew: go test -run TestBehaviourPage ./testing -update")
}

func behaviourPage(pairs map[string][]behaviourPair, different differences) string {
	var page strings.Builder
	mirrored, all := 0, 0
	for topic, list := range pairs {
		all += len(list)
		mirrored += len(list) - len(different.Pairs[topic])
	}
	fmt.Fprintf(&page, `# What spectral does, and what Sluice does

Of %d observations of spectral 10.31.1 at run time, %d are mirrored by Sluice: `+"`TestBehaviour`"+` in `+"`testing/`"+` makes each
of them with the production runtime and compares. The others are different on purpose; here is why. This page is written
by `+"`go test -run TestBehaviourPage ./testing -update`"+`.

## The names of the testing module

| spectral | Sluice |
|---|---|
`, all, mirrored)
	names := map[string]string{}
	for name, in := range testingNames {
		names[name] = "`sluicetest." + in.name + "`"
	}
	maps.Copy(names, different.Names)
	table(&page, names)
	page.WriteString("\n## Members that are not compared\n\n| member | why |\n|---|---|\n")
	table(&page, different.Members)
	for _, topic := range slices.Sorted(maps.Keys(pairs)) {
		fmt.Fprintf(&page, "\n## %s\n\n%d of %d pairs are mirrored.\n\n| different | why |\n|---|---|\n",
			topic, len(pairs[topic])-len(different.Pairs[topic]), len(pairs[topic]))
		for _, pair := range pairs[topic] {
			if reason, ok := different.Pairs[topic][pair.Name]; ok {
				fmt.Fprintf(&page, "| %s | %s |\n", cell(pair.Name), cell(reason))
			}
		}
	}
	return page.String()
}

func table(page *strings.Builder, rows map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		fmt.Fprintf(page, "| `%s` | %s |\n", name, cell(rows[name]))
	}
}

func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
