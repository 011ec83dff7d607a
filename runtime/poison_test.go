package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
)

// poisonFlows has the child process serve flows that end it.
const poisonFlows = "poison"

// poisonDeath is how such a flow ends the process.
const poisonDeath = 3

// poisonSteps is how many steps the poison has that makes progress.
const poisonSteps = 5

// TestPoison starts a server again each time that a flow has ended it. Innocent executions
// run beside.
func TestPoison(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it starts processes")
	}
	const wrong = "the process died 3 times while this execution ran: it is not tried again"
	for flow, want := range map[string]struct {
		deaths, runs int
		status       store.Status
		says         string
		steps        int
	}{
		"Poison":      {3, 3, store.StatusFailed, wrong, 0},
		"Slow poison": {poisonSteps, poisonSteps + 1, store.StatusSucceeded, "", poisonSteps},
	} {
		t.Run(flow, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			ids := poison(t, dir, flow)
			deaths := 1
			var found []runtime.Execution
			for err := errors.New("dead"); err != nil; {
				var server *crashServer
				if server, err = launchServer(t, dir, poisonFlows, nil); err == nil {
					found, err = server.outcomes(t.Context(), ids)
				}
				if err != nil {
					server.waitForDeath(t)
					deaths++
					require.LessOrEqual(t, deaths, want.deaths)
					continue
				}
				server.kill() // It stayed up.
			}
			require.Equal(t, want.deaths, deaths)
			require.Equal(t, want.runs, runsOf(t, dir, ids[0]), "how often the poison ran")
			require.Equal(t, want.status, found[0].Status)
			require.Len(t, found[0].Attempts, 1)
			require.Equal(t, 1, found[0].Attempts[0].Number)
			require.Equal(t, want.says, found[0].Attempts[0].Error)
			require.Len(t, found[0].Steps, want.steps)
			for _, innocent := range found[1:] {
				require.Equal(t, store.StatusSucceeded, innocent.Status)
				require.Len(t, innocent.Attempts, 1)
			}
		})
	}
}

// poison has a first server accept a poison among innocents and die of it. The first of the
// ids is the poison's.
func poison(t *testing.T, dir, flow string) (ids []string) {
	t.Helper()
	held, release, err := os.Pipe()
	require.NoError(t, err)
	server, err := launchServer(t, dir, poisonFlows, held)
	require.NoError(t, err)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for _, name := range []string{flow, "Innocent", "Innocent", "Innocent", "Innocent"} {
		id, err := post(t.Context(), client, server.endpoints[name])
		require.NoError(t, err)
		ids = append(ids, id)
	}
	require.NoError(t, release.Close())
	server.waitForDeath(t)
	require.NoError(t, held.Close())
	return ids
}

func (s *crashServer) waitForDeath(t *testing.T) {
	t.Helper()
	var exit *exec.ExitError
	require.ErrorAs(t, s.command.Wait(), &exit)
	require.Equal(t, poisonDeath, exit.ExitCode())
}

// outcomes waits until the executions are over, or the server has died.
func (s *crashServer) outcomes(ctx context.Context, ids []string) ([]runtime.Execution, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	found := make([]runtime.Execution, len(ids))
	for i, id := range ids {
		for !found[i].Status.Final() {
			if err := get(ctx, s.api+"/api/v1/executions/"+id, &found[i]); err != nil {
				return nil, err
			}
			<-poll.C
		}
	}
	return found, nil
}

// runsOf counts how often an execution began to run.
func runsOf(t *testing.T, dir, id string) int {
	t.Helper()
	written, err := os.ReadFile(filepath.Join(dir, "steps"))
	require.NoError(t, err)
	return strings.Count(string(written), id+"\n")
}

// poisonIntegration has flows that end the process as soon as standard input ends, and one
// that takes a moment.
func poisonIntegration(file *os.File) *sluice.Integration {
	begin := func(run *sluice.Run) error {
		if _, err := fmt.Fprintln(file, run.ExecutionID); err != nil {
			return err
		}
		_, err := io.Copy(io.Discard, os.Stdin)
		return err
	}
	return &sluice.Integration{Name: "Poison", Flows: []sluice.Flow{
		{Name: "Poison", StableKey: "poison", OnExecution: func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
			if err := begin(run); err != nil {
				return nil, err
			}
			os.Exit(poisonDeath)
			return nil, nil
		}},
		{Name: "Slow poison", StableKey: "slow-poison", OnExecution: func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
			if err := begin(run); err != nil {
				return nil, err
			}
			for step := range poisonSteps {
				ran := false
				_, err := sluice.Step(ctx, "step", func(context.Context) (int, error) {
					ran = true
					return step, nil
				})
				if err != nil {
					return nil, err
				}
				if ran {
					os.Exit(poisonDeath)
				}
			}
			return &sluice.Result{}, nil
		}},
		{Name: "Innocent", StableKey: "innocent", OnExecution: func(context.Context, *sluice.Run) (*sluice.Result, error) {
			<-time.After(50 * time.Millisecond)
			return &sluice.Result{}, nil
		}},
	}}
}

// TestStopIsNoCrash stops and starts more often than the process may die.
func TestStopIsNoCrash(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "stopped.db")
	runs := make(chan int, 1)
	count := 0
	integration := integrationOf(func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		count++
		runs <- run.Attempt
		if count > 5 {
			return &sluice.Result{}, nil
		}
		<-ctx.Done()
		return nil, context.Cause(ctx)
	})
	rt := open(t, path, integration)
	id := deliver(t, rt, http.StatusOK)
	for range 5 {
		require.Equal(t, 1, <-runs)
		now, cancel := context.WithCancel(t.Context())
		cancel()
		require.NoError(t, rt.Stop(now))
		rt = open(t, path, integration)
	}
	require.Equal(t, 1, <-runs)
	require.NoError(t, rt.Stop(t.Context()))
	rt = open(t, path, integration)
	require.Equal(t, store.StatusSucceeded, execution(t, rt, id).Status)
	require.NoError(t, rt.Stop(t.Context()))
}
