package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/store/postgres/pgtest"
)

// childDatabase makes the test binary the program, on the database that it names.
const childDatabase = "SLUICE_CLUSTER_DATABASE"

func TestMain(m *testing.M) {
	if database := os.Getenv(childDatabase); database != "" {
		if err := serve(context.Background(), "127.0.0.1:0", database, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(pgtest.Main(m))
}

// program is a process of the example.
type program struct {
	command *exec.Cmd
	lines   *bufio.Scanner
}

func start(t *testing.T, database string) *program {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	command := exec.CommandContext(t.Context(), self)
	command.Env = append(os.Environ(), childDatabase+"="+database)
	command.Stderr = t.Output()
	out, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	p := &program{command, bufio.NewScanner(out)}
	t.Cleanup(p.kill)
	return p
}

func (p *program) kill() {
	_ = p.command.Process.Kill()
	_ = p.command.Wait()
}

// read reads lines up to one that matches, and returns what its group matched.
func (p *program) read(t *testing.T, pattern string) string {
	t.Helper()
	expression := regexp.MustCompile(pattern)
	for p.lines.Scan() {
		if found := expression.FindStringSubmatch(p.lines.Text()); found != nil {
			return found[1]
		}
	}
	require.Failf(t, "the program ended", "before it printed %s", pattern)
	return ""
}

// TestKill kills the process that counts: the other one goes on where it was.
func TestKill(t *testing.T) {
	t.Parallel()
	database := pgtest.Database(t)
	first := start(t, database)
	url := first.read(t, `curl -X POST (\S+)`)
	second := start(t, database)
	second.read(t, `curl -X POST (\S+)`)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, http.NoBody)
	require.NoError(t, err)
	answer, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, http.StatusOK, answer.StatusCode)
	first.read(t, `counts (4)`)
	first.kill()
	next, err := strconv.Atoi(second.read(t, `counts (\d+)`))
	require.NoError(t, err)
	require.GreaterOrEqual(t, next, 4)
	second.read(t, `is (done)`)
}
