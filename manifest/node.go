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
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// object is a YAML mapping that is being written. Members keep their order.
type object struct{ node *yaml.Node }

func newObject() object { return object{&yaml.Node{Kind: yaml.MappingNode}} }

// set adds a member.
func (o object) set(key string, value *yaml.Node) {
	o.node.Content = append(o.node.Content, text(key), value)
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
	items := make([]*yaml.Node, len(values))
	for i, value := range values {
		items[i] = text(value)
	}
	o.set(key, list(items))
}

func list(items []*yaml.Node) *yaml.Node {
	node := &yaml.Node{Kind: yaml.SequenceNode, Content: items}
	if len(items) == 0 {
		node.Style = yaml.FlowStyle
	}
	return node
}

func boolean(value bool) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Value: strconv.FormatBool(value)}
}

func integer(value int) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Value: strconv.Itoa(value)}
}

// text is a string. What any reader, of YAML 1.1 or 1.2, might take for something else
// than a string is quoted.
func text(value string) *yaml.Node {
	node := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value}
	if !isPlain(value) {
		node.Style = yaml.DoubleQuotedStyle
	}
	return node
}

// isPlain tells whether a text is safe without quotes: words of ASCII letters that begin
// with a letter and mean nothing else in YAML.
func isPlain(value string) bool {
	if value == "" || !isLetter(value[0]) || value[len(value)-1] == ' ' || len(value) > 120 {
		return false
	}
	for i := range len(value) {
		c := value[i]
		if !isLetter(c) && (c < '0' || c > '9') && c != ' ' && c != '_' && c != '-' && c != '.' && c != '/' {
			return false
		}
	}
	return !reserved[strings.ToLower(value)]
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

// reserved are the words that are no strings in YAML 1.1 or 1.2.
var reserved = map[string]bool{
	"y": true, "n": true, "yes": true, "no": true, "on": true, "off": true,
	"true": true, "false": true, "null": true, "nan": true, "inf": true, "infinity": true,
}

// encode writes the document.
func (o object) encode() ([]byte, error) {
	if fault := invalidText(o.node); fault != "" {
		return nil, fmt.Errorf("manifest: the text %q is no valid UTF-8", fault)
	}
	data, err := yaml.Dump(o.node, yaml.WithIndent(2), yaml.WithLineWidth(-1))
	if err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	return data, nil
}

// invalidText returns a text that no document can hold; empty when there is none.
func invalidText(node *yaml.Node) string {
	if !utf8.ValidString(node.Value) {
		return node.Value
	}
	for _, child := range node.Content {
		if found := invalidText(child); found != "" {
			return found
		}
	}
	return ""
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
func jsonNode(value any) (*yaml.Node, error) {
	data, err := stringify(value)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(strings.NewReader(data))
	decoder.UseNumber()
	return decodeNode(decoder)
}

func decodeNode(decoder *json.Decoder) (*yaml.Node, error) {
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
		return &yaml.Node{Kind: yaml.ScalarNode, Value: number(token)}, nil
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Value: "null"}, nil
}

// decodeChildren reads an object or a list up to its end.
func decodeChildren(decoder *json.Decoder, delim json.Delim) (*yaml.Node, error) {
	node := &yaml.Node{Kind: yaml.MappingNode}
	if delim == '[' {
		node.Kind = yaml.SequenceNode
	}
	for decoder.More() {
		child, err := decodeNode(decoder)
		if err != nil {
			return nil, err
		}
		node.Content = append(node.Content, child)
	}
	if len(node.Content) == 0 {
		node.Style = yaml.FlowStyle
	}
	_, err := decoder.Token()
	return node, err
}

// number writes a number so that YAML 1.1 reads it too: 1e3 would be a string there.
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
