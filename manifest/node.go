package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// node is a value of the document that is being written.
type node struct {
	kind kind
	// scalar is a scalar as it is written.
	scalar string
	// children are the members of a mapping or the elements of a sequence.
	children []child
}

// child is an element of a sequence, or a member of a mapping with its key as it is
// written.
type child struct {
	key   string
	value *node
}

type kind int

const (
	scalarNode kind = iota
	mappingNode
	sequenceNode
)

// object is a mapping that is being written. Members keep their order.
type object struct{ *node }

func newObject() object { return object{&node{kind: mappingNode, children: make([]child, 0, 8)}} }

// set adds a member.
func (o object) set(key string, value *node) {
	o.children = append(o.children, child{quote(key), value})
}

func (o object) text(key, value string)         { o.set(key, text(value)) }
func (o object) boolean(key string, value bool) { o.set(key, boolean(value)) }
func (o object) integer(key string, value int)  { o.set(key, integer(value)) }

// optional adds a text, unless it is empty: spectral leaves out what is not given.
func (o object) optional(key, value string) {
	if value != "" {
		o.text(key, value)
	}
}

// flag adds a boolean, unless it is false: the zero value of Go is spectral's default.
func (o object) flag(key string, value bool) {
	if value {
		o.boolean(key, value)
	}
}

// count adds a number, unless it is zero.
func (o object) count(key string, value int) {
	if value != 0 {
		o.integer(key, value)
	}
}

// texts adds a list, unless it is nil.
func (o object) texts(key string, values []string) {
	if values == nil {
		return
	}
	items := make([]*node, len(values))
	for i, value := range values {
		items[i] = text(value)
	}
	o.set(key, list(items))
}

func text(value string) *node  { return &node{scalar: quote(value)} }
func boolean(value bool) *node { return &node{scalar: strconv.FormatBool(value)} }
func integer(value int) *node  { return &node{scalar: strconv.Itoa(value)} }

func list(elements []*node) *node {
	children := make([]child, len(elements))
	for i, element := range elements {
		children[i].value = element
	}
	return &node{kind: sequenceNode, children: children}
}

// stringify is JSON.stringify: JSON without spaces and without escapes for HTML.
func stringify(value any) (string, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return "", fmt.Errorf("manifest: a value cannot be written as JSON: %w", err)
	}
	return strings.TrimSuffix(buffer.String(), "\n"), nil
}

// jsonNode turns any value that JSON can hold into a node, members in their order.
func jsonNode(value any) (*node, error) {
	data, err := stringify(value)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(strings.NewReader(data))
	decoder.UseNumber()
	return decodeNode(decoder)
}

func decodeNode(decoder *json.Decoder) (*node, error) {
	token, err := decoder.Token()
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	switch token := token.(type) {
	case json.Delim:
		return decodeChildren(decoder, token)
	case string:
		return text(token), nil
	case bool:
		return boolean(token), nil
	case json.Number:
		return &node{scalar: number(token)}, nil
	}
	return &node{scalar: "null"}, nil
}

// decodeChildren reads an object or a list up to its end.
func decodeChildren(decoder *json.Decoder, delim json.Delim) (*node, error) {
	parent := &node{kind: sequenceNode}
	if delim == '{' {
		parent.kind = mappingNode
	}
	for decoder.More() {
		var next child
		if parent.kind == mappingNode {
			key, err := decoder.Token()
			if err != nil {
				return nil, err
			}
			next.key = quote(fmt.Sprint(key))
		}
		value, err := decodeNode(decoder)
		if err != nil {
			return nil, err
		}
		next.value = value
		parent.children = append(parent.children, next)
	}
	_, err := decoder.Token()
	return parent, err
}

// number writes a number so that YAML 1.1 reads it too: 1e3 would be a text there.
func number(token json.Number) string {
	if !strings.ContainsAny(token.String(), "eE") {
		return token.String()
	}
	parsed, err := token.Float64()
	if err != nil || math.IsInf(parsed, 0) {
		return token.String()
	}
	shortest := strconv.FormatFloat(parsed, 'e', -1, 64)
	if mantissa, exponent, ok := strings.Cut(shortest, "e"); ok && !strings.Contains(mantissa, ".") {
		return mantissa + ".0e" + exponent
	}
	return shortest
}
