// Package docs_test keeps the pages for users true: every Go snippet is taken from a Go file
// that has tests, every command is one that exists, every link leads somewhere.
package docs_test

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// source is a Go file of the repository that is compiled and run by tests.
type source struct {
	path  string
	lines []string
}

// TestGoSnippets finds every Go snippet of the pages, line by line, in a Go file that is part
// of the repository's tests: a test file, or one in a package that has some. So what users
// read is compiled and run by `make test`, and pages need no marks.
func TestGoSnippets(t *testing.T) {
	t.Parallel()
	sources := testedSources(t)
	for _, b := range allBlocks(t, "go") {
		if problem := findSnippet(b.lines, sources); problem != "" {
			t.Errorf("%s:%d: %s", b.page, b.line, problem)
		}
	}
}

// testedSources are all Go files that tests compile, of all modules of the repository.
func testedSources(t *testing.T) (sources []source) {
	t.Helper()
	tested := map[string]bool{}
	var files []string
	err := fs.WalkDir(os.DirFS(root), ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() && file != "." && (strings.HasPrefix(name, ".") || name == "testdata") {
			return fs.SkipDir
		}
		if path.Ext(name) == ".go" {
			files = append(files, file)
		}
		if strings.HasSuffix(name, "_test.go") {
			tested[path.Dir(file)] = true
		}
		return nil
	})
	require.NoError(t, err)
	for _, file := range files {
		if tested[path.Dir(file)] {
			sources = append(sources, source{path: file, lines: linesOf(t, file)})
		}
	}
	require.NotEmpty(t, sources)
	return sources
}

// findSnippet looks for the lines in the sources, whatever they are indented by. It returns
// what is wrong if they are nowhere: where the longest part of them stands, and how it goes on.
func findSnippet(lines []string, sources []source) (problem string) {
	if len(lines) == 0 {
		return "the snippet is empty"
	}
	longest := 0
	problem = fmt.Sprintf("no tested Go file has the line %q", lines[0])
	for _, s := range sources {
		for start := range s.lines {
			same, differs := compare(lines, s.lines[start:])
			if same == len(lines) {
				return ""
			}
			if same > longest {
				longest = same
				problem = fmt.Sprintf("line %d of the snippet is not that of %s:%d:\n\tguide: %q\n\tfile:  %q",
					same+1, s.path, start+same+1, lines[same], differs)
			}
		}
	}
	return problem
}

// compare counts how many lines of the snippet the file begins with, and returns the line of
// the file that differs. The indentation of the first line is taken from all lines.
func compare(snippet, file []string) (same int, differs string) {
	indent := file[0][:len(file[0])-len(strings.TrimLeft(file[0], "\t"))]
	for i, want := range snippet {
		if i == len(file) {
			return i, ""
		}
		if got := strings.TrimPrefix(file[i], indent); got != want {
			return i, file[i]
		}
	}
	return len(snippet), ""
}

// TestSnippetsThatDiffer: a snippet that is stale is told from the line in which it is.
func TestSnippetsThatDiffer(t *testing.T) {
	t.Parallel()
	sources := []source{
		{path: "a.go", lines: []string{"func f() {", "\tfirst()", "\tsecond()", "}"}},
		{path: "b.go", lines: []string{"func f() {", "\tfirst()", "\t// Why.", "\tthird()", "}"}},
	}
	for _, c := range []struct {
		name    string
		snippet []string
		problem string
	}{
		{"a whole function", []string{"func f() {", "\tfirst()", "\tsecond()", "}"}, ""},
		{"without its indentation", []string{"first()", "second()"}, ""},
		{"an edited line", []string{"first()", "// Why.", "fourth()"}, `line 3 of the snippet is not that of b.go:4:`},
		{"another indentation", []string{"first()", "\tsecond()"}, `line 2 of the snippet is not that of a.go:3:`},
		{"past the end", []string{"}", "more()"}, `line 2 of the snippet is not that of a.go:5:`},
		{"unknown", []string{"zeroth()"}, `no tested Go file has the line "zeroth()"`},
		{"nothing", nil, "the snippet is empty"},
	} {
		require.Equal(t, c.problem, strings.Split(findSnippet(c.snippet, sources), "\n")[0], c.name)
	}
}
