package manifest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
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

// counts tell what the cases came to.
type counts struct {
	exported, contained, rejected, exportedInstead, asIs, otherwise, inexpressible, components int
}

func TestConformance(t *testing.T) {
	t.Parallel()
	dirs, err := filepath.Glob(filepath.Join("testdata", "conformance", "*", "definition.json"))
	require.NoError(t, err)
	require.NotEmpty(t, dirs, "there are no cases")
	var total counts
	for _, path := range dirs {
		c := loadCase(t, filepath.Dir(path))
		t.Run(filepath.Base(c.dir), func(t *testing.T) { c.run(t, &total) }) //nolint:paralleltest // They count.
	}
	t.Logf("conformance: %d cases: %d exports equal, %d errors contained, %d go:reject rejected, %d exported where spectral errs, "+
		"%d as-is where Go may choose, %d otherwise; %d not expressible, %d component cases skipped",
		len(dirs), total.exported, total.contained, total.rejected, total.exportedInstead,
		total.asIs, total.otherwise, total.inexpressible, total.components)
	require.Positive(t, total.exported)
	require.Positive(t, total.contained)
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

func (c testCase) run(t *testing.T, total *counts) {
	t.Helper()
	if c.component {
		total.components++
		t.Skip("a case of component(), which Sluice does not have")
	}
	got := c.result()
	switch {
	case c.mirror == "must" && c.wantError == "":
		require.NoError(t, got.exportErr)
		require.Empty(t, c.difference(t, got))
		require.Empty(t, c.publishingDifference(t, got))
		total.exported++
	case c.mirror == "must":
		require.Contains(t, got.errors(), c.wantError)
		total.contained++
	case c.mirror == "no" && strings.HasPrefix(c.instead, "reject"):
		if !got.inexpressible {
			require.NoError(t, got.buildErr)
			require.Error(t, got.validateErr)
		}
		if c.instead == "reject" {
			total.rejected++
		} else {
			total.otherwise++
		}
	case c.mirror == "no" && strings.HasPrefix(c.instead, "export"):
		require.NoError(t, got.exportErr)
		if c.instead == "export" && c.wantError == "" { // Any other wish means another document.
			require.Empty(t, c.difference(t, got))
		}
		total.exportedInstead++
	case got.inexpressible, c.mirror == "may" && errors.Is(got.buildErr, errUnknown):
		total.inexpressible++
	case c.mirror == "may":
		require.NoError(t, got.buildErr)
		if c.wantError == "" && got.exportErr == nil && c.difference(t, got) == "" ||
			c.wantError != "" && strings.Contains(got.errors(), c.wantError) {
			total.asIs++
		} else {
			total.otherwise++
			t.Logf("otherwise: %v %s", got.exportErr, c.difference(t, got))
		}
	default:
		require.Fail(t, "nothing is known about this case", "mirror %q, go %q", c.mirror, c.instead)
	}
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
	data, err := json.Marshal(got.publishing)
	require.NoError(t, err)
	var want, actual any
	require.NoError(t, json.Unmarshal(data, &actual))
	require.NoError(t, json.Unmarshal(readFile(t, c.dir, "expected-publishing.json"), &want))
	return difference("", want, actual)
}
