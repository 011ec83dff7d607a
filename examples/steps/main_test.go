package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/runtime"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// TestTenSteps drives the flow in memory, on a virtual clock.
func TestTenSteps(t *testing.T) {
	t.Parallel()
	sluicetest.Run(t, tenSteps(t.Output(), time.Second), func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		response := h.Post("Ten steps", `{}`).RequireStatus(200)
		h.Drain()
		response.Execution().
			RequireSucceeded().
			RequireStep("step 10", 10).
			RequireResult("ten steps, each journalled once")
	})
}

// TestKillAndResume kills the program again and again, and reads from the file what its steps
// did: a step was journalled for certain when the one after it has begun, and must not have run
// after that.
func TestKillAndResume(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	lines := filepath.Join(dir, "steps.txt")
	program := filepath.Join(dir, "steps.exe")
	built, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput()
	require.NoError(t, err, string(built))
	command := func() *exec.Cmd {
		return exec.CommandContext(t.Context(), program, "-db", filepath.Join(dir, "steps.db"), "-lines", lines, "-pace", "50ms")
	}
	for _, killAt := range []int{3, 5, 8} {
		killed := command()
		require.NoError(t, killed.Start())
		waitForLine(t, lines, killAt)
		require.NoError(t, killed.Process.Kill())
		require.Error(t, killed.Wait(), "it was killed before its end")
	}
	out, err := command().CombinedOutput()
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "The execution has succeeded after 10 steps.")

	latest := 0
	for _, step := range stepsIn(t, lines) {
		require.GreaterOrEqual(t, step, latest, "a journalled step ran again")
		require.LessOrEqual(t, step, latest+1, "a step was left out")
		latest = step
	}
	require.Equal(t, 10, latest)
}

// waitForLine waits until the step has begun.
func waitForLine(t *testing.T, file string, step int) {
	t.Helper()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for {
		if written, err := os.ReadFile(file); err == nil && bytes.Contains(append([]byte("\n"), written...), fmt.Appendf(nil, "\n%d\n", step)) {
			return
		}
		select {
		case <-poll.C:
		case <-t.Context().Done():
			require.FailNow(t, "the test ended first")
		}
	}
}

func stepsIn(t *testing.T, file string) (steps []int) {
	t.Helper()
	written, err := os.ReadFile(file)
	require.NoError(t, err)
	for line := range strings.FieldsSeq(string(written)) {
		step, err := strconv.Atoi(line)
		require.NoError(t, err)
		steps = append(steps, step)
	}
	return steps
}
