package docs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestExamples: every example program stands in the README, and has a test in memory that a
// newcomer can copy.
func TestExamples(t *testing.T) {
	t.Parallel()
	readme := strings.Join(linesOf(t, "README.md"), "\n")
	entries, err := os.ReadDir(filepath.Join(root, "examples"))
	require.NoError(t, err)
	require.NotEmpty(t, entries)
	for _, entry := range entries {
		folder := "examples/" + entry.Name()
		if !entry.IsDir() || !contains(folder+"/*.go", "package main") {
			continue
		}
		if !strings.Contains(readme, "("+folder+")") {
			t.Errorf("README.md does not link %s", folder)
		}
		if !contains(folder+"/*_test.go", "sluicetest.Run") {
			t.Errorf("%s has no test with sluicetest", folder)
		}
	}
}
