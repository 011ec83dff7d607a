package gateway

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/sluice-go/sluice/internal/lru"
)

// admit refuses a request whose endpoint gets too many, before anything of it is read.
func (g *Gateway) admit(c *call) error {
	wait, ok := g.rate.allow(c.endpoint)
	if ok {
		return nil
	}
	// The sentence is seed 001's.
	return tooMany(fmt.Sprintf("Endpoint with id: %s has exceeded maximum allowed throughput of %d requests/second. Please throttle your requests.",
		c.endpoint, g.options.RateLimit), wait)
}

func tooMany(message string, wait time.Duration) *refusal {
	return &refusal{
		status: http.StatusTooManyRequests, message: message, retryAfter: int((wait + time.Second - 1) / time.Second),
	}
}

// rateLimiter lets through so many requests in any second for each endpoint. Those that it
// refuses do not count.
type rateLimiter struct {
	limit int
	start time.Time

	mu      sync.Mutex
	windows *lru.Cache[string, *window]
}

// window holds when the latest requests of an endpoint were let through, since the
// limiter's start: a ring whose oldest entry is at next, once it is full.
type window struct {
	passed []time.Duration
	next   int
}

// maxWindowBytes bounds what is remembered of all endpoints, some 60,000 with the default
// limit. Those that were quiet for longest are forgotten.
const maxWindowBytes = 32 << 20

func newRateLimiter(limit int) *rateLimiter {
	return &rateLimiter{limit: limit, start: time.Now(), windows: lru.New[string, *window](maxWindowBytes)}
}

// allow counts a request in, or tells how long the endpoint's next one has to wait.
func (r *rateLimiter) allow(endpoint string) (wait time.Duration, ok bool) {
	if r.limit < 0 {
		return 0, true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.allowAt(endpoint, time.Since(r.start))
}

func (r *rateLimiter) allowAt(endpoint string, now time.Duration) (wait time.Duration, ok bool) {
	w, known := r.windows.Get(endpoint)
	if !known {
		w = &window{}
		r.windows.Put(endpoint, w, 128+len(endpoint)+8*r.limit)
	}
	if len(w.passed) < r.limit {
		w.passed = append(w.passed, now)
		return 0, true
	}
	if wait := w.passed[w.next] + time.Second - now; wait > 0 {
		return wait, false
	}
	w.passed[w.next] = now
	w.next = (w.next + 1) % r.limit
	return 0, true
}
