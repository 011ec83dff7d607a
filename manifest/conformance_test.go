package manifest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/manifest"
)

// testCase is one folder of testdata/conformance: a definition and what spectral 10.31.1
// made of it.
type testCase struct {
	dir            string
	definition     any
	importMetadata map[string]any
	// component is a case of component(), mirror and instead the verdict on spectral's
	// result: must, may or no, and what Go does instead.
	component       bool
	mirror, instead string
	wantError       string // Empty when spectral exports.
}

// outcome is what a case came to.
type outcome string

const (
	exported        outcome = "exports equal"
	contained       outcome = "errors contained"
	rejected        outcome = "go:reject rejected"
	exportedInstead outcome = "exported where spectral errs"
	asIs            outcome = "as-is where Go may choose"
	otherwise       outcome = "otherwise"
	inexpressible   outcome = "not expressible"
	skipped         outcome = "component cases skipped"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	dirs, err := filepath.Glob(filepath.Join("testdata", "conformance", "*", "definition.json"))
	require.NoError(t, err)
	require.NotEmpty(t, dirs, "there are no cases")
	var mutex sync.Mutex
	counts := map[outcome]int{}
	t.Cleanup(func() { // After the cases, which are parallel.
		var text strings.Builder
		for _, what := range []outcome{exported, contained, rejected, exportedInstead, asIs, otherwise, inexpressible, skipped} {
			fmt.Fprintf(&text, ", %d %s", counts[what], what)
		}
		t.Logf("conformance: %d cases%s", len(dirs), text.String())
		if counts[exported] == 0 || counts[contained] == 0 {
			t.Error("no case was compared")
		}
	})
	for _, path := range dirs {
		c := loadCase(t, filepath.Dir(path))
		t.Run(filepath.Base(c.dir), func(t *testing.T) {
			t.Parallel()
			what := c.run(t)
			mutex.Lock()
			defer mutex.Unlock()
			counts[what]++
		})
	}
}

func loadCase(t *testing.T, dir string) testCase {
	t.Helper()
	var head struct {
		Kind, Mirror, Go string
		ImportMetadata   map[string]any
		Definition       json.RawMessage
	}
	require.NoError(t, json.Unmarshal(readFile(t, dir, "definition.json"), &head))
	definition, err := decodeOrdered(head.Definition)
	require.NoError(t, err, dir)
	c := testCase{
		dir: dir, definition: definition, importMetadata: head.ImportMetadata,
		component: head.Kind == "component", mirror: head.Mirror, instead: head.Go,
	}
	message, err := os.ReadFile(filepath.Join(dir, "expected-error.txt"))
	if !errors.Is(err, fs.ErrNotExist) {
		require.NoError(t, err)
		c.wantError = strings.TrimSuffix(string(message), "\n")
	}
	return c
}

func readFile(t *testing.T, dir, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	require.NoError(t, err)
	return data
}

func (c testCase) run(t *testing.T) outcome {
	t.Helper()
	if c.component {
		return skipped // Sluice has no component().
	}
	got := c.result()
	switch {
	case c.mirror == "must" && c.wantError == "":
		require.NoError(t, got.exportErr)
		require.Empty(t, c.difference(t, got))
		require.Empty(t, c.publishingDifference(t, got))
		return exported
	case c.mirror == "must":
		require.Contains(t, got.errors(), c.wantError)
		return contained
	case c.mirror == "no" && strings.HasPrefix(c.instead, "reject"):
		if !got.inexpressible {
			require.NoError(t, got.buildErr)
			require.Error(t, got.validateErr)
		}
		if c.instead != "reject" {
			return otherwise
		}
		return rejected
	case c.mirror == "no" && strings.HasPrefix(c.instead, "export"):
		require.NoError(t, got.exportErr)
		if c.instead == "export" && c.wantError == "" { // Any other wish means another document.
			require.Empty(t, c.difference(t, got))
		}
		return exportedInstead
	case got.inexpressible, c.mirror == "may" && errors.Is(got.buildErr, errUnknown):
		return inexpressible
	}
	require.Equal(t, "may", c.mirror, "nothing is known about this verdict")
	require.NoError(t, got.buildErr)
	if c.wantError == "" && got.exportErr == nil && c.difference(t, got) == "" ||
		c.wantError != "" && strings.Contains(got.errors(), c.wantError) {
		return asIs
	}
	return otherwise
}

// result is what Sluice makes of a definition.
type result struct {
	buildErr, validateErr, exportErr error
	inexpressible                    bool
	document                         []byte
	publishing                       manifest.Publishing
}

// result builds, validates and exports; it knows nothing of the case but its definition.
func (c testCase) result() result {
	integration, err := build(c.definition)
	if err != nil {
		return result{buildErr: err, exportErr: err, inexpressible: errors.Is(err, errInexpressible)}
	}
	got := result{validateErr: integration.Validate()}
	got.document, got.exportErr = manifest.Export(integration, manifest.Options{ReferenceKey: "REFERENCE_KEY", ImportMetadata: c.importMetadata})
	got.publishing = manifest.PublishingMetadata(integration)
	return got
}

func (r result) errors() string {
	return fmt.Sprint(errors.Join(r.buildErr, r.validateErr, r.exportErr))
}

// difference compares the document with spectral's.
func (c testCase) difference(t *testing.T, got result) string {
	t.Helper()
	if got.exportErr != nil {
		return got.exportErr.Error()
	}
	actual, err := manifest.Parse(got.document)
	require.NoError(t, err, "%s", got.document)
	var want any
	require.NoError(t, json.Unmarshal(readFile(t, c.dir, "expected.json"), &want))
	return difference("", normalize("", want), normalize("", actual))
}

func (c testCase) publishingDifference(t *testing.T, got result) string {
	t.Helper()
	if _, err := os.Stat(filepath.Join(c.dir, "expected-publishing.json")); errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	data, err := json.Marshal(got.publishing)
	require.NoError(t, err)
	var want, actual any
	require.NoError(t, json.Unmarshal(data, &actual))
	require.NoError(t, json.Unmarshal(readFile(t, c.dir, "expected-publishing.json"), &want))
	return difference("", want, actual)
}
