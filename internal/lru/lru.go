// Package lru holds a cache that is bounded by the weight of what it holds.
package lru

import "sync"

// Cache keeps the most recently used values up to a total weight. It is safe for
// concurrent use.
type Cache[K comparable, V any] struct {
	mu       sync.Mutex
	capacity int
	weight   int
	entries  map[K]*entry[K, V]
	// ends is the sentinel of the ring: next is the newest entry, prev the oldest.
	ends entry[K, V]
}

type entry[K comparable, V any] struct {
	key        K
	value      V
	weight     int
	prev, next *entry[K, V]
}

// New returns an empty cache that holds up to capacity in weight.
func New[K comparable, V any](capacity int) *Cache[K, V] {
	c := &Cache[K, V]{capacity: capacity, entries: map[K]*entry[K, V]{}}
	c.ends.prev, c.ends.next = &c.ends, &c.ends
	return c
}

// Get returns the value of key and counts it as used.
func (c *Cache[K, V]) Get(key K) (value V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[key]
	if !ok {
		return value, false
	}
	e.unlink()
	c.pushFront(e)
	return e.value, true
}

// Put sets the value of key and drops what was used longest ago until all fits. A value
// heavier than the whole cache is not kept.
func (c *Cache[K, V]) Put(key K, value V, weight int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(key)
	if weight > c.capacity {
		return
	}
	e := &entry[K, V]{key: key, value: value, weight: weight}
	c.entries[key] = e
	c.weight += weight
	c.pushFront(e)
	for c.weight > c.capacity {
		c.remove(c.ends.prev.key)
	}
}

// Remove drops the value of key.
func (c *Cache[K, V]) Remove(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(key)
}

// Clear drops all values.
func (c *Cache[K, V]) Clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.entries)
	c.weight = 0
	c.ends.prev, c.ends.next = &c.ends, &c.ends
}

// Len is the number of values held.
func (c *Cache[K, V]) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.entries)
}

func (c *Cache[K, V]) remove(key K) {
	e, ok := c.entries[key]
	if !ok {
		return
	}
	e.unlink()
	delete(c.entries, key)
	c.weight -= e.weight
}

func (c *Cache[K, V]) pushFront(e *entry[K, V]) {
	e.prev, e.next = &c.ends, c.ends.next
	e.prev.next, e.next.prev = e, e
}

func (e *entry[K, V]) unlink() {
	e.prev.next, e.next.prev = e.next, e.prev
}
