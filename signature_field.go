package sluice

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const (
	headerRoot = "headers."
	queryRoot  = "queryParameters."
	bodyRoot   = "body.data."
)

// field returns the text of the first path that is present. The name says in errors what
// was looked for. A missing value, null and the empty text are the same.
func (r *SignedRequest) field(name string, paths []string) (string, error) {
	for _, path := range paths {
		switch values := r.values(path); {
		case len(values) > 1:
			return "", signatureErrorf(SignatureDuplicate, "%s occurs %d times; it must occur once", path, len(values))
		case len(values) == 1 && values[0] != "":
			return values[0], nil
		}
	}
	return "", signatureErrorf(SignatureMissing, "the %s is missing; it is expected in %s", name, strings.Join(paths, " or "))
}

// values returns what stands at a path: all values of a header or query parameter, the one
// value of a body field.
func (r *SignedRequest) values(path string) []string {
	if name, ok := strings.CutPrefix(path, headerRoot); ok {
		return r.headerValues(name)
	}
	if name, ok := strings.CutPrefix(path, queryRoot); ok {
		return r.query()[name]
	}
	if keys, ok := strings.CutPrefix(path, bodyRoot); ok {
		if text, found := r.bodyField(keys); found {
			return []string{text}
		}
	}
	return nil
}

func (r *SignedRequest) headerValues(name string) []string {
	var found []string
	for key, values := range r.Header {
		switch {
		case !strings.EqualFold(key, name):
		case found == nil:
			found = values
		default:
			found = append(slices.Clip(found), values...)
		}
	}
	return found
}

// headerNumbers returns the numbers for which there is a header of that name.
func (r *SignedRequest) headerNumbers(name string) []string {
	var numbers []string
	for key := range r.Header {
		if len(key) <= len(name) || !strings.EqualFold(key[:len(name)], name) {
			continue
		}
		number := key[len(name):]
		if _, err := strconv.ParseUint(number, 10, 16); err == nil {
			numbers = append(numbers, number)
		}
	}
	return numbers
}

// query returns the query parameters of the URL; none when the query is malformed.
func (r *SignedRequest) query() url.Values {
	_, raw, _ := strings.Cut(r.URL, "?")
	raw, _, _ = strings.Cut(raw, "#")
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil
	}
	return values
}

// bodyField returns the text at a path of a JSON body.
func (r *SignedRequest) bodyField(keys string) (string, bool) {
	path, err := ParseFieldPath(keys)
	if err != nil {
		return "", false
	}
	body, err := ParseBody("application/json", r.Body)
	if err != nil {
		return "", false
	}
	text, ok, err := body.Lookup(path)
	return text, ok && err == nil
}
