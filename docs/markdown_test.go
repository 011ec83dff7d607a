package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// root is the top of the repository, seen from this folder.
const root = ".."

// block is a fenced block of a page.
type block struct {
	page     string // The page's path from root.
	line     int    // Of the opening fence, from 1.
	language string
	intro    string // The last line of text before it.
	lines    []string
}

// pages are the Markdown files for users: their paths from root.
func pages(t *testing.T) []string {
	t.Helper()
	paths := []string{"README.md", "CONTRIBUTING.md"}
	err := fs.WalkDir(os.DirFS(root), "docs", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".md" {
			paths = append(paths, path)
		}
		return err
	})
	require.NoError(t, err)
	require.Greater(t, len(paths), 10)
	return paths
}

// blocks are the fenced blocks of a page, in their order.
func blocks(t *testing.T, page string) (found []block) {
	t.Helper()
	var open *block
	intro := ""
	for i, line := range linesOf(t, page) {
		language, fence := strings.CutPrefix(line, "```")
		switch {
		case fence && open == nil:
			open = &block{page: page, line: i + 1, language: language, intro: intro}
		case line == "```":
			found, open = append(found, *open), nil
		case open != nil:
			open.lines = append(open.lines, line)
		case line != "":
			intro = line
		}
	}
	if open != nil {
		t.Errorf("%s:%d: the block is not closed", page, open.line)
	}
	return found
}

// allBlocks are the blocks of all pages that are in one of the languages.
func allBlocks(t *testing.T, languages ...string) (found []block) {
	t.Helper()
	for _, page := range pages(t) {
		for _, b := range blocks(t, page) {
			if slices.Contains(languages, b.language) {
				found = append(found, b)
			}
		}
	}
	require.NotEmpty(t, found)
	return found
}

func linesOf(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(path)))
	require.NoError(t, err)
	return strings.Split(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n")
}

// TestBlocksAreChecked: a block in another language would be read by no test.
func TestBlocksAreChecked(t *testing.T) {
	t.Parallel()
	languages := []string{"go", "sh", "console", "http", "ts", "text", "mermaid"}
	for _, page := range pages(t) {
		for _, b := range blocks(t, page) {
			if !slices.Contains(languages, b.language) {
				t.Errorf("%s:%d: the language %q is none of %s", page, b.line, b.language, languages)
			}
		}
	}
}

var (
	link = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	code = regexp.MustCompile("`[^`]*`")
)

// TestLinks follows the links between files, and looks for each guide in the README.
func TestLinks(t *testing.T) {
	t.Parallel()
	linked := map[string]bool{}
	for _, page := range pages(t) {
		inBlock := false
		for i, line := range linesOf(t, page) {
			inBlock = inBlock != strings.HasPrefix(line, "```")
			if inBlock {
				continue
			}
			for _, match := range link.FindAllStringSubmatch(code.ReplaceAllString(line, ""), -1) {
				target, _, _ := strings.Cut(match[1], "#")
				if target == "" || strings.Contains(target, "://") {
					continue
				}
				path := filepath.Join(filepath.Dir(filepath.FromSlash(page)), filepath.FromSlash(target))
				if _, err := os.Stat(filepath.Join(root, path)); err != nil {
					t.Errorf("%s:%d: the link leads nowhere: %s", page, i+1, match[1])
				}
				if page == "README.md" {
					linked[filepath.ToSlash(path)] = true
				}
			}
		}
	}
	for _, page := range pages(t) {
		if strings.HasPrefix(page, "docs/guides/") && !linked[page] {
			t.Errorf("README.md does not link %s", page)
		}
	}
}
