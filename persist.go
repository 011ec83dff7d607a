package sluice

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/sluice-go/sluice/internal/encode"
)

// SaveCurrentTime gives the key the current time, in UTC, to be read as a [time.Time] (seed
// 003, "The Persist Data Component").
func (s *State) SaveCurrentTime(ctx context.Context, key string) error {
	return s.Set(ctx, key, time.Now().UTC())
}

// DeDuplicate returns the items that no earlier run has seen, of a list with the newest
// first: those before the newest one of the last run (seed 003, "The Process Data
// Component"). It remembers under the key which item is the newest now, by its id, which is
// compared as JSON. Without an earlier run, or if that run's newest item is not in the list
// any more, all items are new. An empty list changes nothing. Use a key for nothing else.
func DeDuplicate[T any, ID comparable](ctx context.Context, state *State, key string, items []T, id func(item T) ID) ([]T, error) {
	last, seen, err := GetState[json.RawMessage](ctx, state, key)
	if err != nil || len(items) == 0 {
		return nil, err
	}
	fresh := items
	if seen {
		if fresh, err = before(last, items, id); err != nil {
			return nil, fmt.Errorf("sluice: state %q: %w", key, err)
		}
	}
	return fresh, state.Set(ctx, key, id(items[0]))
}

// before returns the items before the one whose id is last, as JSON; all, if there is none.
func before[T any, ID comparable](last []byte, items []T, id func(item T) ID) ([]T, error) {
	for i, item := range items {
		data, err := encode.JSON(id(item))
		if err != nil {
			return nil, fmt.Errorf("the id of item %d: %w", i, err)
		}
		if bytes.Equal(data, last) {
			return items[:i:i], nil
		}
	}
	return items, nil
}
