package sluice

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/sluice-go/sluice/internal/encode"
)

// ForEach calls fn for each item as a step of its own, and returns the results in the order
// of the items (seed 003, "Loops in Integrations"). A step is known by its item: a later
// attempt finds the results of items that were handled, also when the order of the items has
// changed or others were added. What is the same as JSON is the same item; of several equal
// ones the first is the first again.
//
// One item is handled after the other, or as many at once as [WithConcurrency] says. After
// the first error no further item begins; those under way come to their end, and the error is
// an [*ItemError]. The other options hold for each item, but [WithKey], which tells loops of
// one name apart that run at the same time.
func ForEach[Item, Out any](
	ctx context.Context, name string, items []Item, fn func(ctx context.Context, item Item, index int) (Out, error), opts ...StepOption,
) ([]Out, error) {
	run, options, err := beginStep(ctx, name, opts)
	if err != nil {
		return nil, err
	}
	keys, err := itemKeys(items)
	if err != nil {
		return nil, fmt.Errorf("sluice: loop %q: %w", name, err)
	}
	results := make([]Out, len(items))
	err = run.Loop(ctx, options.Step, func(ctx context.Context) error {
		run, err := hostOf(ctx, "loop", name)
		if err != nil {
			return err
		}
		loop := &loop{errs: make([]error, len(items))}
		loop.run(options.concurrency, func(index int) (err error) {
			step := options.Step
			step.Key = keys[index]
			results[index], err = runStep(ctx, run, step, func(ctx context.Context) (Out, error) {
				return fn(ctx, items[index], index)
			})
			return err
		})
		return loop.err(name)
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

// ItemError is the error of an item of [ForEach]: of the first of those that failed.
type ItemError struct {
	// Loop is the name that ForEach got, Index the item's place in the list, from 0.
	Loop  string
	Index int
	Err   error
}

func (e *ItemError) Error() string { return fmt.Sprintf("%s: item %d: %v", e.Loop, e.Index, e.Err) }
func (e *ItemError) Unwrap() error { return e.Err }

// maxItemKey is how long an item's JSON may be to be its key; of longer ones a hash is.
const maxItemKey = 100

// itemKeys tells items apart: by their JSON, and equal ones by their occurrence.
func itemKeys[Item any](items []Item) ([]string, error) {
	keys := make([]string, len(items))
	seen := make(map[string]int, len(items))
	for i, item := range items {
		data, err := encode.JSON(item)
		if err != nil {
			return nil, Permanent(fmt.Errorf("item %d cannot be told from others: %w", i, err))
		}
		key := string(data)
		if len(data) > maxItemKey {
			hash := sha256.Sum256(data)
			key = "sha256 " + hex.EncodeToString(hash[:])
		}
		keys[i] = key
		if seen[key]++; seen[key] > 1 {
			keys[i] += " #" + strconv.Itoa(seen[key]) // No JSON text ends so.
		}
	}
	return keys, nil
}

// loop hands out the items of a loop, until one fails.
type loop struct {
	mu     sync.Mutex
	next   int
	failed bool
	errs   []error
}

func (l *loop) run(concurrency int, handle func(index int) error) {
	work := func() {
		for index := l.take(); index >= 0; index = l.take() {
			l.end(index, handle)
		}
	}
	if concurrency <= 1 {
		work()
		return
	}
	var workers sync.WaitGroup
	for range min(concurrency, len(l.errs)) {
		workers.Go(work)
	}
	workers.Wait()
}

// take returns the index of the next item, or -1.
func (l *loop) take() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed || l.next == len(l.errs) {
		return -1
	}
	l.next++
	return l.next - 1
}

// errUnfinished is the outcome of an item that ended its goroutine.
var errUnfinished = errors.New("the code ended its goroutine with runtime.Goexit")

func (l *loop) end(index int, handle func(index int) error) {
	err := errUnfinished
	defer func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.errs[index] = err
		l.failed = l.failed || err != nil
	}()
	err = handle(index)
}

// err is that of the first item that failed.
func (l *loop) err(name string) error {
	for index, err := range l.errs {
		if err != nil {
			return &ItemError{Loop: name, Index: index, Err: err}
		}
	}
	return nil
}
