package sluice

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/sluice-go/sluice/internal/encode"
	"github.com/sluice-go/sluice/internal/jsonscan"
)

// FieldPath names one value in a payload or a result: where the name of a flow stands, a
// customer's id, or a key for deduplication. The zero FieldPath is the value itself.
//
// Segments are split on dots. A number is the index of a list's element, or a key where it
// meets an object. Every other character is part of a key, case and spaces included; a key
// with dots, or an empty one, stands in brackets as a JSON string: body.data.items.0.id,
// body.data["order.id"].kind, headers.x-event.
type FieldPath struct {
	segments []string
	walked   int // how many segments are behind; String still has them, for error messages
}

// ParseFieldPath parses a path as FieldPath describes it.
func ParseFieldPath(path string) (FieldPath, error) {
	if !utf8.ValidString(path) {
		return FieldPath{}, fmt.Errorf("sluice: field path %q is not UTF-8", path)
	}
	var segments []string
	for rest := path; ; {
		segment, after, err := cutSegment(rest)
		if err != nil {
			return FieldPath{}, fmt.Errorf("sluice: field path %q: %w", path, err)
		}
		segments = append(segments, segment)
		if after == "" {
			return FieldPath{segments: segments}, nil
		}
		rest = strings.TrimPrefix(after, ".") // otherwise a bracket follows
	}
}

// cutSegment splits the first segment off. What is after it is empty or begins with a dot or
// a bracket.
func cutSegment(path string) (segment, after string, err error) {
	if strings.HasPrefix(path, `["`) {
		return cutBracket(path)
	}
	end := len(path)
	if dot := strings.IndexByte(path, '.'); dot >= 0 {
		end = dot
	}
	if bracket := strings.Index(path[:end], `["`); bracket >= 0 {
		end = bracket
	}
	if end == 0 {
		return "", "", errors.New(`a segment is empty; write an empty key as [""]`)
	}
	return path[:end], path[end:], nil
}

func cutBracket(path string) (segment, after string, err error) {
	decoder := json.NewDecoder(strings.NewReader(path[1:]))
	if err := decoder.Decode(&segment); err != nil {
		return "", "", errors.New(`after [" comes a JSON string and a closing "]`)
	}
	after, closed := strings.CutPrefix(path[1+decoder.InputOffset():], "]")
	if !closed {
		return "", "", errors.New(`a closing ] is missing after a key in quotes`)
	}
	if after != "" && after[0] != '.' && !strings.HasPrefix(after, `["`) {
		return "", "", errors.New(`after a closing ] comes a dot or another ["`)
	}
	return segment, after, nil
}

// String returns the path as ParseFieldPath reads it.
func (p FieldPath) String() string {
	var path strings.Builder
	for i, segment := range p.segments {
		switch {
		case segment == "" || strings.Contains(segment, ".") || strings.Contains(segment, `["`):
			quoted, _ := encode.JSON(segment) // a string cannot fail
			path.WriteString("[" + string(quoted) + "]")
		case i > 0:
			path.WriteString("." + segment)
		default:
			path.WriteString(segment)
		}
	}
	return path.String()
}

// cut returns the first segment and the path behind it; ok is false where there is none.
func (p FieldPath) cut() (segment string, rest FieldPath, ok bool) {
	if p.walked == len(p.segments) {
		return "", p, false
	}
	return p.segments[p.walked], FieldPath{p.segments, p.walked + 1}, true
}

// Lookup returns the text of the value that the path leads to from root: a string as it is, a
// number with its digits as they came, true or false. A missing value and null are the same:
// ok is false. A list, an object or bytes at the end of the path are an error.
//
// Headers are found in any case and joined as Headers.Get does, of a repeated query parameter
// the first counts, and a Body stands for its Data. What is not a generic value, a struct for
// one, is looked up as its JSON.
func (p FieldPath) Lookup(root any) (value string, ok bool, err error) {
	segment, rest, more := p.cut()
	if !more {
		return p.scalar(root)
	}
	switch root := root.(type) {
	case nil, string, []byte, bool, json.Number:
		return "", false, nil
	case map[string]any:
		return rest.Lookup(root[segment])
	case []any:
		if i := jsonscan.Index(segment); i >= 0 && i < len(root) {
			return rest.Lookup(root[i])
		}
		return "", false, nil
	case Headers:
		if values := root.Values(segment); len(values) > 0 {
			return rest.Lookup(root.Get(segment))
		}
		return "", false, nil
	case QueryParameters:
		if values := root.Values(segment); len(values) > 0 {
			return rest.Lookup(values[0])
		}
		return "", false, nil
	default:
		return NewBody(root).Lookup(p)
	}
}

// scalar returns the text of the value at the end of the path.
func (p FieldPath) scalar(value any) (string, bool, error) {
	switch value := value.(type) {
	case nil:
		return "", false, nil
	case string:
		return value, true, nil
	case json.Number:
		return value.String(), true, nil
	case bool:
		return strconv.FormatBool(value), true, nil
	case []byte:
		return "", false, p.noScalar("bytes")
	case []any:
		return "", false, p.noScalar("a list")
	case map[string]any, Headers, QueryParameters:
		return "", false, p.noScalar("an object")
	default:
		return NewBody(value).Lookup(p)
	}
}

func (p FieldPath) noScalar(kind string) error {
	return fmt.Errorf("sluice: field path %q leads to %s; it must lead to a string, a number or a boolean", p, kind)
}

// Lookup returns the text of the value that the path leads to from Data, by the rules of
// FieldPath.Lookup. JSON is searched in its bytes, without building Data.
func (b Body) Lookup(path FieldPath) (value string, ok bool, err error) {
	raw, err := b.Bytes()
	if err != nil || b.IsEmpty() {
		return "", false, err
	}
	if b.state.kind != kindJSON {
		data, err := b.value()
		if err != nil {
			return "", false, err
		}
		return path.Lookup(data)
	}
	found, err := jsonscan.Find(jsonText(raw), path.segments[path.walked:])
	if err != nil {
		return "", false, &BodyError{ContentType: b.ContentType(), Err: err}
	}
	if len(found) == 0 || found[0] == 'n' {
		return "", false, nil
	}
	switch found[0] {
	case '"':
		return jsonString(found), true, nil
	case '[':
		return "", false, path.noScalar("a list")
	case '{':
		return "", false, path.noScalar("an object")
	default: // a number or a boolean
		return string(found), true, nil
	}
}

// jsonString reads a string that was scanned.
func jsonString(quoted []byte) string {
	inner := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
		return string(inner)
	}
	var text string
	_ = json.Unmarshal(quoted, &text) // cannot fail: the scan is as strict
	return text
}
