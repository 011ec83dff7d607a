package engine

import (
	"context"
	"sync"
	"time"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/store"
)

// tenure is the time for which this engine has a claim and may run its execution.
type tenure struct {
	claim *store.Claim
	// earlier is closed when an earlier tenure of the execution is over; nil if there was none.
	earlier <-chan struct{}
	// done is closed when this one is over, if a later one waits for it; under tenures.mu.
	done chan struct{}

	mu sync.Mutex
	// cancel ends what runs; nil as long as nothing does. cause is why the tenure ended.
	cancel context.CancelCauseFunc
	cause  error
}

// bind has the end of the tenure, which may have come already, end a context.
func (t *tenure) bind(cancel context.CancelCauseFunc) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cancel = cancel
	if t.cause != nil {
		cancel(t.cause)
	}
}

// end ends the tenure. The first cause counts.
func (t *tenure) end(cause error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cause != nil {
		return
	}
	t.cause = cause
	if t.cancel != nil {
		t.cancel(cause)
	}
}

// awaitEarlier waits until what ran in an earlier tenure has come to its end: no execution runs
// twice at a time in one process. It returns the context's cause when that ends first.
func (t *tenure) awaitEarlier(ctx context.Context) error {
	if t.earlier == nil {
		return nil
	}
	select {
	case <-t.earlier:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// ended is why the tenure ended; nil if it has not.
func (t *tenure) ended() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.cause
}

// tenures are those of an engine, by execution. While there are any, its keeper is awake.
type tenures struct {
	mu   sync.Mutex
	held map[string]*tenure
	// until is when the lease may run out.
	until time.Time
	awake bool
	wake  chan struct{} // of capacity 1: who makes the keeper awake never waits
}

func newTenures() *tenures {
	return &tenures{held: map[string]*tenure{}, wake: make(chan struct{}, 1)}
}

// begin holds a claim. An earlier one of the same execution was lost: the store gives it away
// again before this engine has learnt that its lease ran out. A claim that was held up on its way
// may be lost as well.
func (h *tenures) begin(claim *store.Claim) *tenure {
	t := &tenure{claim: claim}
	if !time.Now().Before(claim.Until) {
		t.end(sluice.ErrLeaseLost)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if earlier := h.held[claim.Execution.ID]; earlier != nil {
		earlier.end(sluice.ErrLeaseLost)
		earlier.done = make(chan struct{})
		t.earlier = earlier.done
	}
	h.held[claim.Execution.ID] = t
	h.prolong(claim.Until)
	if !h.awake {
		h.awake = true
		h.wake <- struct{}{}
	}
	return t
}

// extend says until when the lease lasts that was begun anew.
func (h *tenures) extend(until time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.prolong(until)
}

func (h *tenures) prolong(until time.Time) {
	if until.After(h.until) {
		h.until = until
	}
}

// leasedUntil is when the lease may run out.
func (h *tenures) leasedUntil() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.until
}

// has tells whether a claim is held here.
func (h *tenures) has(claim *store.Claim) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.held[claim.Execution.ID]
	return t != nil && t.claim.Token == claim.Token
}

// over forgets a tenure.
func (h *tenures) over(t *tenure) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if id := t.claim.Execution.ID; h.held[id] == t {
		delete(h.held, id)
	}
	if t.done != nil {
		close(t.done)
	}
}

// end ends the tenure of an execution, if it runs here.
func (h *tenures) end(id string, cause error) {
	h.mu.Lock()
	t := h.held[id]
	h.mu.Unlock()
	if t != nil {
		t.end(cause)
	}
}

func (h *tenures) endAll(cause error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, t := range h.held {
		t.end(cause)
	}
}

// rest tells whether the keeper may sleep: nothing is held.
func (h *tenures) rest() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.awake = len(h.held) > 0
	return !h.awake
}
