package main

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"
)

// writeTable writes the lines as a Markdown table, with what they were measured on above it.
func writeTable(out io.Writer, plan plan, lines []medians) error {
	var table strings.Builder
	fmt.Fprintf(&table, "%s %s/%s, %d cores; medians of %d interleaved rounds of %v, %d connections.\n\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), plan.rounds, plan.duration, plan.connections)
	fmt.Fprintf(&table, "| row | req/s (median) | ratio to %s | server CPU µs/request | p50 | p99 | errors |\n", lines[0].name)
	table.WriteString("|---|---:|---:|---:|---:|---:|---:|\n")
	for _, line := range lines {
		fmt.Fprintf(&table, "| %s | %.0f | %.2f | %.1f | %v | %v | %d |\n",
			line.name, line.rate, line.rate/lines[0].rate, float64(line.cpu)/float64(time.Microsecond),
			line.p50.Round(time.Microsecond), line.p99.Round(time.Microsecond), line.errors)
	}
	if _, err := io.WriteString(out, table.String()); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	return nil
}
