package main

// batchSize is how many share a commit at most.
const batchSize = 64

// batcher hands what waits to one goroutine, which commits it together.
type batcher[T any] struct {
	commit  func(batch []T) error
	waiting chan request[T]
	ended   chan struct{}
}

type request[T any] struct {
	item T
	done chan error
}

func startBatcher[T any](commit func(batch []T) error) *batcher[T] {
	b := &batcher[T]{commit: commit, waiting: make(chan request[T], batchSize), ended: make(chan struct{})}
	go b.run()
	return b
}

// do returns when the item is committed.
func (b *batcher[T]) do(item T) error {
	done := make(chan error, 1)
	b.waiting <- request[T]{item, done}
	return <-done
}

func (b *batcher[T]) stop() {
	close(b.waiting)
	<-b.ended
}

func (b *batcher[T]) run() {
	defer close(b.ended)
	for first := range b.waiting {
		requests := []request[T]{first}
		for len(requests) < batchSize && len(b.waiting) > 0 {
			requests = append(requests, <-b.waiting)
		}
		batch := make([]T, len(requests))
		for i, request := range requests {
			batch[i] = request.item
		}
		err := b.commit(batch)
		for _, request := range requests {
			request.done <- err
		}
	}
}
