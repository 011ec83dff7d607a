package main

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"
)

// writeMachine says what everything is measured on.
func writeMachine(out io.Writer, plan plan) error {
	_, err := fmt.Fprintf(out, "%s %s/%s, %d cores; medians of %d interleaved rounds of %v; %d connections or operations at the same "+
		"time where nothing else is said; many are %d.\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), plan.rounds, plan.duration, plan.connections, plan.backlog)
	if err != nil {
		return fmt.Errorf("write the heading: %w", err)
	}
	return nil
}

// write writes the lines as a Markdown table, and what became of the targets below it.
func (t table) write(out io.Writer, lines lines) error {
	var text strings.Builder
	fmt.Fprintf(&text, "\n### %s\n\n", t.title)
	for _, note := range t.notes {
		fmt.Fprintf(&text, "%s\n", note)
	}
	if len(t.notes) > 0 {
		text.WriteByte('\n')
	}
	fmt.Fprintf(&text, "| row | per second | ratio to %s | CPU µs each | p50 | p99 | memory MiB | errors |\n", lines[0].name)
	text.WriteString("|---|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, line := range lines {
		fmt.Fprintf(&text, "| %s | %.0f | %.2f | %.1f | %v | %v | %.0f | %d |\n",
			line.name, line.rate, t.ratio(line, lines[0]), float64(line.cpu)/float64(time.Microsecond),
			line.p50.Round(time.Microsecond), line.p99.Round(time.Microsecond), mebibytes(line.memory), line.errors)
	}
	if len(t.targets) > 0 {
		text.WriteByte('\n')
	}
	for _, target := range t.targets {
		fmt.Fprintf(&text, "- %s\n", target.String(lines))
	}
	if _, err := io.WriteString(out, text.String()); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	return nil
}

func (t table) ratio(line, first medians) float64 {
	if t.by == byLatency {
		return float64(line.p50) / float64(first.p50)
	}
	return line.rate / first.rate
}
