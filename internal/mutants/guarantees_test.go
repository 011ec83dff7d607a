package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestGuarantees sees to it that docs/guarantees.md, the patches and the tests speak of the
// same: each guarantee has a patch that fits, whose test is there and named on the page.
func TestGuarantees(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	page, err := os.ReadFile(filepath.Join("docs", "guarantees.md"))
	require.NoError(t, err)
	paths, err := filepath.Glob(filepath.Join("testdata", "mutants", "*.patch"))
	require.NoError(t, err)
	_, noGit := exec.LookPath("git")
	tests := map[int][]string{}
	for _, path := range paths {
		m, err := read(path)
		require.NoError(t, err, path)
		require.True(t, hasTest(t, m.pkg, m.test), "%s: %s has no %s", path, m.pkg, m.test)
		if noGit == nil {
			_, err = m.apply(t.Context(), t.TempDir())
			require.NoError(t, err, path)
		}
		tests[m.property] = append(tests[m.property], m.test)
	}
	for property := 1; property <= properties; property++ {
		row := rowOf(string(page), property)
		require.NotEmpty(t, row, "guarantee %d is not on the page", property)
		require.NotEmpty(t, tests[property], "guarantee %d has no patch", property)
		for _, test := range tests[property] {
			require.Contains(t, row, "`"+test+"`", "guarantee %d", property)
		}
	}
}

// rowOf is the row of the page's table that begins with the number.
func rowOf(page string, property int) string {
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, "| "+strconv.Itoa(property)+" |") {
			return line
		}
	}
	return ""
}

func hasTest(t *testing.T, folder, name string) bool {
	t.Helper()
	name, _, _ = strings.Cut(name, "/")
	paths, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	require.NoError(t, err)
	for _, path := range paths {
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		if strings.Contains(string(data), "\nfunc "+name+"(") {
			return true
		}
	}
	return false
}
