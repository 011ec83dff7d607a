// Package casing turns names into keys as spectral does.
package casing

import (
	"strings"
	"unicode"
)

// Flow turns the name of a flow into the key of its functions: runs of ASCII letters and
// digits are words, the first in lower case, the others capitalised.
func Flow(name string) string {
	words := strings.FieldsFunc(name, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
	return join(words)
}

// Camel turns the key of a config variable into the key of its connection or data source,
// as lodash's camelCase does: Latin letters lose their accents, apostrophes vanish, words
// end where the case, digits or other characters change.
func Camel(text string) string {
	var plain strings.Builder
	for _, r := range text {
		switch {
		case r == '\'' || r == '\u2019' || unicode.Is(combining, r):
		case unplain[r] != "":
			plain.WriteString(unplain[r])
		default:
			plain.WriteRune(r)
		}
	}
	return join(words([]rune(plain.String())))
}

// join writes the first word in lower case and capitalises the others.
func join(words []string) string {
	var key strings.Builder
	for i, word := range words {
		word = strings.ToLower(word)
		if i > 0 {
			first := []rune(word)
			word = strings.ToUpper(string(first[:1])) + string(first[1:])
		}
		key.WriteString(word)
	}
	return key.String()
}

// class sorts a character by what it does to a word.
type class int

const (
	breaks class = iota // Between words.
	digit
	lower
	upper
	other      // Letters without case; they go along with either.
	pictograph // A word of its own.
	selector   // How a pictograph looks.
)

func classOf(r rune) class {
	switch {
	case '0' <= r && r <= '9':
		return digit
	case 'a' <= r && r <= 'z', 'ß' <= r && r <= 'ÿ' && r != '÷':
		return lower
	case 'A' <= r && r <= 'Z', 'À' <= r && r <= 'Þ' && r != '×':
		return upper
	case r < 0x80, 0x80 <= r && r < 0xC0, r == '×', r == '÷', 0x2000 <= r && r <= 0x206F, unicode.IsSpace(r), r == '\uFEFF':
		return breaks
	case r > 0xFFFF, 0x2700 <= r && r <= 0x27BF:
		return pictograph
	case r == '\uFE0E', r == '\uFE0F':
		return selector
	}
	return other
}

// words splits as lodash's words does.
func words(text []rune) []string {
	var found []string
	for start := 0; start < len(text); {
		end := wordEnd(text, start)
		if end == start {
			start++
			continue
		}
		found = append(found, string(text[start:end]))
		start = end
	}
	return found
}

// wordEnd returns where the word that starts at start ends; start itself when none does.
func wordEnd(text []rune, start int) int {
	first := classOf(text[start])
	switch first {
	case breaks:
		return start
	case digit:
		end := run(text, start, digit)
		return end + ordinal(text[end-1], text[end:])
	case pictograph:
		return run(text, start+1, selector)
	case lower, upper, other, selector:
	}
	// Capitalised or small letters, as long as they reach a break or a capital: Order, order.
	from := start
	if first == upper {
		from++
	}
	if end := run(text, from, lower); end > from && (atEnd(text, end) || classOf(text[end]) == upper) {
		return end
	}
	// Capitals, as many as leave the next word its own: XML in XMLHttp, ABC.
	capitals := run(text, start, upper, other)
	for end := capitals; end > start; end-- {
		if atEnd(text, end) || end+1 < len(text) && classOf(text[end]) == upper && is(text[end+1], lower, other) {
			return end
		}
	}
	// Letters before digits: a in a1, PDF in PDF2.
	if end := run(text, from, lower, other); end > from {
		return end
	}
	return run(text, start, upper)
}

// ordinal returns how much of the text behind a number belongs to it: 1st, 2ND, 14th.
func ordinal(last rune, behind []rune) int {
	suffix := map[rune]string{'1': "st", '2': "nd", '3': "rd"}[last]
	if suffix == "" {
		suffix = "th"
	}
	if len(behind) < len(suffix) {
		return 0
	}
	ends := func(own, others class) bool {
		if len(behind) == len(suffix) {
			return true
		}
		next := behind[len(suffix)]
		return next > unicode.MaxASCII || next == '_' || is(next, breaks, others) && !is(next, own, digit)
	}
	switch got := string(behind[:len(suffix)]); {
	case got == suffix && ends(lower, upper), got == strings.ToUpper(suffix) && ends(upper, lower):
		return len(suffix)
	}
	return 0
}

func run(text []rune, from int, classes ...class) int {
	for from < len(text) && is(text[from], classes...) {
		from++
	}
	return from
}

func is(r rune, classes ...class) bool {
	for _, class := range classes {
		if classOf(r) == class {
			return true
		}
	}
	return false
}

func atEnd(text []rune, at int) bool { return at >= len(text) || classOf(text[at]) == breaks }
