package docs_test

import (
	"bytes"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// server is a program that the reader of a tutorial has started.
type server struct {
	command *exec.Cmd
	output  *output
}

// run does what `go run` does with a folder, and waits until the program serves.
func (r *reader) run(t *testing.T, folder string) *server {
	t.Helper()
	program := filepath.Join(r.home, "program.exe")
	var flags []string
	if strings.HasPrefix(folder, "./examples/") { // Started in the clone, where its files do not belong.
		flags = []string{"-addr", r.addr, "-db", filepath.Join(r.home, "example.db")}
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, folder)
	build.Dir = r.dir
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	s := &server{command: exec.CommandContext(t.Context(), program, flags...), output: &output{}}
	s.command.Dir = r.dir
	s.command.Stdout, s.command.Stderr = s.output, s.output
	require.NoError(t, s.command.Start())
	require.Eventually(t, func() bool { return strings.Contains(s.output.String(), "/trigger/") }, 30*time.Second, 50*time.Millisecond)
	return s
}

// stop ends the program, unless it has ended, or never began.
func (s *server) stop() {
	if s == nil {
		return
	}
	_ = s.command.Process.Kill() // It may have ended.
	_ = s.command.Wait()         // It was killed.
}

// output is what a program has printed.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// freeAddress is one that nothing listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	return listener.Addr().String()
}
