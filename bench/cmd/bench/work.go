package main

import (
	"fmt"
	"os"
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

// do runs the subject's operation until enough is done or the time is over. One that cannot be prepared is an error too.
func (w work) do(subject *subject) sample {
	latencies, errors := make([][]time.Duration, w.Workers), make([]int, w.Workers)
	started := time.Now()
	end := started.Add(w.Duration)
	var workers sync.WaitGroup
	var first sync.Once
	for worker := range w.Workers {
		workers.Go(func() {
			limit := load.Share(w.Operations, w.Workers, worker)
			for now := started; now.Before(end) && len(latencies[worker]) != limit; {
				var err error
				if subject.prepare != nil {
					err = subject.prepare()
					now = time.Now()
				}
				if err == nil {
					err = subject.operation(worker)
				}
				if err != nil {
					first.Do(func() { fmt.Fprintln(os.Stderr, "bench: the first operation that failed:", err) })
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
