package sluicetest

import (
	"context"
	"net/http"
	"slices"
	"sync"

	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
)

// life is one run of a runtime, from its start to its stop or crash. Faults strike in it.
type life struct {
	faults *faults
	store  store.Store
	// crashed is closed at the crash.
	crashed chan struct{}

	mu      sync.Mutex
	runtime *runtime.Runtime
	// claims that the runtime holds, by execution. lapsed says that it lost its lease and was
	// not told.
	claims map[string]*store.Claim
	lapsed bool
}

func newLife(faults *faults, database store.Store) *life {
	return &life{
		faults: faults, store: database, claims: map[string]*store.Claim{}, crashed: make(chan struct{}),
	}
}

// decorate has faults strike in a runtime with the options.
func (l *life) decorate(options runtime.Options) runtime.Options {
	options.Store = faultyStore(l.store, l)
	if options.Transport == nil {
		options.Transport = http.DefaultTransport
	}
	options.Transport = &faultyTransport{life: l, next: options.Transport}
	options.Integrations = slices.Clone(options.Integrations)
	for i, integration := range options.Integrations {
		options.Integrations[i] = l.integration(integration)
	}
	return options
}

// begin tells which runtime lives.
func (l *life) begin(started *runtime.Runtime) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.runtime = started
	if l.isOver() {
		l.bury()
	}
}

// crash ends the life: nothing passes any more. What the runtime left running ends.
func (l *life) crash() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.isOver() {
		return
	}
	close(l.crashed)
	if l.runtime != nil {
		l.bury()
	}
}

// bury has the goroutines of a crashed runtime end. The harness waits for it: it stops every
// runtime.
func (l *life) bury() {
	buried := l.runtime
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	go func() { _ = buried.Stop(ctx) }() // Only its goroutines have to end.
}

func (l *life) isOver() bool {
	select {
	case <-l.crashed:
		return true
	default:
		return false
	}
}

// handler answers no request after the crash.
func (l *life) handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !l.isOver() {
			next.ServeHTTP(w, r)
		}
		if l.isOver() {
			panic(http.ErrAbortHandler) //nolint:forbidigo // It is how a handler breaks the connection.
		}
	})
}

// come has the faults strike that wait at a place.
func (l *life) come(ctx context.Context, place Point) error {
	if l.isOver() {
		return ErrCrashed
	}
	for _, fault := range l.faults.take(place) {
		if err := fault.strike(ctx, l); err != nil {
			return err
		}
	}
	if l.isOver() {
		return ErrCrashed
	}
	return nil
}

// pass makes a call with the faults that wait before and after it.
func (l *life) pass(ctx context.Context, kind kind, name string, call func() error) error {
	if err := l.come(ctx, Point{moment: before, kind: kind, name: name}); err != nil {
		return err
	}
	err := call()
	if err := l.come(ctx, Point{moment: after, kind: kind, name: name}); err != nil {
		return err
	}
	return err
}

// claimed remembers what the runtime may run.
func (l *life) claimed(claims ...*store.Claim) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, claim := range claims {
		if claim != nil {
			l.claims[claim.Execution.ID] = claim
		}
	}
}

// accepted remembers what the runtime may run of what it accepted.
func (l *life) accepted(all ...*store.Accepted) {
	for _, accepted := range all {
		if accepted != nil {
			l.claimed(accepted.Claim)
		}
	}
}

// ending forgets a claim that was ended, unless there is a later one, and passes the error on.
func (l *life) ending(claim *store.Claim, err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil && l.claims[claim.Execution.ID] == claim {
		delete(l.claims, claim.Execution.ID)
	}
	return err
}

// loseLease gives back what the runtime runs, behind its back.
func (l *life) loseLease(ctx context.Context) {
	l.mu.Lock()
	lost := l.claims
	l.claims, l.lapsed = map[string]*store.Claim{}, true
	l.mu.Unlock()
	for _, claim := range lost {
		_ = l.store.Release(context.WithoutCancel(ctx), claim, store.Pause{}) // Or it has ended meanwhile.
	}
}

// takeLapse tells, once, whether the runtime is to learn that it lost its lease.
func (l *life) takeLapse() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	lapsed := l.lapsed
	l.lapsed = false
	return lapsed
}
