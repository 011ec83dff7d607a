package main

import (
	"slices"
	"sync"
	"time"

	"github.com/sluice-go/sluice/bench/load"
)

// work says how to run an operation: by how many workers at the same time, how long and how often at most.
type work struct {
	Workers    int           `json:"workers"`
	Duration   time.Duration `json:"duration"`
	Operations int           `json:"operations"` // 0 leaves the end to Duration.
}

// sample is what one measurement counted.
type sample = load.Result

// do runs the operation until enough is done or the time is over.
func (w work) do(operation func(worker int) error) sample {
	latencies, errors := make([][]time.Duration, w.Workers), make([]int, w.Workers)
	started := time.Now()
	end := started.Add(w.Duration)
	var workers sync.WaitGroup
	for worker := range w.Workers {
		workers.Go(func() {
			limit := load.Share(w.Operations, w.Workers, worker)
			for now := started; now.Before(end) && len(latencies[worker]) != limit; {
				if operation(worker) != nil {
					errors[worker]++
				}
				done := time.Now()
				latencies[worker] = append(latencies[worker], done.Sub(now))
				now = done
			}
		})
	}
	workers.Wait()
	failed := 0
	for _, n := range errors {
		failed += n
	}
	return load.Summarize(slices.Concat(latencies...), failed, time.Since(started))
}
