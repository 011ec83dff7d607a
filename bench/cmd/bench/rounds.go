package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// plan says how to measure.
type plan struct {
	rounds      int
	connections int
	warmup      time.Duration // How long a server gets load before its measurement; 0 leaves it out.
	duration    time.Duration // How long one measurement takes at most.
	requests    int           // How many requests one measurement sends at most; 0 leaves the end to duration.
}

// medians are a row's line of the table; each column is the median of its own.
type medians struct {
	name     string
	rate     float64       // Requests a second.
	cpu      time.Duration // The server's CPU time per request.
	p50, p99 time.Duration
	errors   int // The sum of all rounds.
}

// measure measures every row once a round, each time in a new process.
func (p plan) measure(ctx context.Context, rows []row) ([]medians, error) {
	if p.rounds < 1 || p.duration <= 0 {
		return nil, fmt.Errorf("measure %d rounds of %v: need at least one round and some time", p.rounds, p.duration)
	}
	turns := make([][]turn, len(rows))
	for range p.rounds {
		for i, row := range rows {
			turn, err := p.take(ctx, row)
			if err != nil {
				return nil, err
			}
			turns[i] = append(turns[i], turn)
		}
	}
	lines := make([]medians, len(rows))
	for i, row := range rows {
		lines[i] = summarize(row.name, turns[i])
	}
	return lines, nil
}

// turn is one measurement of one row.
type turn struct {
	sample

	cpu time.Duration // The server's CPU time per request.
}

// take starts a row's server, warms it up, measures it and stops it.
func (p plan) take(ctx context.Context, row row) (_ turn, err error) {
	server, err := start(ctx, row)
	if err != nil {
		return turn{}, err
	}
	defer func() { err = errors.Join(err, server.stop()) }()
	if p.warmup > 0 {
		if _, _, err := server.measure(ctx, p.connections, 0, p.warmup); err != nil {
			return turn{}, err
		}
	}
	sample, cpu, err := server.measure(ctx, p.connections, p.requests, p.duration)
	if err != nil {
		return turn{}, err
	}
	if sample.Requests == 0 {
		return turn{}, fmt.Errorf("%s: nothing was done in %v", row.name, p.duration)
	}
	return turn{sample: sample, cpu: cpu / time.Duration(sample.Requests)}, nil
}

func summarize(name string, turns []turn) medians {
	line := medians{
		name: name,
		rate: median(turns, turn.Rate),
		cpu:  median(turns, func(t turn) time.Duration { return t.cpu }),
		p50:  median(turns, func(t turn) time.Duration { return t.P50 }),
		p99:  median(turns, func(t turn) time.Duration { return t.P99 }),
	}
	for _, turn := range turns {
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
