// Package variant unwraps the values of sealed interfaces, so that a type switch needs to
// know the struct of each variant only, never a pointer to it.
package variant

import "reflect"

// Of returns the value behind an interface, without pointers; nil for nil and for a nil
// pointer.
func Of(value any) any {
	v := reflect.ValueOf(value)
	if v.Kind() != reflect.Pointer {
		return value
	}
	if v.IsNil() {
		return nil
	}
	return v.Elem().Interface()
}
