package load

import (
	"slices"
	"time"
)

// Result is what a run has measured.
type Result struct {
	Requests int           // Answers, whatever their status.
	Errors   int           // Answers with a status other than 2xx.
	Elapsed  time.Duration // From the first request to the last answer.
	P50, P99 time.Duration // Latencies, from the request's first byte to the answer's last one.
}

// Rate is the number of answers a second.
func (r Result) Rate() float64 {
	return float64(r.Requests) / r.Elapsed.Seconds()
}

// Summarize makes a Result of the latencies of all requests, in any order; it sorts them.
func Summarize(latencies []time.Duration, errors int, elapsed time.Duration) Result {
	slices.Sort(latencies)
	return Result{
		Requests: len(latencies), Errors: errors, Elapsed: elapsed,
		P50: percentile(latencies, 50), P99: percentile(latencies, 99),
	}
}

// percentile returns the smallest value that at least percent of the sorted values do not exceed, or 0 without values.
func percentile(sorted []time.Duration, percent int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	rank := (len(sorted)*percent + 99) / 100
	return sorted[max(rank, 1)-1]
}
