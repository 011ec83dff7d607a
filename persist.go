package sluice

import (
	"context"
	"time"
)

// SaveCurrentTime gives the key the current time, in UTC, to be read as a [time.Time] (seed
// 003, "The Persist Data Component").
func (s *State) SaveCurrentTime(ctx context.Context, key string) error {
	return s.Set(ctx, key, time.Now().UTC())
}

// DeDuplicate returns the items that no earlier run has seen, of a list with the newest
// first: those before the newest one of the last run (seed 003, "The Process Data
// Component"). It remembers under the key which item is the newest now, by its id. Without an
// earlier run, or if that run's newest item is not in the list any more, all items are new.
// An empty list changes nothing. Use a key for nothing else.
func DeDuplicate[T any, ID comparable](ctx context.Context, state *State, key string, items []T, id func(item T) ID) ([]T, error) {
	last, seen, err := GetState[ID](ctx, state, key)
	if err != nil || len(items) == 0 {
		return nil, err
	}
	fresh := items
	for i, item := range items {
		if seen && id(item) == last {
			fresh = items[:i:i]
			break
		}
	}
	return fresh, state.Set(ctx, key, id(items[0]))
}
