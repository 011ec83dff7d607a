package main

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// table answers one question with rows that are measured side by side.
type table struct {
	name  string // One word: -tables and the processes of rows know it by this.
	title string
	notes []string // What a reader must know beside the figures.

	connections int      // How many requests or operations are under way at the same time; 0 is the plan's.
	operations  int      // How many one measurement counts at most; 0 leaves the end to the plan's duration.
	rare        bool     // A measurement is one operation that takes its time.
	by          column   // What the ratio to the first row is taken of.
	postgres    bool     // Every measurement gets an empty PostgreSQL database.
	rows        []row    // The first is the one that the others are compared with.
	helpers     []row    // Processes that rows start themselves.
	targets     []target // What is to be reached.
}

// column is what rows are compared by.
type column int

const (
	byRate column = iota
	byLatency
)

// row is one line of a table: a server under load over HTTP, or work without HTTP in its place.
type row struct {
	name      string
	processes int                             // How many do the work, all on one database; 0 is one.
	start     func(at site) (*subject, error) // Runs in a process of its own.
}

// site is what a process finds to work with.
type site struct {
	Dir        string `json:"dir"`        // An empty folder for its files.
	Postgres   string `json:"postgres"`   // The address of an empty database, where the table asks for one.
	Backlog    int    `json:"backlog"`    // How many executions "many" are.
	Operations int    `json:"operations"` // How many operations will be measured; 0 is as many as the time allows.
}

// subject is what a row measures: handler, with the request to send to it, or else operation.
type subject struct {
	handler http.Handler
	path    string
	header  http.Header
	body    []byte

	prepare   func() error           // Goes before each operation, and is not measured; nil when there is nothing to do.
	operation func(worker int) error // Called by as many goroutines as there are connections, one worker number each.

	stop func() error // Ends what start began; nil when there is nothing to end.
}

// tables lists what is measured, in the order in which it is printed.
func tables() []table {
	return []table{
		requests(),
		endToEndSQLite(), endToEndPostgres(),
		startSQLite(), startPostgres(),
		lanes(), queued(), finished(), steps(), journal(),
		recoverySQLite(), recoveryPostgres(), processes(),
	}
}

// choose returns the named tables, or all.
func choose(tables []table, names []string) ([]table, error) {
	if len(names) == 0 {
		return tables, nil
	}
	var chosen []table
	for _, name := range names {
		index := slices.IndexFunc(tables, func(t table) bool { return t.name == name })
		if index < 0 {
			return nil, fmt.Errorf("there is no table %q", name)
		}
		chosen = append(chosen, tables[index])
	}
	return chosen, nil
}

// target is a figure that is to be reached.
type target struct {
	what        string
	value       func(lines lines) float64
	least, most float64 // Which of them holds is the one that is not zero.
	unit        string
}

func (t target) String(lines lines) string {
	value := t.value(lines)
	bound, met := fmt.Sprintf("at least %.3g", t.least), value >= t.least
	if t.most > 0 {
		bound, met = fmt.Sprintf("at most %.3g", t.most), value <= t.most
	}
	verdict := "missed"
	if met {
		verdict = "met"
	}
	return fmt.Sprintf("%s: %.3g%s, target %s%s: %s", t.what, value, t.unit, bound, t.unit, verdict)
}

// rateAtLeast wants a row to be so many times as fast as another one.
func rateAtLeast(least float64, name, base string) target {
	return target{
		what: name + " / " + base, least: least,
		value: func(lines lines) float64 { return lines.named(name).rate / lines.named(base).rate },
	}
}

// latencyAtMost wants the median latency of a row to be at most so many times that of another one.
func latencyAtMost(most float64, name, base string) target {
	return target{
		what: "p50 of " + name + " / " + base, most: most,
		value: func(lines lines) float64 { return float64(lines.named(name).p50) / float64(lines.named(base).p50) },
	}
}

// takesAtMost wants an operation to take at most so long, by the median.
func takesAtMost(most time.Duration, name string) target {
	return target{
		what: "p50 of " + name, most: milliseconds(most), unit: " ms",
		value: func(lines lines) float64 { return milliseconds(lines.named(name).p50) },
	}
}

// growsAtMost wants a row's process to take at most so many MiB more than that of another one.
func growsAtMost(most float64, name, base string) target {
	return target{
		what: "memory of " + name + " - " + base, most: most, unit: " MiB",
		value: func(lines lines) float64 { return mebibytes(lines.named(name).memory - lines.named(base).memory) },
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func mebibytes(n int64) float64 { return float64(n) / (1 << 20) }
