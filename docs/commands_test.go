package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// command is a kind of command that pages show, with what must be there for it to work.
type command struct {
	pattern *regexp.Regexp
	exists  func(args []string) bool
}

// commands are all that pages may show. What the programs do that they run is checked by the
// programs' own tests.
var commands = []command{
	{regexp.MustCompile(`^go run \./(examples/\w+)$`), func(args []string) bool {
		return contains(args[0]+"/main.go", "func main()") && contains(args[0]+"/*_test.go", "serve(", "run(", "sluicetest.Run")
	}},
	{regexp.MustCompile(`^go test \./(\S+) -run (\w+) -v$`), func(args []string) bool {
		return contains(args[0]+"/*_test.go", "func "+args[1]+"(")
	}},
	{regexp.MustCompile(`^make (\w+)$`), func(args []string) bool { return contains("Makefile", "\n"+args[0]+":") }},
}

// TestCommands: every command of a page is one that works in a clone of the repository.
func TestCommands(t *testing.T) {
	t.Parallel()
	for _, b := range allBlocks(t, "sh") {
		for i, line := range b.lines {
			if slices.Contains(tutorials, b.page) && !strings.HasPrefix(line, "make ") {
				continue // TestTutorials types it.
			}
			line, _, _ = strings.Cut(line, " #")
			if line != "" && !works(line) {
				t.Errorf("%s:%d: no such command, or no rule in commands_test.go that checks it: %s", b.page, b.line+1+i, line)
			}
		}
	}
}

// works tells whether a command is of a known kind and what it names is there.
func works(line string) bool {
	for _, c := range commands {
		if args := c.pattern.FindStringSubmatch(line); args != nil {
			return c.exists(args[1:])
		}
	}
	return false
}

// contains tells whether one of the files, their paths from root, contains one of the texts.
func contains(pattern string, texts ...string) bool {
	files, _ := filepath.Glob(filepath.Join(root, filepath.FromSlash(pattern)))
	for _, file := range files {
		content, err := os.ReadFile(file)
		for _, text := range texts {
			if err == nil && strings.Contains(string(content), text) {
				return true
			}
		}
	}
	return false
}
