// Command bench measures how many requests a second Sluice serves beside a bare handler. Every row runs in a process of
// its own, and the rows take turns, round after round, so that what slows the machine slows them all. It prints a table
// of the medians.
//
// Databases are written to the folder for temporary files (TMPDIR). Point it to a real disk: where it is memory, a
// durable commit costs nothing and the durable rows lie.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"
)

func main() {
	if err := run(os.Args[1:], rows(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run is the program: the server of one row when it is called as "serve <row> <dir>", otherwise the measurement.
func run(args []string, rows []row, in io.Reader, out io.Writer) error {
	if len(args) > 0 && args[0] == "serve" {
		return serve(rows, args[1:], in, out)
	}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	rounds := flags.Int("rounds", 5, "how often each row is measured")
	duration := flags.Duration("duration", 3*time.Second, "how long each measurement takes")
	smoke := flags.Bool("smoke", false, "run each row once with a tiny count, and fail where a request does")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("read the flags: %w", err)
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	if *smoke {
		return checkRows(ctx, rows, out)
	}
	plan := plan{rounds: *rounds, connections: 64, warmup: *duration / 10, duration: *duration}
	lines, err := plan.measure(ctx, rows)
	if err != nil {
		return err
	}
	return writeTable(out, plan, lines)
}
