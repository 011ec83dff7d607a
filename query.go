package sluice

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/sluice-go/sluice/internal/encode"
)

// QueryParameters are the parameters of a request's URL: for each name its values in the
// order they came. Of a repeated parameter the first value counts everywhere: in Get, in
// field paths and in JSON; Values has them all. It is nil where the URL has none.
type QueryParameters map[string][]string

// ParseQuery parses a raw query, without the question mark. Only & separates, as the WHATWG
// URL standard has it, so a semicolon is part of a value. Where parameters are malformed, the
// error describes the first, and the result still has the others.
func ParseQuery(raw string) (QueryParameters, error) {
	if raw == "" {
		return nil, nil
	}
	values, err := url.ParseQuery(strings.ReplaceAll(raw, ";", "%3B"))
	if err != nil {
		err = fmt.Errorf("sluice: query: %w", err)
	}
	if len(values) == 0 {
		return nil, err
	}
	return QueryParameters(values), err
}

// Get returns the first value of the parameter, and "" where there is none.
func (q QueryParameters) Get(name string) string {
	if values := q[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// Values returns all values of the parameter.
func (q QueryParameters) Values(name string) []string {
	return q[name]
}

// MarshalJSON writes an object of the names and the first value of each: {} where there are
// none, so that readers need no check, where the platform writes null.
func (q QueryParameters) MarshalJSON() ([]byte, error) {
	first := make(map[string]string, len(q))
	for name := range q {
		first[name] = q.Get(name)
	}
	return encode.JSON(first)
}

// UnmarshalJSON reads an object of names and strings or lists of strings. An empty one is nil.
func (q *QueryParameters) UnmarshalJSON(data []byte) error {
	values, err := unmarshalValues(data)
	if err != nil {
		return fmt.Errorf("sluice: query parameters: %w", err)
	}
	*q = nil
	if len(values) > 0 {
		*q = values
	}
	return nil
}
