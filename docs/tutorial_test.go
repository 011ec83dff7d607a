package docs_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestTutorials does what pages tell a newcomer to do, word for word, in an empty folder: it
// types the commands, writes the files, and compares the answers. Only the clone is replaced
// by this one, and the port by a free one.
func TestTutorials(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds the programs of the tutorials")
	}
	if runtime.GOOS == "windows" {
		t.Skip("the tutorials are typed into a shell of Unix")
	}
	for _, tool := range []string{"sh", "curl", "kill"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("the tutorials are typed into a shell: " + err.Error())
		}
	}
	for _, page := range tutorials {
		t.Run(page, func(t *testing.T) {
			t.Parallel()
			follow(t, page)
		})
	}
}

// tutorials are the pages whose commands are typed; what others show is looked up in
// commands_test.go.
var tutorials = []string{"README.md", "docs/guides/first-integration.md"}

// reader is somebody who follows a page.
type reader struct {
	home, dir   string
	addr        string // In place of 127.0.0.1:8080.
	server      *server
	executionID string // Of the last answer that has one.
}

// fileName is how the line before a block names the file that the reader writes.
var fileName = regexp.MustCompile("`(\\w+\\.go)`")

func follow(t *testing.T, page string) {
	t.Helper()
	home := t.TempDir()
	r := &reader{home: home, dir: home, addr: freeAddress(t)}
	defer func() { r.server.stop() }()
	typed := 0
	for _, b := range blocks(t, page) {
		where := fmt.Sprintf("%s:%d", page, b.line)
		if file := fileName.FindStringSubmatch(b.intro); b.language == "go" && file != nil {
			text := strings.ReplaceAll(strings.Join(b.lines, "\n")+"\n", "127.0.0.1:8080", r.addr)
			text = strings.ReplaceAll(text, "runtime.New(ctx, runtime.Options{", `runtime.New(ctx, runtime.Options{BaseURL: "http://`+r.addr+`", `)
			require.NoError(t, os.WriteFile(filepath.Join(r.dir, file[1]), []byte(text), 0o600), where)
		}
		if b.language == "sh" || b.language == "console" {
			for _, d := range dialogue(b) {
				r.enter(t, where, d)
				typed++
			}
		}
	}
	require.Greater(t, typed, 5)
}

// exchange is a command and what the page says that it answers.
type exchange struct {
	command string
	answer  []string
}

// dialogue splits a block into its commands.
func dialogue(b block) (exchanges []exchange) {
	for _, line := range b.lines {
		command, isCommand := strings.CutPrefix(line, "$ ")
		if isCommand || b.language == "sh" {
			exchanges = append(exchanges, exchange{command: command})
			continue
		}
		last := &exchanges[len(exchanges)-1]
		last.answer = append(last.answer, line)
	}
	return exchanges
}

// enter types a command and waits until the answer is what the page says.
func (r *reader) enter(t *testing.T, where string, e exchange) {
	t.Helper()
	command := r.fill(t, e.command)
	words := strings.Fields(command)
	switch {
	case words[0] == "make": // TestCommands looks it up.
	case strings.HasPrefix(command, "git clone"):
		r.dir = r.home
		clone, err := filepath.Abs(root)
		require.NoError(t, err)
		if err := os.Symlink(clone, filepath.Join(r.home, "sluice")); !os.IsExist(err) {
			require.NoError(t, err)
		}
	case words[0] == "cd":
		r.dir = filepath.Join(r.dir, words[1])
	case strings.HasPrefix(command, "go run"):
		r.server.stop()
		r.server = r.run(t, words[2])
		r.await(t, where, e, r.server.output.String, false)
	default:
		r.await(t, where, e, func() string {
			shell := exec.CommandContext(t.Context(), "sh", "-c", command)
			shell.Dir = r.dir
			shell.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOSUMDB=off", "GOWORK=off")
			out, err := shell.CombinedOutput()
			require.NoError(t, err, "%s: %s\n%s", where, command, out)
			return strings.TrimSuffix(string(out), "\n")
		}, true)
	}
}

// fill puts in what the reader saw in an answer, or reads where the program prints it.
func (r *reader) fill(t *testing.T, text string) string {
	t.Helper()
	text = strings.ReplaceAll(text, "127.0.0.1:8080", r.addr)
	for placeholder, pattern := range printed {
		if !strings.Contains(text, placeholder) {
			continue
		}
		var found []string
		require.Eventually(t, func() bool {
			found = pattern.FindStringSubmatch(r.server.output.String())
			return found != nil
		}, 30*time.Second, 50*time.Millisecond, "the program does not print "+placeholder)
		text = strings.ReplaceAll(text, placeholder, found[1])
	}
	return strings.ReplaceAll(text, "<executionId>", r.executionID)
}

// printed are what pages call what a program prints, which differs from reader to reader.
var printed = map[string]*regexp.Regexp{
	"<process>":          regexp.MustCompile(`\(process (\d+)\)`),
	"<URL of New order>": regexp.MustCompile(`(http://\S+/trigger/[\w-]+)\n`),
	"<URL of Quote>":     regexp.MustCompile(`(?s)A quote.*?(http://\S+/trigger/[\w-]+)\n`),
}

// answeredID is the id of an execution in the answer to a request.
var answeredID = regexp.MustCompile(`"executionId":"([^"]+)"`)

// await asks again until the answer fits, for what happens in the background.
func (r *reader) await(t *testing.T, where string, e exchange, ask func() string, whole bool) {
	t.Helper()
	want := strings.ReplaceAll(regexp.QuoteMeta(r.fill(t, strings.Join(e.answer, "\n"))), "…", ".*")
	if whole && len(e.answer) > 0 {
		want = "(?s)^" + want + "$"
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	answer := ask()
	for !regexp.MustCompile(want).MatchString(answer) {
		select {
		case <-again.C:
			answer = ask()
		case <-ctx.Done():
			require.Fail(t, where+": "+e.command, "want: %s\ngot:  %s", strings.Join(e.answer, "\n"), answer)
		}
	}
	if found := answeredID.FindStringSubmatch(answer); found != nil {
		r.executionID = found[1]
	}
}
