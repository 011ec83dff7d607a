// Package jsonscan reads JSON text without building values: it checks a text in one pass,
// and finds one value in it. It is exactly as strict as encoding/json (RFC 8259, bytes that
// are not UTF-8 allowed inside strings), and bounds the depth.
package jsonscan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// maxFindDepth is the depth that encoding/json reads at most, so Find reads what it reads.
const maxFindDepth = 10_000

// Check reports what is wrong with text, and at which byte: it must hold one JSON value,
// white space around it allowed, with at most maxDepth arrays and objects inside each other.
func Check(text []byte, maxDepth int) error {
	s := scanner{text: text, room: maxDepth}
	if !s.value() || s.next() != 0 || s.pos < len(text) {
		return s.err()
	}
	return nil
}

// Find returns the text of the value that keys lead to, without white space around it, and
// nil when there is none. A key names an object's member, the last one where several have
// the name, or a list's element (see Index). What Find does not have to walk through to get
// there is not checked.
func Find(text []byte, keys []string) ([]byte, error) {
	s := scanner{text: text, room: maxFindDepth}
	for _, key := range keys {
		at, ok := -1, true
		switch s.next() {
		case '{':
			at, ok = s.object(&key)
		case '[':
			at, ok = s.array(Index(key))
		}
		if !ok {
			return nil, s.err()
		}
		if at < 0 {
			return nil, nil
		}
		s.pos = at
	}
	s.next()
	start := s.pos
	if !s.value() {
		return nil, s.err()
	}
	return text[start:s.pos], nil
}

// Index returns the list index that key names, written as JSON writes a whole number, and -1
// when it names none.
func Index(key string) int {
	if len(key) > 1 && key[0] == '0' {
		return -1
	}
	index, err := strconv.ParseUint(key, 10, 31)
	if err != nil {
		return -1
	}
	return int(index)
}

// scanner walks over text. Its methods read one thing at pos, leave pos behind it, and
// return false with pos at the byte in error when it is not what JSON allows there.
type scanner struct {
	text  []byte
	pos   int
	room  int    // how many more arrays and objects may be opened
	fault string // what was wrong
}

// next skips white space and returns the byte that follows, 0 at the end.
func (s *scanner) next() byte {
	for i := s.pos; i < len(s.text); i++ {
		if c := s.text[i]; c > ' ' || c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			s.pos = i
			return c
		}
	}
	s.pos = len(s.text)
	return 0
}

func (s *scanner) value() bool {
	switch c := s.next(); c {
	case '"':
		return s.string()
	case '{':
		_, ok := s.object(nil)
		return ok
	case '[':
		_, ok := s.array(-1)
		return ok
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	default:
		if c == '-' || isDigit(c) {
			return s.number()
		}
		return s.fail("looking for a value")
	}
}

// object also returns where the value of the last member named want begins, -1 for none.
func (s *scanner) object(want *string) (at int, ok bool) {
	at = -1
	if !s.open() {
		return at, false
	}
	if s.next() == '}' {
		return at, s.closed()
	}
	for {
		if s.next() != '"' {
			return at, s.fail("looking for a key in quotes")
		}
		start := s.pos
		if !s.string() {
			return at, false
		}
		wanted := want != nil && isKey(s.text[start:s.pos], *want)
		if s.next() != ':' {
			return at, s.fail("looking for a colon after a key")
		}
		s.pos++
		if wanted {
			at = s.pos
		}
		if !s.value() {
			return at, false
		}
		switch s.next() {
		case ',':
			s.pos++
		case '}':
			return at, s.closed()
		default:
			return at, s.fail("looking for a comma or } after a member")
		}
	}
}

// array also returns where the element number want begins, -1 for none.
func (s *scanner) array(want int) (at int, ok bool) {
	at = -1
	if !s.open() {
		return at, false
	}
	if s.next() == ']' {
		return at, s.closed()
	}
	for index := 0; ; index++ {
		if index == want {
			at = s.pos
		}
		if !s.value() {
			return at, false
		}
		switch s.next() {
		case ',':
			s.pos++
		case ']':
			return at, s.closed()
		default:
			return at, s.fail("looking for a comma or ] after an element")
		}
	}
}

func (s *scanner) open() bool {
	if s.room == 0 {
		s.fault = "nested too deeply"
		return false
	}
	s.room--
	s.pos++
	return true
}

func (s *scanner) closed() bool {
	s.room++
	s.pos++
	return true
}

func (s *scanner) string() bool {
	text := s.text
	for i := s.pos + 1; i < len(text); i++ {
		c := text[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		s.pos = i
		switch c {
		case '"':
			s.pos++
			return true
		case '\\':
			if !s.escape() {
				return false
			}
			i = s.pos - 1
		default:
			return s.fail("in a string: control characters must be escaped")
		}
	}
	s.pos = len(text)
	return s.fail("in a string")
}

func (s *scanner) escape() bool {
	s.pos++
	if s.pos == len(s.text) {
		return s.fail("in an escape")
	}
	switch s.text[s.pos] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.pos++
		return true
	case 'u':
		s.pos++
		for end := s.pos + 4; s.pos < end; s.pos++ {
			if s.pos == len(s.text) || !isHex(s.text[s.pos]) {
				return s.fail("in a \\u escape: it takes four hexadecimal digits")
			}
		}
		return true
	default:
		return s.fail("in an escape")
	}
}

func (s *scanner) number() bool {
	if s.text[s.pos] == '-' {
		s.pos++
	}
	if s.at('0') {
		s.pos++
	} else if !s.digits() {
		return false
	}
	if s.at('.') {
		s.pos++
		if !s.digits() {
			return false
		}
	}
	if s.at('e') || s.at('E') {
		s.pos++
		if s.at('+') || s.at('-') {
			s.pos++
		}
		return s.digits()
	}
	return true
}

func (s *scanner) digits() bool {
	start := s.pos
	for s.pos < len(s.text) && isDigit(s.text[s.pos]) {
		s.pos++
	}
	return s.pos > start || s.fail("in a number: looking for a digit")
}

func (s *scanner) literal(word string) bool {
	if rest := s.text[s.pos:]; len(rest) < len(word) || string(rest[:len(word)]) != word {
		return s.fail("looking for " + word)
	}
	s.pos += len(word)
	return true
}

func (s *scanner) at(c byte) bool {
	return s.pos < len(s.text) && s.text[s.pos] == c
}

// fail keeps the first fault.
func (s *scanner) fail(fault string) bool {
	if s.fault == "" {
		s.fault = fault
	}
	return false
}

func (s *scanner) err() error {
	switch {
	case s.pos == len(s.text):
		return fmt.Errorf("at byte %d: unexpected end, %s", s.pos, s.fault)
	case s.fault == "":
		return fmt.Errorf("at byte %d: unexpected %q after the value", s.pos, s.text[s.pos:s.pos+1])
	default:
		return fmt.Errorf("at byte %d: unexpected %q, %s", s.pos, s.text[s.pos:s.pos+1], s.fault)
	}
}

// isKey reports whether the quoted key reads as want.
func isKey(quoted []byte, want string) bool {
	key := quoted[1 : len(quoted)-1]
	if string(key) == want {
		return true
	}
	if bytes.IndexByte(key, '\\') < 0 && utf8.Valid(key) {
		return false
	}
	var read string
	return json.Unmarshal(quoted, &read) == nil && read == want
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isHex(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}
