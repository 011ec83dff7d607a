package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice/bench/load"
)

// TestMain lets the test binary be the process of a row, as the program is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		if err := run(os.Args[1:], append(tables(), faulty()), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// faulty has a row that works and some that go wrong in every way a row can.
func faulty() table {
	return table{name: "faulty", title: "Faults", rows: []row{
		{name: "operation", start: func(at site) (*subject, error) {
			file, err := os.Create(filepath.Join(at.Dir, "log"))
			if err != nil {
				return nil, err
			}
			return &subject{
				operation: func(worker int) error { _, err := fmt.Fprintln(file, worker); return err },
				stop:      file.Close,
			}, nil
		}},
		{name: "failing operation", start: func(site) (*subject, error) {
			return &subject{operation: func(worker int) error {
				if worker == 0 {
					return errors.New("worker 0 is out of order")
				}
				return nil
			}}, nil
		}},
		{name: "failing preparation", start: func(site) (*subject, error) {
			return &subject{
				prepare:   func() error { return errors.New("no paint") },
				operation: func(int) error { panic("not reached") },
			}, nil
		}},
		{name: "failing handler", start: func(site) (*subject, error) {
			return &subject{handler: http.NotFoundHandler(), path: "/"}, nil
		}},
		{name: "failing start", start: func(site) (*subject, error) { return nil, errors.New("no disk") }},
		{name: "failing stop", start: func(site) (*subject, error) {
			return &subject{operation: func(int) error { return nil }, stop: func() error { return errors.New("stuck") }}, nil
		}},
	}}
}

// only is the faulty table with one row.
func only(t *testing.T, name string) table {
	t.Helper()
	table := faulty()
	table.rows = slices.DeleteFunc(table.rows, func(r row) bool { return r.name != name })
	require.Len(t, table.rows, 1)
	return table
}

func TestEveryRowWorks(t *testing.T) {
	t.Parallel()
	var out strings.Builder

	require.NoError(t, run([]string{"-smoke"}, tables(), nil, &out))

	for _, table := range tables() {
		for _, row := range table.rows {
			if !strings.Contains(out.String(), "\n"+table.name+": left out, for there is no PostgreSQL here.\n") {
				require.Regexp(t, "(?m)^"+regexp.QuoteMeta(table.name+": "+row.name)+": [1-8] requests, no errors$", out.String())
			}
		}
	}
}

func TestSmokeFailsWhereARowDoes(t *testing.T) {
	t.Parallel()
	for name, message := range map[string]string{
		"failing operation":   "2 of 8 requests failed",
		"failing preparation": "8 of 8 requests failed",
		"failing handler":     "8 of 8 requests failed",
		"failing start":       "exit status 1",
		"failing stop":        "exit status 1",
	} {
		err := run([]string{"-smoke"}, []table{only(t, name)}, nil, &strings.Builder{})
		require.ErrorContains(t, err, "faulty: "+name+": ")
		require.ErrorContains(t, err, message)
	}
}

func TestTheFilesOfARowAreRemoved(t *testing.T) {
	t.Parallel()
	table := only(t, "operation")
	team, err := assemble(t.Context(), table, table.rows[0], smokePlan, nil)
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(team.site.Dir, "log"))

	require.NoError(t, team.dismiss(t.Context()))

	require.NoDirExists(t, team.site.Dir)
}

func TestTheProcessIsMeasured(t *testing.T) {
	t.Parallel()
	server, err := start(t.Context(), "requests", "bare", site{})
	require.NoError(t, err)

	measured, err := server.measure(t.Context(), 2, 200, time.Minute)

	require.NoError(t, errors.Join(err, server.stop()))
	require.Equal(t, 200, measured.Requests)
	require.Positive(t, measured.cpu)
	require.Greater(t, measured.memory, int64(1<<20))
}

func TestProcessesOfARowAreAddedUp(t *testing.T) {
	t.Parallel()
	table := only(t, "operation")
	table.rows[0].processes = 2
	team, err := assemble(t.Context(), table, table.rows[0], smokePlan, nil)
	require.NoError(t, err)

	measured, err := team.measure(t.Context(), 4, 100, time.Minute)

	require.NoError(t, errors.Join(err, team.dismiss(t.Context())))
	require.Equal(t, 100, measured.Requests)
	require.Greater(t, measured.memory, int64(2<<20))
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
				cpu: time.Duration(n) * 100 * time.Nanosecond, memory: int64(n) << 20,
			})
		}
		return turns
	}
	lines := lines{
		summarize("bare", turns(1000, 200, 5000)),
		summarize("half", turns(1, 500, 900)),
	}
	lines[1].p50 = 2 * time.Millisecond
	for by, ratio := range map[column]string{byRate: "0.50", byLatency: "2.00"} {
		var out strings.Builder

		require.NoError(t, table{title: "What", by: by}.write(&out, lines))

		require.Contains(t, out.String(), "### What\n\n| row |")
		require.Contains(t, out.String(), "| bare | 1000 | 1.00 | 100.0 | 1ms | 2ms | 1000 | 3 |\n")
		require.Contains(t, out.String(), "| half | 500 | "+ratio+" | 50.0 | 2ms | 1ms | 500 | 3 |\n")
	}
}

func TestTheTableTellsWhichTargetsAreMet(t *testing.T) {
	t.Parallel()
	lines := lines{
		{name: "a", rate: 100, p50: 2 * time.Millisecond, memory: 10 << 20},
		{name: "b", rate: 50, p50: 5 * time.Millisecond, memory: 40 << 20},
	}
	table := table{targets: []target{
		rateAtLeast(0.5, "b", "a"), rateAtLeast(0.6, "b", "a"),
		latencyAtMost(2.5, "b", "a"), latencyAtMost(2, "b", "a"),
		takesAtMost(5*time.Millisecond, "b"), takesAtMost(4*time.Millisecond, "b"),
		growsAtMost(30, "b", "a"), growsAtMost(29, "b", "a"),
	}}
	var out strings.Builder

	require.NoError(t, table.write(&out, lines))

	require.Contains(t, out.String(), `
- b / a: 0.5, target at least 0.5: met
- b / a: 0.5, target at least 0.6: missed
- p50 of b / a: 2.5, target at most 2.5: met
- p50 of b / a: 2.5, target at most 2: missed
- p50 of b: 5 ms, target at most 5 ms: met
- p50 of b: 5 ms, target at most 4 ms: missed
- memory of b - a: 30 MiB, target at most 30 MiB: met
- memory of b - a: 30 MiB, target at most 29 MiB: missed
`)
}

func TestPlansThatMeasureNothingAreRefused(t *testing.T) {
	t.Parallel()
	require.ErrorContains(t, run([]string{"-rounds", "0"}, tables(), nil, nil), "at least one round")
	require.ErrorContains(t, run([]string{"-duration", "0s"}, tables(), nil, nil), "some time")
	require.ErrorContains(t, run([]string{"-many", "0"}, tables(), nil, nil), "one execution")
	require.ErrorContains(t, run([]string{"-tables", "nothing"}, tables(), nil, nil), `no table "nothing"`)
	require.ErrorContains(t, run([]string{"serve", "nothing", "bare", "{}"}, tables(), nil, nil), `no table "nothing"`)
	require.ErrorContains(t, run([]string{"serve", "requests", "nothing", "{}"}, tables(), nil, nil), `no row "nothing"`)
	require.ErrorContains(t, run([]string{"serve", "requests", "bare", "?"}, tables(), nil, nil), "read the site")
	require.ErrorContains(t, run([]string{"serve", "requests"}, tables(), nil, nil), "need a table, a row and a site")
}
