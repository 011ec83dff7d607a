package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sluice-go/sluice/store/postgres/pgtest"
)

// plan says how to measure.
type plan struct {
	rounds      int
	connections int
	warmup      time.Duration // How long a server gets load before its measurement; 0 leaves it out.
	duration    time.Duration // How long one measurement takes at most.
	requests    int           // How many requests one measurement sends at most; 0 leaves the end to duration.
	backlog     int           // How many executions "many" are.
}

func (p plan) check() error {
	if p.rounds < 1 || p.duration <= 0 || p.backlog < 1 {
		return fmt.Errorf("measure %d rounds of %v with %d executions where there are many: need at least one round, some time and one execution",
			p.rounds, p.duration, p.backlog)
	}
	return nil
}

// of is the plan for one table.
func (p plan) of(t table) plan {
	p.connections = cmp.Or(t.connections, p.connections)
	if p.requests == 0 {
		p.requests = t.operations
	}
	if t.operations > 0 {
		p.warmup, p.duration = 0, time.Minute
	}
	if t.rare {
		p.connections, p.requests, p.warmup, p.duration = 1, 1, 0, time.Minute
	}
	return p
}

// medians are a row's line of the table; each column is the median of its own.
type medians struct {
	name     string
	rate     float64       // Requests a second.
	cpu      time.Duration // The process's CPU time per request.
	p50, p99 time.Duration
	memory   int64 // Bytes that the process holds afterwards.
	requests int   // The sum of all rounds, errors too.
	errors   int
}

// lines are those of a table.
type lines []medians

func (l lines) named(name string) medians {
	return l[slices.IndexFunc(l, func(line medians) bool { return line.name == name })]
}

// measure measures every row of a table once a round, each time in a new process.
func (p plan) measure(ctx context.Context, table table, server *pgtest.Server) (lines, error) {
	p = p.of(table)
	turns := make([][]turn, len(table.rows))
	for range p.rounds {
		for i, row := range table.rows {
			turn, err := p.take(ctx, table, row, server)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", row.name, err)
			}
			turns[i] = append(turns[i], turn)
		}
	}
	lines := make(lines, len(table.rows))
	for i, row := range table.rows {
		lines[i] = summarize(row.name, turns[i])
	}
	return lines, nil
}

// turn is one measurement of one row.
type turn struct {
	sample

	cpu    time.Duration // The process's CPU time per request.
	memory int64
}

// take starts a row's processes, warms them up, measures them and stops them.
func (p plan) take(ctx context.Context, table table, row row, server *pgtest.Server) (_ turn, err error) {
	team, err := assemble(ctx, table, row, p, server)
	if err != nil {
		return turn{}, err
	}
	defer func() { err = errors.Join(err, team.dismiss(ctx)) }()
	if p.warmup > 0 {
		if _, err := team.measure(ctx, p.connections, 0, p.warmup); err != nil {
			return turn{}, err
		}
	}
	turn, err := team.measure(ctx, p.connections, p.requests, p.duration)
	if err == nil && turn.Requests == 0 {
		return turn, fmt.Errorf("nothing was done in %v", p.duration)
	}
	return turn, err
}

func summarize(name string, turns []turn) medians {
	line := medians{
		name:   name,
		rate:   median(turns, turn.Rate),
		cpu:    median(turns, func(t turn) time.Duration { return t.cpu }),
		p50:    median(turns, func(t turn) time.Duration { return t.P50 }),
		p99:    median(turns, func(t turn) time.Duration { return t.P99 }),
		memory: median(turns, func(t turn) int64 { return t.memory }),
	}
	for _, turn := range turns {
		line.requests += turn.Requests
		line.errors += turn.Errors
	}
	return line
}

// median returns the middle value of a column, the upper one of two.
func median[T cmp.Ordered](turns []turn, column func(turn) T) T {
	values := make([]T, len(turns))
	for i, turn := range turns {
		values[i] = column(turn)
	}
	slices.Sort(values)
	return values[len(values)/2]
}
