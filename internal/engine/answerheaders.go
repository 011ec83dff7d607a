package engine

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// answerHeaders checks the headers that user code gives an answer, and tells its content
// type: the one that is given, else that among the headers. A header that would forge
// another one, that belongs to the connection, or that is ours to set is an error.
func answerHeaders(contentType string, headers map[string]string) (string, map[string]string, error) {
	if contentType != "" && !isHeaderValue(contentType) {
		return "", nil, fmt.Errorf("the content type %q holds a line break or another control character", contentType)
	}
	if len(headers) == 0 {
		return contentType, nil, nil
	}
	checked, seen := make(map[string]string, len(headers)), make(map[string]string, len(headers))
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		lower, value := strings.ToLower(name), headers[name]
		if err := checkHeader(name, lower, value); err != nil {
			return "", nil, err
		}
		if first, twice := seen[lower]; twice {
			return "", nil, fmt.Errorf("the headers %q and %q are one: give it once", first, name)
		}
		seen[lower] = name
		switch {
		case lower != "content-type":
			checked[name] = value
		case contentType == "":
			contentType = value
		}
	}
	return contentType, checked, nil
}

// checkHeader tells what is wrong with a header of an answer.
func checkHeader(name, lower, value string) error {
	switch {
	case !isToken(name):
		return fmt.Errorf("the header name %q is none: use letters, digits and hyphens", name)
	case !isHeaderValue(value):
		return fmt.Errorf("the header %s holds a line break or another control character", name)
	case isReservedHeader(lower):
		return fmt.Errorf("the header %s is not for a flow to set", name)
	default:
		return nil
	}
}

// isReservedHeader tells which headers the server sets itself: what frames the message or
// belongs to the connection (RFC 9110, section 7.6.1), and the execution's id.
func isReservedHeader(lower string) bool {
	switch lower {
	case "content-length", "transfer-encoding", "te", "trailer", "connection", "keep-alive", "upgrade", "prismatic-executionid":
		return true
	default:
		return strings.HasPrefix(lower, "proxy-")
	}
}

// isToken tells whether s is a header's name (RFC 9110, section 5.6.2).
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return s != ""
}

// isHeaderValue tells whether s stays on the line of its header: no control characters but
// tabs (RFC 9110, section 5.5).
func isHeaderValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
