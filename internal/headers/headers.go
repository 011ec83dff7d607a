// Package headers checks the headers that user code gives to answers.
package headers

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Faults tells which headers would forge another one, belong to the connection or are the
// server's to set, and which names occur twice, in different case.
func Faults(headers map[string]string) (faults []error) {
	seen := make(map[string]string, len(headers))
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		lower := strings.ToLower(name)
		first, twice := seen[lower]
		seen[lower] = name
		switch {
		case !isToken(name):
			faults = append(faults, fmt.Errorf("%q is no name of an HTTP header", name))
		case isReserved(lower):
			faults = append(faults, fmt.Errorf("the header %s is the server's to set", name))
		case twice:
			faults = append(faults, fmt.Errorf("the headers %s and %s are one: give it once", first, name))
		case !IsValue(headers[name]):
			faults = append(faults, fmt.Errorf("the header %s is not one line without control characters", name))
		}
	}
	return faults
}

// IsValue tells whether s stays on the line of its header: it has no control characters
// but tabs (RFC 9110, section 5.5).
func IsValue(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}

// isReserved tells which headers frame the message or belong to the connection (RFC 9110,
// section 7.6.1), and the execution's id.
func isReserved(lower string) bool {
	switch lower {
	case "content-length", "transfer-encoding", "te", "trailer", "connection", "keep-alive", "upgrade", "prismatic-executionid":
		return true
	default:
		return strings.HasPrefix(lower, "proxy-")
	}
}

// isToken tells whether s is a token, as names are (RFC 9110, section 5.6.2).
func isToken(s string) bool {
	const runes = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !strings.ContainsRune(runes, r) })
}
