package sluice

import (
	"reflect"
	"slices"
	"strings"
)

// KeyValue is one entry of a key-value list.
type KeyValue[T any] struct {
	// Key of the entry.
	Key string `json:"key"`
	// Value of the entry.
	Value T `json:"value"`
}

// pairer is a [KeyValue] of any type.
type pairer interface{ pair() KeyValue[any] }

func (kv KeyValue[T]) pair() KeyValue[any] { return KeyValue[any]{Key: kv.Key, Value: kv.Value} }

// Pairs returns the entries of a key-value list of any type: a list of [KeyValue], a list
// of objects with key and value, or a map with string keys, which are sorted. ok is false
// for anything else.
func Pairs(value any) (entries []KeyValue[any], ok bool) {
	if v := reflect.ValueOf(value); v.Kind() == reflect.Map && v.Type().Key().Kind() == reflect.String {
		pairs := make([]KeyValue[any], 0, v.Len())
		for _, key := range v.MapKeys() {
			pairs = append(pairs, KeyValue[any]{Key: key.String(), Value: v.MapIndex(key).Interface()})
		}
		slices.SortFunc(pairs, func(a, b KeyValue[any]) int { return strings.Compare(a.Key, b.Key) })
		return pairs, true
	}
	values, ok := listOf(value)
	if !ok {
		return nil, false
	}
	pairs := make([]KeyValue[any], len(values))
	for i, value := range values {
		if isNil(value) {
			return nil, false
		}
		switch entry := value.(type) {
		case pairer:
			pairs[i] = entry.pair()
		case map[string]any:
			key, ok := entry["key"].(string)
			if _, has := entry["value"]; !ok || !has || len(entry) != 2 {
				return nil, false
			}
			pairs[i] = KeyValue[any]{Key: key, Value: entry["value"]}
		default:
			return nil, false
		}
	}
	return pairs, true
}
