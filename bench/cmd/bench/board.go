package main

import (
	"errors"
	"sync"
	"time"
)

// patience is how long an execution that was accepted may take; none of those that are measured does.
const patience = 20 * time.Second

// board is where those who accept executions learn what became of them. Either side may come first.
type board[K comparable] struct {
	mu   sync.Mutex
	news map[K]chan struct{}
}

func newBoard[K comparable]() *board[K] {
	return &board[K]{news: make(map[K]chan struct{})}
}

func (b *board[K]) of(key K) chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	news, ok := b.news[key]
	if !ok {
		news = make(chan struct{}, 1)
		b.news[key] = news
	}
	return news
}

// post says that the execution has come as far as is measured.
func (b *board[K]) post(key K) {
	select {
	case b.of(key) <- struct{}{}:
	default:
	}
}

// await waits for that.
func (b *board[K]) await(key K) error {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-b.of(key):
	case <-timer.C:
		return errors.New("an execution was accepted and not heard of again")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.news, key)
	return nil
}
