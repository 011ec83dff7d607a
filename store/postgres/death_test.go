//go:build unix

package postgres_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/store"
	"github.com/sluice-go/sluice/store/postgres/pgtest"
)

// child is another process that serves the same database.
type child struct {
	command *exec.Cmd
	lines   *bufio.Reader
	input   io.Writer
	url     string
}

func startChild(t *testing.T, database string) *child {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	command := exec.CommandContext(t.Context(), self)
	command.Env = append(os.Environ(), childDatabase+"="+database)
	command.Stderr = t.Output()
	out, err := command.StdoutPipe()
	require.NoError(t, err)
	input, err := command.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	c := &child{command: command, lines: bufio.NewReader(out), input: input}
	c.url = c.line(t)
	return c
}

// line is the next that the child prints.
func (c *child) line(t *testing.T) string {
	t.Helper()
	line, err := c.lines.ReadString('\n')
	require.NoError(t, err)
	return strings.TrimSpace(line)
}

// run has the child accept an execution and begin it.
func (c *child) run(t *testing.T) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.url, strings.NewReader("x"))
	require.NoError(t, err)
	answer, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, http.StatusOK, answer.StatusCode)
	require.Equal(t, "step", c.line(t))
	require.Equal(t, "started", c.line(t))
	return answer.Header.Get("prismatic-executionid")
}

// parentFlow is the child's, as the parent runs it.
func parentFlow(t *testing.T) sluice.Flow {
	t.Helper()
	return childFlow(func(context.Context) (string, error) { return "parent", nil }, func(string) { t.Error("a step on record ran again") })
}

// requireParents asserts that the parent ran the execution, once.
func (p *process) requireParents(t *testing.T, id string) {
	t.Helper()
	record, err := p.db.Execution(t.Context(), id)
	require.NoError(t, err)
	require.Len(t, record.Attempts, 1)
	require.Equal(t, store.StatusSucceeded, record.Status)
	require.Contains(t, string(record.Attempts[0].Result), "parent")
	require.Len(t, record.Steps, 1)
}

// TestKilledProcess runs what a killed process had begun, within the lease and a second,
// and some time for a busy machine.
func TestKilledProcess(t *testing.T) {
	t.Parallel()
	database := pgtest.Database(t)
	parent := startProcess(t, database, parentFlow(t))
	other := startChild(t, database)
	ids := []string{other.run(t), other.run(t)}
	require.NoError(t, other.command.Process.Kill())
	killed := time.Now()
	for _, id := range ids {
		parent.await(t, id, 10*time.Second)
	}
	t.Logf("they were over %v after the kill", time.Since(killed))
	require.Less(t, time.Since(killed), lease+1500*time.Millisecond)
	for _, id := range ids {
		parent.requireParents(t, id)
	}
}

// TestFrozenProcess stops a process for longer than its lease: what it did is done
// elsewhere, and what it writes afterwards is refused.
func TestFrozenProcess(t *testing.T) {
	t.Parallel()
	database := pgtest.Database(t)
	parent := startProcess(t, database, parentFlow(t))
	other := startChild(t, database)
	id := other.run(t)
	require.NoError(t, other.command.Process.Signal(syscall.SIGSTOP))
	parent.await(t, id, 10*time.Second)
	require.NoError(t, parent.Stop(t.Context())) // It would run what the other accepts before that knows.
	require.NoError(t, other.command.Process.Signal(syscall.SIGCONT))
	_, err := fmt.Fprintln(other.input, "go on")
	require.NoError(t, err)
	require.Equal(t, "ended", other.line(t))
	again := other.run(t) // It serves again.
	_, err = fmt.Fprintln(other.input, "go on")
	require.NoError(t, err)
	require.Equal(t, "ended", other.line(t))
	parent.await(t, again, 10*time.Second)
	parent.requireParents(t, id)
}
