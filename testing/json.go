package sluicetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
)

// differentJSON says how JSON differs from that of want; empty if it does not. Numbers are
// compared by their text, so that large ones are compared exactly.
func differentJSON(want any, got []byte) string {
	expected, err := json.Marshal(want)
	if err != nil {
		return fmt.Sprintf("cannot be compared with %T: %v", want, err)
	}
	a, err := parseJSON(expected)
	if err != nil {
		return fmt.Sprintf("cannot be compared with %T: %v", want, err)
	}
	b, err := parseJSON(got)
	if err != nil {
		return fmt.Sprintf("is no JSON: %v", err)
	}
	if reflect.DeepEqual(a, b) {
		return ""
	}
	if text, ok := want.(string); ok {
		if quoted, err := parseJSON([]byte(text)); err == nil && reflect.DeepEqual(quoted, b) {
			return fmt.Sprintf("is a value, and a string is expected that spells it: expect a Go value, or json.RawMessage(`%s`)", text)
		}
	}
	return fmt.Sprintf("is not as expected:\n  expected %s\n  actual   %s", expected, bytes.TrimSpace(got))
}

func parseJSON(text []byte) (v any, err error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	err = decoder.Decode(&v)
	return v, err
}
