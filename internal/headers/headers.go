// Package headers checks the headers that user code gives to answers.
package headers

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Check refuses headers that would forge another one, that belong to the connection or are
// the server's to set, and names that occur twice, in different case.
func Check(headers map[string]string) error {
	seen := make(map[string]string, len(headers))
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		lower := strings.ToLower(name)
		first, twice := seen[lower]
		switch {
		case !isToken(name):
			return fmt.Errorf("the header name %q is none: use letters, digits and hyphens", name)
		case isReserved(lower):
			return fmt.Errorf("the header %s is the server's to set", name)
		case twice:
			return fmt.Errorf("the headers %s and %s are one: give it once", first, name)
		case !IsValue(headers[name]):
			return fmt.Errorf("the header %s holds a line break or another control character", name)
		}
		seen[lower] = name
	}
	return nil
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
