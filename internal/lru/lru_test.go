package lru

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestCacheAgainstModel compares the cache with a plain list of keys in the order of use.
func TestCacheAgainstModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		type held struct{ key, value, weight int }
		capacity := rapid.IntRange(0, 20).Draw(t, "capacity")
		cache := New[int, int](capacity)
		var model []held // oldest first
		take := func(key int) (held, bool) {
			for i, h := range model {
				if h.key == key {
					model = append(model[:i:i], model[i+1:]...)
					return h, true
				}
			}
			return held{}, false
		}
		total := func() (sum int) {
			for _, h := range model {
				sum += h.weight
			}
			return sum
		}
		keys := rapid.IntRange(0, 9)
		t.Repeat(map[string]func(*rapid.T){
			"get": func(t *rapid.T) {
				key := keys.Draw(t, "key")
				want, wantOK := take(key)
				if wantOK {
					model = append(model, want)
				}
				value, ok := cache.Get(key)
				require.Equal(t, wantOK, ok)
				require.Equal(t, want.value, value)
			},
			"put": func(t *rapid.T) {
				h := held{keys.Draw(t, "key"), rapid.Int().Draw(t, "value"), rapid.IntRange(0, 25).Draw(t, "weight")}
				cache.Put(h.key, h.value, h.weight)
				take(h.key)
				if h.weight <= capacity {
					model = append(model, h)
				}
				for total() > capacity {
					model = model[1:]
				}
			},
			"remove": func(t *rapid.T) {
				key := keys.Draw(t, "key")
				cache.Remove(key)
				take(key)
			},
			"clear": func(*rapid.T) {
				cache.Clear()
				model = nil
			},
			"": func(t *rapid.T) { require.Equal(t, len(model), cache.Len()) },
		})
	})
}
