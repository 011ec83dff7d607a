package manifest

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The writer knows the one style that manifests need: block mappings and sequences with
// plain or double-quoted scalars. The YAML library, which reads manifests, would take
// fifteen times as long to write one.

// maxKey is how long a key may be that stands on the line of its value (YAML 1.2, 8.2.2).
const maxKey = 1000

// encode writes the document.
func (n *node) encode() ([]byte, error) {
	if err := n.check(); err != nil {
		return nil, err
	}
	var buffer bytes.Buffer
	n.write(&buffer, 0)
	return buffer.Bytes(), nil
}

// check refuses texts that no document can hold.
func (n *node) check() error {
	if !utf8.ValidString(n.scalar) {
		return fmt.Errorf("manifest: %q is no valid UTF-8", n.scalar)
	}
	for _, child := range n.children {
		if len(child.key) > maxKey || !utf8.ValidString(child.key) {
			return fmt.Errorf("manifest: %.40q is too long for a name, or no valid UTF-8", child.key)
		}
		if err := child.value.check(); err != nil {
			return err
		}
	}
	return nil
}

// write writes a mapping or a sequence whose first line is already indented.
func (n *node) write(buffer *bytes.Buffer, indent int) {
	for i, child := range n.children {
		if i > 0 {
			buffer.WriteString(strings.Repeat(" ", indent))
		}
		if n.kind == sequenceNode {
			buffer.WriteByte('-')
		} else {
			buffer.WriteString(child.key)
			buffer.WriteByte(':')
		}
		switch value := child.value; {
		case value.kind == scalarNode:
			buffer.WriteByte(' ')
			buffer.WriteString(value.scalar)
			buffer.WriteByte('\n')
		case len(value.children) == 0 && value.kind == mappingNode:
			buffer.WriteString(" {}\n")
		case len(value.children) == 0:
			buffer.WriteString(" []\n")
		case n.kind == sequenceNode:
			buffer.WriteByte(' ')
			value.write(buffer, indent+2)
		default:
			buffer.WriteByte('\n')
			buffer.WriteString(strings.Repeat(" ", indent+2))
			value.write(buffer, indent+2)
		}
	}
}

// quote writes a text. What any reader, of YAML 1.1 or 1.2, might take for something else
// than a text stands in quotes.
func quote(value string) string {
	if isPlain(value) {
		return value
	}
	var quoted strings.Builder
	quoted.Grow(len(value) + 2)
	quoted.WriteByte('"')
	for i, r := range value {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(value[i:], "\uFFFD"):
			return value // Check refuses it.
		case r == '"' || r == '\\':
			quoted.WriteByte('\\')
			quoted.WriteRune(r)
		case r == '\n':
			quoted.WriteString(`\n`)
		case unicode.IsPrint(r):
			quoted.WriteRune(r)
		case r <= 0xff:
			fmt.Fprintf(&quoted, `\x%02x`, r)
		case r <= 0xffff:
			fmt.Fprintf(&quoted, `\u%04x`, r)
		default:
			fmt.Fprintf(&quoted, `\U%08x`, r)
		}
	}
	quoted.WriteByte('"')
	return quoted.String()
}

// isPlain tells whether a text is safe without quotes: words of ASCII letters and digits
// that begin with a letter and mean nothing else in YAML.
func isPlain(value string) bool {
	if value == "" || !isLetter(value[0]) || value[len(value)-1] == ' ' {
		return false
	}
	for i := range len(value) {
		c := value[i]
		if !isLetter(c) && (c < '0' || c > '9') && c != ' ' && c != '_' && c != '-' && c != '.' && c != '/' {
			return false
		}
	}
	return !isReserved(value)
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

// isReserved tells whether a word is no text in YAML 1.1 or 1.2.
func isReserved(word string) bool {
	if len(word) > len("infinity") {
		return false
	}
	switch strings.ToLower(word) {
	case "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "infinity":
		return true
	}
	return false
}
