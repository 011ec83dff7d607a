package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// child is the program in a process of its own.
type child struct {
	cmd     *exec.Cmd
	urls    URLs
	address string
	client  *http.Client
	log     *tail
}

// startChild builds the program and starts it on a free port, without a rate limit.
func startChild(t *testing.T, maxBody int) *child {
	t.Helper()
	dir := t.TempDir()
	program, urls := filepath.Join(dir, "gateway.exe"), filepath.Join(dir, "urls.json")
	built, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput()
	require.NoError(t, err, string(built))
	c := &child{client: &http.Client{Transport: &http.Transport{}, Timeout: 10 * time.Second}, log: &tail{}}
	c.cmd = exec.Command(program, "-addr", "127.0.0.1:0", "-db", filepath.Join(dir, "test.db"), "-urls", urls, //nolint:noctx // stop ends it.
		"-rate", "0", "-max-body", strconv.Itoa(maxBody))
	c.cmd.Stderr = c.log
	out, err := c.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.cmd.Start())
	t.Cleanup(func() { // After stop there is nothing left to do.
		_ = c.cmd.Process.Kill()
		_ = c.cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err, c.log.String())
	found := regexp.MustCompile(`http://(127\.0\.0\.1:\d+);`).FindStringSubmatch(line)
	require.NotNil(t, found, "the program says where it is: %s", line)
	c.address = found[1]
	data, err := os.ReadFile(urls)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &c.urls))
	return c
}

// stop asks the program to end, as a supervisor does, and requires that it does so cleanly.
func (c *child) stop(t *testing.T) {
	t.Helper()
	c.client.CloseIdleConnections()
	if runtime.GOOS == "windows" { // There is no signal to send.
		require.NoError(t, c.cmd.Process.Kill())
		_ = c.cmd.Wait()
		return
	}
	require.NoError(t, c.cmd.Process.Signal(os.Interrupt))
	timeout := time.AfterFunc(20*time.Second, func() { _ = c.cmd.Process.Kill() })
	defer timeout.Stop()
	require.NoError(t, c.cmd.Wait(), c.log.String())
}

// normal sends a request like any customer's, to one of the endpoints in turn, which must be
// answered 2xx.
func (c *child) normal(n int) error {
	const body = `{"orgId":"cust_1","eventType":"invoice.paid","amount":12.50}`
	paths := []string{c.urls.Async, c.urls.Sync, c.urls.Keyed[0].Path, c.urls.HMAC.Path, c.urls.Shared.Path}
	path := paths[n%len(paths)]
	request, err := http.NewRequest(http.MethodPost, "http://"+c.address+path, strings.NewReader(body)) //nolint:noctx // The client has a time-out.
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Api-Key", c.urls.Keyed[0].Key)
	request.Header.Set(c.urls.HMAC.Header, hexMAC(c.urls.HMAC.Secret, body))
	response, err := c.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode/100 != 2 {
		err = fmt.Errorf("%s: %s", response.Status, text)
	}
	return err
}

// tail keeps the end of what the program logs, and whatever tells of a panic.
type tail struct {
	mu     sync.Mutex
	recent []byte
	panics []byte
}

func (l *tail) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.recent = append(l.recent, p...)
	l.recent = l.recent[max(0, len(l.recent)-8192):]
	if bytes.Contains(p, []byte("panic")) {
		l.panics = append(l.panics, p...)
	}
	return len(p), nil
}

func (l *tail) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.recent)
}

func (l *tail) panicked() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.panics) > 0 {
		return errors.New(string(l.panics))
	}
	return nil
}
