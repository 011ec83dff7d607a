package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/bench/load"
)

// TestMain lets the test binary be the server of a row, as the program is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		if err := run(os.Args[1:], rowsOfTest(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// rowsOfTest are the real rows and some that go wrong in every way a row can.
func rowsOfTest() []row {
	return append(rows(),
		row{name: "operation", start: func(dir string) (*subject, error) {
			file, err := os.Create(filepath.Join(dir, "log"))
			if err != nil {
				return nil, err
			}
			return &subject{
				operation: func(worker int) error { _, err := fmt.Fprintln(file, worker); return err },
				stop:      file.Close,
			}, nil
		}},
		row{name: "failing operation", start: func(string) (*subject, error) {
			return &subject{operation: func(worker int) error {
				if worker == 0 {
					return errors.New("worker 0 is out of order")
				}
				return nil
			}}, nil
		}},
		row{name: "failing handler", start: func(string) (*subject, error) {
			return &subject{handler: http.NotFoundHandler(), path: "/"}, nil
		}},
		row{name: "failing start", start: func(string) (*subject, error) { return nil, errors.New("no disk") }},
		row{name: "failing stop", start: func(string) (*subject, error) {
			return &subject{operation: func(int) error { return nil }, stop: func() error { return errors.New("stuck") }}, nil
		}},
	)
}

func rowNamed(t *testing.T, name string) []row {
	t.Helper()
	for _, candidate := range rowsOfTest() {
		if candidate.name == name {
			return []row{candidate}
		}
	}
	t.Fatalf("there is no row %q", name)
	return nil
}

func TestEveryRowWorks(t *testing.T) {
	t.Parallel()
	var out strings.Builder

	require.NoError(t, run([]string{"-smoke"}, append(rows(), rowNamed(t, "operation")...), nil, &out))

	for _, row := range rows() {
		require.Contains(t, out.String(), row.name+": 32 requests, no errors\n")
	}
	require.Contains(t, out.String(), "operation: 32 requests, no errors\n")
}

func TestSmokeFailsWhereARowDoes(t *testing.T) {
	t.Parallel()
	for name, message := range map[string]string{
		"failing operation": "8 of 32 requests failed",
		"failing handler":   "32 of 32 requests failed",
		"failing start":     "exit status 1",
		"failing stop":      "exit status 1",
	} {
		err := run([]string{"-smoke"}, rowNamed(t, name), nil, &strings.Builder{})
		require.ErrorContains(t, err, name+": ")
		require.ErrorContains(t, err, message)
	}
}

func TestTheFilesOfARowAreRemoved(t *testing.T) {
	t.Parallel()
	server, err := start(t.Context(), rowNamed(t, "operation")[0])
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(server.dir, "log"))

	require.NoError(t, server.stop())

	require.NoDirExists(t, server.dir)
}

func TestTheServersCPUTimeIsMeasured(t *testing.T) {
	t.Parallel()
	server, err := start(t.Context(), rows()[0])
	require.NoError(t, err)

	result, cpu, err := server.measure(t.Context(), 2, 200, time.Minute)

	require.NoError(t, errors.Join(err, server.stop()))
	require.Equal(t, 200, result.Requests)
	require.Positive(t, cpu)
}

func TestTheTableHoldsTheMedians(t *testing.T) {
	t.Parallel()
	turns := func(requests ...int) []turn {
		var turns []turn
		for i, n := range requests {
			turns = append(turns, turn{
				sample: load.Result{
					Requests: n, Errors: i, Elapsed: time.Second,
					P50: time.Duration(n) * time.Microsecond, P99: 2 * time.Duration(n) * time.Microsecond,
				},
				cpu: time.Duration(n) * 100 * time.Nanosecond,
			})
		}
		return turns
	}
	var out strings.Builder

	err := writeTable(&out, plan{rounds: 3, duration: time.Second, connections: 64}, []medians{
		summarize("bare", turns(1000, 200, 5000)),
		summarize("half", turns(1, 500, 900)),
	})

	require.NoError(t, err)
	require.Contains(t, out.String(), "medians of 3 interleaved rounds of 1s, 64 connections.")
	require.Contains(t, out.String(), "| bare | 1000 | 1.00 | 100.0 | 1ms | 2ms | 3 |\n")
	require.Contains(t, out.String(), "| half | 500 | 0.50 | 50.0 | 500µs | 1ms | 3 |\n")
}

func TestPlansThatMeasureNothingAreRefused(t *testing.T) {
	t.Parallel()
	require.ErrorContains(t, run([]string{"-rounds", "0"}, rows(), nil, nil), "at least one round")
	require.ErrorContains(t, run([]string{"-duration", "0s"}, rows(), nil, nil), "some time")
	require.ErrorContains(t, run([]string{"serve", "nothing", "."}, rows(), nil, nil), `no row "nothing"`)
	require.ErrorContains(t, run([]string{"serve", "bare"}, rows(), nil, nil), "need a row and a folder")
}
