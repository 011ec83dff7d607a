//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// callers is how many callers each flow has. The one of "sequential" is alone: what it sent
// first was accepted first.
const callers = 6

// pace is how long a caller waits between two requests.
const pace = 25 * time.Millisecond

// load sends requests until ctx ends, and keeps what was acknowledged.
type load struct {
	fleet  *fleet
	client *http.Client

	mu       sync.Mutex
	accepted map[string]order
	next     int
}

func (l *load) run(ctx context.Context, seed uint64) {
	var all sync.WaitGroup
	for i, flow := range flows {
		n := callers
		if flow == "sequential" {
			n = 1
		}
		for caller := range n {
			random := rand.New(rand.NewPCG(seed, uint64(i*callers+caller))) //nolint:gosec // Reproducible on purpose.
			all.Go(func() {
				for ctx.Err() == nil {
					l.send(ctx, random, flow)
					_ = pause(ctx, pace)
				}
			})
		}
	}
	all.Wait()
}

// send sends one request to a worker that lives, and notes whether it was accepted.
func (l *load) send(ctx context.Context, random *rand.Rand, flow string) {
	o := order{Lane: flow, Number: l.number(), Milliseconds: random.IntN(15)}
	if random.IntN(10) == 0 {
		o.Fail = 1
	}
	url, ok := l.fleet.url(random, flow)
	if !ok {
		_ = pause(ctx, 20*time.Millisecond)
		return
	}
	body, _ := json.Marshal(o) //nolint:errchkjson // It has only plain fields.
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := l.client.Do(request)
	if err != nil {
		_ = pause(ctx, 20*time.Millisecond) // The worker was killed, or is paused.
		return
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	var accepted struct {
		ExecutionID string `json:"executionId"`
	}
	if err != nil || response.StatusCode != http.StatusOK || json.Unmarshal(answer, &accepted) != nil {
		_ = pause(ctx, 20*time.Millisecond)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.accepted[accepted.ExecutionID] = o
}

func (l *load) number() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next++
	return l.next
}
