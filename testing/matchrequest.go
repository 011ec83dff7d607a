package sluicetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"
)

// sameRequest tells whether two requests are answered alike.
func sameRequest(a, b *message) bool {
	return a.method == b.method && slices.Equal(a.target(), b.target()) && sameBody(a.body, b.body)
}

func sameBody(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	first, errFirst := decodeJSON(a)
	second, errSecond := decodeJSON(b)
	return errFirst == nil && errSecond == nil && reflect.DeepEqual(first, second)
}

func decodeJSON(data []byte) (value any, err error) {
	if !json.Valid(data) {
		return nil, errors.New("no JSON")
	}
	return parseJSON(data)
}

// target is where a request goes, in lines: the URL, and its query parameters, sorted.
func (m *message) target() []string {
	parsed, err := url.Parse(m.url)
	if err != nil {
		return []string{m.url}
	}
	var parameters []string
	for name, values := range parsed.Query() {
		for _, value := range values {
			parameters = append(parameters, "  ?"+name+"="+value)
		}
	}
	slices.Sort(parameters)
	parsed.RawQuery, parsed.ForceQuery, parsed.Fragment = "", false, ""
	parsed.Scheme, parsed.Host = strings.ToLower(parsed.Scheme), strings.ToLower(parsed.Host)
	return append([]string{parsed.String()}, parameters...)
}

// lines shows what of a request is compared.
func (m *message) lines() []string {
	lines := m.target()
	lines[0] = m.method + " " + lines[0]
	if value, err := decodeJSON(m.body); err == nil {
		if pretty, err := json.MarshalIndent(value, "", "  "); err == nil {
			return append(lines, strings.Split(string(pretty), "\n")...)
		}
	}
	switch {
	case len(m.body) == 0:
		return lines
	case !isText(m.body):
		return append(lines, fmt.Sprintf("%d bytes: %.40q…", len(m.body), m.body))
	default:
		return append(lines, strings.Split(string(m.body), "\n")...)
	}
}
