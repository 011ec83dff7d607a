package main

import (
	"context"
	"fmt"
	"io"
	"time"
)

// checkRows runs every row once with a tiny count. It says that they work, and no rate, for that would be worth nothing.
func checkRows(ctx context.Context, rows []row, out io.Writer) error {
	smoke := plan{rounds: 1, connections: 4, duration: time.Minute, requests: 32}
	lines, err := smoke.measure(ctx, rows)
	if err != nil {
		return err
	}
	for _, line := range lines {
		if line.errors > 0 {
			return fmt.Errorf("%s: %d of %d requests failed", line.name, line.errors, smoke.requests)
		}
		if _, err := fmt.Fprintf(out, "%s: %d requests, no errors\n", line.name, smoke.requests); err != nil {
			return fmt.Errorf("write the outcome: %w", err)
		}
	}
	return nil
}
