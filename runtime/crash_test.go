package runtime_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/api"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	"github.com/sluice-go/sluice/store/sqlite"
)

// crashDir makes the test binary a server to be killed: it holds the database and the file
// that the steps write to. crashFlows says what it serves.
const (
	crashDir   = "SLUICE_CRASH_DIR"
	crashFlows = "SLUICE_CRASH_FLOWS"
)

// The size of the crash test.
const (
	crashKills   = 25
	crashClients = 16
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		if err := serveUntilKilled(dir, os.Getenv(crashFlows)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	verifyNoLeaks(m)
}

// TestCrash kills a serving process at random moments under load and counts, from outside,
// what became of the requests that it answered with 200.
func TestCrash(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it kills processes for a while")
	}
	dir := t.TempDir()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	acknowledged := map[string]bool{}
	for range crashKills {
		server := startServer(t, dir)
		for _, id := range server.loadUntilKilled(t, time.Duration(30+random.IntN(250))*time.Millisecond) {
			require.Falsef(t, acknowledged[id], "execution %s was acknowledged twice", id)
			acknowledged[id] = true
		}
	}
	server := startServer(t, dir)
	lost := server.waitForAll(t, acknowledged)
	server.kill()
	again := journalledStepsRunAgain(t, filepath.Join(dir, "steps"))
	t.Logf("kills: %d, acknowledged: %d, lost: %d, journalled steps run again: %d", crashKills, len(acknowledged), lost, again)
	require.NotEmpty(t, acknowledged)
	require.Zero(t, lost)
	require.Zero(t, again)
}

// crashServer is a child process that serves.
type crashServer struct {
	command   *exec.Cmd
	endpoints map[string]string // by flow name
	api       string
}

func startServer(t *testing.T, dir string) *crashServer {
	t.Helper()
	server, err := launchServer(t, dir, "", nil)
	require.NoError(t, err, "the server did not start")
	return server
}

// launchServer starts a server of the named flows, which may die while it starts.
func launchServer(t *testing.T, dir, flows string, stdin *os.File) (*crashServer, error) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	command := exec.CommandContext(t.Context(), self)
	command.Env = append(os.Environ(), crashDir+"="+dir, crashFlows+"="+flows)
	command.Stderr = os.Stderr
	if stdin != nil {
		command.Stdin = stdin
	}
	out, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	t.Cleanup(func() { _ = command.Process.Kill() })
	server := &crashServer{command: command}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		return server, err
	}
	var hello serverHello
	require.NoError(t, json.Unmarshal(line, &hello))
	require.Equal(t, "wal", hello.JournalMode, "the live writer's journal mode")
	require.Equal(t, "full", hello.Synchronous, "the live writer's synchronous setting")
	server.endpoints, server.api = hello.Endpoints, hello.API
	return server, nil
}

func (s *crashServer) kill() {
	_ = s.command.Process.Kill()
	_ = s.command.Wait()
}

// loadUntilKilled sends requests until the process is killed, and returns the executions
// that it acknowledged.
func (s *crashServer) loadUntilKilled(t *testing.T, after time.Duration) []string {
	t.Helper()
	var mu sync.Mutex
	var ids []string
	var clients sync.WaitGroup
	transport := &http.Transport{MaxIdleConnsPerHost: crashClients}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	for range crashClients {
		clients.Go(func() {
			for {
				id, err := post(t.Context(), client, s.endpoints["Steps"])
				if err != nil {
					return // The process is dead.
				}
				mu.Lock()
				ids = append(ids, id)
				mu.Unlock()
			}
		})
	}
	killed := time.AfterFunc(after, s.kill)
	defer killed.Stop()
	clients.Wait()
	return ids
}

func post(ctx context.Context, client *http.Client, url string) (id string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(`{"n":1}`))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	var answer struct{ ExecutionID string }
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return "", err
	}
	if response.StatusCode != http.StatusOK || answer.ExecutionID == "" {
		return "", fmt.Errorf("answered %d", response.StatusCode)
	}
	return answer.ExecutionID, nil
}

// waitForAll waits until the executions are over and counts those that did not succeed.
func (s *crashServer) waitForAll(t *testing.T, ids map[string]bool) (lost int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for id := range ids {
		var execution runtime.Execution
		for !execution.Status.Final() {
			err := get(ctx, s.api+"/api/v1/executions/"+id, &execution)
			if err != nil {
				t.Logf("execution %s: %v", id, err)
				break
			}
			select {
			case <-poll.C:
			case <-ctx.Done():
				require.FailNowf(t, "unfinished", "execution %s is still %s", id, execution.Status)
			}
		}
		if execution.Status != store.StatusSucceeded || len(execution.Steps) != crashSteps {
			lost++
		}
	}
	return lost
}

func get(ctx context.Context, url string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("answered %d", response.StatusCode)
	}
	return json.NewDecoder(response.Body).Decode(into)
}

// journalledStepsRunAgain reads what the steps wrote, in the order they ran. A step was
// journalled for certain when the one after it has begun.
func journalledStepsRunAgain(t *testing.T, file string) (again int) {
	t.Helper()
	written, err := os.ReadFile(file)
	require.NoError(t, err)
	latest := map[string]int{}
	for line := range bytes.Lines(written) {
		var id string
		var step int
		_, err := fmt.Sscan(string(line), &id, &step)
		require.NoError(t, err, "line %q", line)
		if step < latest[id] {
			again++
		}
		latest[id] = max(latest[id], step)
	}
	require.NotEmpty(t, latest, "no step has run")
	return again
}

// serverHello is what the child tells its parent.
type serverHello struct {
	Endpoints                     map[string]string
	API, JournalMode, Synchronous string
}

// crashSteps is how many steps each execution has.
const crashSteps = 3

// serveUntilKilled is the child process.
func serveUntilKilled(dir, flows string) error {
	ctx := context.Background()
	database, err := sqlite.Open(ctx, filepath.Join(dir, "crash.db"))
	if err != nil {
		return err
	}
	hello := serverHello{}
	if hello.JournalMode, hello.Synchronous, err = database.Durability(ctx); err != nil {
		return err
	}
	steps, err := os.OpenFile(filepath.Join(dir, "steps"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	integration := crashIntegration(steps)
	if flows == poisonFlows {
		integration = poisonIntegration(steps)
	}
	rt, err := runtime.New(ctx, runtime.Options{
		Integrations: []*sluice.Integration{integration}, Store: database, BaseURL: server.URL, RateLimit: -1,
	})
	if err != nil {
		return err
	}
	if err := rt.Start(ctx); err != nil {
		return err
	}
	instance, err := rt.Deploy(ctx, runtime.Deployment{})
	if err != nil {
		return err
	}
	mux.Handle("/trigger/", rt.Handler())
	mux.Handle("/api/", api.New(rt))
	hello.Endpoints, hello.API = instance.WebhookURLs, server.URL
	if err := json.NewEncoder(os.Stdout).Encode(hello); err != nil {
		return err
	}
	select {}
}

// crashIntegration has one flow whose steps leave a line each.
func crashIntegration(file *os.File) *sluice.Integration {
	return &sluice.Integration{Name: "Crash", Flows: []sluice.Flow{{
		Name: "Steps", StableKey: "steps",
		OnExecution: func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
			for step := range crashSteps {
				_, err := sluice.Step(ctx, "step", func(context.Context) (int, error) {
					if _, err := fmt.Fprintln(file, run.ExecutionID, step+1); err != nil {
						return 0, err
					}
					return step, file.Sync()
				})
				if err != nil {
					return nil, err
				}
			}
			return &sluice.Result{}, nil
		},
	}}}
}
