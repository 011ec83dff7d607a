package main

import (
	"fmt"
	"io"
	"time"
)

// smokePlan runs every row once with a tiny count: it shows that they work, and no rate, for that would be worth
// nothing.
var smokePlan = plan{rounds: 1, connections: 4, duration: time.Minute, requests: 8, backlog: 2000}

// writeChecked says which rows work, and fails where a request did.
func writeChecked(out io.Writer, table table, lines lines) error {
	for _, line := range lines {
		if line.errors > 0 {
			return fmt.Errorf("%s: %s: %d of %d requests failed", table.name, line.name, line.errors, line.requests)
		}
		if _, err := fmt.Fprintf(out, "%s: %s: %d requests, no errors\n", table.name, line.name, line.requests); err != nil {
			return fmt.Errorf("write the outcome: %w", err)
		}
	}
	return nil
}
