// Command bench measures Sluice beside a bare handler, raw commits and a job-queue library. Every row runs in a process
// of its own, and the rows of a table take turns, round after round, so that what slows the machine slows them all. It
// prints tables of the medians, and what became of the targets.
//
// Databases are written to the folder for temporary files (TMPDIR). Point it to a real disk: where it is memory, a
// durable commit costs nothing and the durable rows lie. PostgreSQL is the one at SLUICE_TEST_POSTGRES, or else a
// throwaway cluster of the installed programs; without either its tables are left out.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"
)

func main() {
	if err := run(os.Args[1:], tables(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run is the program: the process of one row when it is called as "serve <table> <row> <site>", otherwise the
// measurement.
func run(args []string, tables []table, in io.Reader, out io.Writer) error {
	if len(args) > 0 && args[0] == "serve" {
		return serve(tables, args[1:], in, out)
	}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	rounds := flags.Int("rounds", 3, "how often each row is measured")
	duration := flags.Duration("duration", 1500*time.Millisecond, "how long each measurement takes")
	many := flags.Int("many", 100_000, "how many executions are queued or finished where there are many")
	only := flags.String("tables", "", "the tables to measure, separated by commas; empty is all")
	smoke := flags.Bool("smoke", false, "run each row once with a tiny count, and fail where a request does")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("read the flags: %w", err)
	}
	var names []string
	if *only != "" {
		names = strings.Split(*only, ",")
	}
	chosen, err := choose(tables, names)
	if err != nil {
		return err
	}
	plan := plan{rounds: *rounds, connections: 64, warmup: *duration / 10, duration: *duration, backlog: *many}
	if *smoke {
		plan = smokePlan
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	return plan.measureAll(ctx, chosen, *smoke, out)
}

// measureAll measures and prints table after table.
func (p plan) measureAll(ctx context.Context, tables []table, smoke bool, out io.Writer) (err error) {
	if err := p.check(); err != nil {
		return err
	}
	server, err := openPostgres(ctx, tables)
	if err != nil {
		return err
	}
	if server != nil {
		defer func() { err = errors.Join(err, server.Close()) }()
	}
	if !smoke {
		if err := writeMachine(out, p); err != nil {
			return err
		}
	}
	for _, table := range tables {
		if table.postgres && server == nil {
			if _, err := fmt.Fprintf(out, "\n%s: left out, for there is no PostgreSQL here.\n", table.name); err != nil {
				return fmt.Errorf("write the outcome: %w", err)
			}
			continue
		}
		lines, err := p.measure(ctx, table, server)
		if err != nil {
			return fmt.Errorf("%s: %w", table.name, err)
		}
		if smoke {
			err = writeChecked(out, table, lines)
		} else {
			err = table.write(out, lines)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
