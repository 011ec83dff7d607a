package jsonscan

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Build returns the generic value of a JSON text as encoding/json does with UseNumber:
// map[string]any, []any, string, json.Number, bool or nil. Of several members of one name
// the last counts, and bytes in strings that are not UTF-8 become U+FFFD. The strings of
// the value share one copy of the text. The error is that of Check with maxDepth.
func Build(text []byte, maxDepth int) (any, error) {
	b := builder{scanner: scanner{text: text, room: maxDepth}, shared: string(text)}
	value, ok := b.build()
	if !ok || b.next() != 0 || b.pos < len(text) {
		return nil, b.err()
	}
	return value, nil
}

// builder is a scanner that keeps what it reads.
type builder struct {
	scanner
	shared string // the text as a string
}

func (b *builder) build() (value any, ok bool) {
	switch c := b.next(); c {
	case '{':
		return b.buildObject()
	case '[':
		return b.buildArray()
	case '"':
		return b.buildString()
	case 't':
		return true, b.literal("true")
	case 'f':
		return false, b.literal("false")
	case 'n':
		return nil, b.literal("null")
	default:
		if c != '-' && !isDigit(c) {
			return nil, b.fail("looking for a value")
		}
		start := b.pos
		ok := b.number()
		return json.Number(b.shared[start:b.pos]), ok
	}
}

func (b *builder) buildObject() (value any, ok bool) {
	object := map[string]any{}
	if !b.open() {
		return nil, false
	}
	if b.next() == '}' {
		return object, b.closed()
	}
	for {
		if b.next() != '"' {
			return nil, b.fail("looking for a key in quotes")
		}
		key, ok := b.buildString()
		if !ok {
			return nil, false
		}
		if b.next() != ':' {
			return nil, b.fail("looking for a colon after a key")
		}
		b.pos++
		if object[key], ok = b.build(); !ok {
			return nil, false
		}
		switch b.next() {
		case ',':
			b.pos++
		case '}':
			return object, b.closed()
		default:
			return nil, b.fail("looking for a comma or } after a member")
		}
	}
}

func (b *builder) buildArray() (value any, ok bool) {
	array := []any{}
	if !b.open() {
		return nil, false
	}
	if b.next() == ']' {
		return array, b.closed()
	}
	for {
		element, ok := b.build()
		if !ok {
			return nil, false
		}
		array = append(array, element)
		switch b.next() {
		case ',':
			b.pos++
		case ']':
			return array, b.closed()
		default:
			return nil, b.fail("looking for a comma or ] after an element")
		}
	}
}

func (b *builder) buildString() (value string, ok bool) {
	start := b.pos
	if !b.string() {
		return "", false
	}
	value = b.shared[start+1 : b.pos-1]
	if strings.IndexByte(value, '\\') < 0 && utf8.ValidString(value) {
		return value, true
	}
	return unquote(value), true
}

// unquote reads the inside of a JSON string whose escapes were checked, as encoding/json
// does: a surrogate without its other half and bytes that are not UTF-8 become U+FFFD.
func unquote(text string) string {
	read := make([]byte, 0, len(text))
	for len(text) > 0 {
		switch c := text[0]; {
		case c == '\\' && text[1] == 'u':
			var r rune
			r, text = unquoteRune(text)
			read = utf8.AppendRune(read, r)
		case c == '\\':
			read = append(read, unescape(text[1]))
			text = text[2:]
		case c < utf8.RuneSelf:
			read = append(read, c)
			text = text[1:]
		default:
			r, size := utf8.DecodeRuneInString(text)
			read = utf8.AppendRune(read, r)
			text = text[size:]
		}
	}
	return string(read)
}

// unescape is the byte that a letter after a backslash stands for.
func unescape(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	default:
		return c // A quote, a backslash or a slash.
	}
}

// unquoteRune reads a \u escape, or two that are the halves of one rune, off the text.
func unquoteRune(text string) (r rune, rest string) {
	const size = len(`\u0000`)
	first, rest := hexRune(text), text[size:]
	if !utf16.IsSurrogate(first) {
		return first, rest
	}
	if len(rest) >= size && rest[0] == '\\' && rest[1] == 'u' {
		if r = utf16.DecodeRune(first, hexRune(rest)); r != utf8.RuneError {
			return r, rest[size:]
		}
	}
	return utf8.RuneError, rest
}

// hexRune is the value of the four digits of a \u escape.
func hexRune(escape string) rune {
	value, _ := strconv.ParseUint(escape[2:6], 16, 16) // They were checked.
	return rune(value)
}
