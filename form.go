package sluice

import (
	"bytes"
	"net/url"
	"strings"
)

// parseForm parses application/x-www-form-urlencoded. Only & separates, as the WHATWG URL
// standard has it, so a semicolon is part of a value.
func parseForm(raw string) (map[string]any, error) {
	values, err := url.ParseQuery(strings.ReplaceAll(raw, ";", "%3B"))
	if err != nil {
		return nil, err
	}
	form := make(map[string]any, len(values))
	for key, all := range values {
		for _, value := range all {
			addNamed(form, toUTF8(key), toUTF8(value))
		}
	}
	return form, nil
}

// maxFormFields is how many fields [url.ParseQuery] takes by default.
const maxFormFields = 10_000

// checkForm reports what parseForm would, and copies nothing of a form that is fine.
func checkForm(raw []byte) error {
	fine := bytes.Count(raw, []byte("&")) < maxFormFields
	for rest := raw; fine; {
		_, after, found := bytes.Cut(rest, []byte("%"))
		if !found {
			return nil
		}
		fine = len(after) >= 2 && isHexDigit(after[0]) && isHexDigit(after[1])
		rest = after
	}
	_, err := parseForm(string(raw))
	return err
}

func isHexDigit(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// addNamed adds value under name: alone where the name is new, and to the list of all the
// name's values otherwise. Such a value is never a list itself.
func addNamed(named map[string]any, name string, value any) {
	switch before := named[name].(type) {
	case nil:
		named[name] = value
	case []any:
		named[name] = append(before, value)
	default:
		named[name] = []any{before, value}
	}
}
