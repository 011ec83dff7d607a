package sluice

import (
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
