package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// Apply returns what the change, which passes Check, makes of the value that its key has;
// nil is a missing key. It returns ErrStateConflict or ErrStateType, and leaves value as it
// is.
//
// Values are compared by what they mean: spaces, the order of members and the spelling of
// numbers do not count. Sums are exact, of integers and of decimal fractions.
func (c StateChange) Apply(value []byte) ([]byte, error) {
	result, err := c.apply(value)
	if err != nil {
		return nil, fmt.Errorf("%s %q: %w", c.Op, c.Key, err)
	}
	return result, nil
}

func (c StateChange) apply(value []byte) ([]byte, error) {
	switch c.Op {
	case StateSet:
		return c.Value, nil
	case StateIncrement:
		return increment(value, c.Value)
	case StateAppend:
		return appendList(value, c.Value)
	case StateRemove:
		return removeFromList(value, c.Value)
	case StateExpect:
		if equal, err := sameJSON(value, c.Value); err != nil || equal {
			return value, err
		}
		return nil, ErrStateConflict
	case StateDelete, StateClear:
		return nil, nil
	default:
		return nil, fmt.Errorf("there is no such operation: %w", ErrStateType)
	}
}

func increment(value, by []byte) ([]byte, error) {
	if value == nil {
		value = []byte("0")
	}
	sum, err := parseNumber(value)
	if err != nil {
		return nil, err
	}
	summand, err := parseNumber(by)
	if err != nil {
		return nil, err
	}
	digits, _ := sum.Add(sum, summand).FloatPrec() // Decimals have finitely many.
	return []byte(sum.FloatString(digits)), nil
}

// Numbers are added up to these bounds, which hold every float64 and more: beyond, a few
// bytes of text would be megabytes of digits.
const (
	maxNumberBytes = 1024
	maxExponent    = 400
)

func parseNumber(text []byte) (*big.Rat, error) {
	text = bytes.TrimSpace(text)
	if len(text) > maxNumberBytes || !isNumber(text) || !json.Valid(text) {
		return nil, fmt.Errorf("no number of at most %d characters: %w", maxNumberBytes, ErrStateType)
	}
	if _, exponent, found := bytes.Cut(bytes.ToLower(text), []byte("e")); found {
		if n, err := strconv.Atoi(string(exponent)); err != nil || n < -maxExponent || n > maxExponent {
			return nil, fmt.Errorf("the exponent of a number is not between ±%d: %w", maxExponent, ErrStateType)
		}
	}
	number, ok := new(big.Rat).SetString(string(text))
	if !ok {
		return nil, fmt.Errorf("%s is no number: %w", text, ErrStateType)
	}
	return number, nil
}

// isNumber and isList look at a value's first character, which tells its type.
func isNumber(value []byte) bool {
	return len(value) > 0 && (value[0] == '-' || '0' <= value[0] && value[0] <= '9')
}

func isList(value []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(value), []byte("[")) }

// elements returns what stands between the brackets of a list.
func elements(list []byte) []byte {
	list = bytes.TrimSpace(list)
	return bytes.TrimSpace(list[1 : len(list)-1])
}

func appendList(list, more []byte) ([]byte, error) {
	if list == nil {
		return more, nil
	}
	if !isList(list) {
		return nil, fmt.Errorf("its value is no list: %w", ErrStateType)
	}
	first, second := elements(list), elements(more)
	comma := ""
	if len(first) > 0 && len(second) > 0 {
		comma = ","
	}
	return slices.Concat([]byte("["), first, []byte(comma), second, []byte("]")), nil
}

func removeFromList(list, remove []byte) ([]byte, error) {
	if list == nil {
		return nil, nil
	}
	if !isList(list) {
		return nil, fmt.Errorf("its value is no list: %w", ErrStateType)
	}
	var has, gone []json.RawMessage
	if err := json.Unmarshal(list, &has); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(remove, &gone); err != nil {
		return nil, err
	}
	unwanted := make(map[string]bool, len(gone))
	for _, element := range gone {
		canonical, err := canonicalJSON(element)
		if err != nil {
			return nil, err
		}
		unwanted[canonical] = true
	}
	var kept [][]byte
	for _, element := range has {
		canonical, err := canonicalJSON(element)
		if err != nil {
			return nil, err
		}
		if !unwanted[canonical] {
			kept = append(kept, element)
		}
	}
	return slices.Concat([]byte("["), bytes.Join(kept, []byte(",")), []byte("]")), nil
}

// sameJSON tells whether two values mean the same; none, which is nil, means null.
func sameJSON(a, b []byte) (bool, error) {
	first, err := canonicalJSON(a)
	if err != nil {
		return false, err
	}
	second, err := canonicalJSON(b)
	return first == second, err
}

// canonicalJSON is the same for values that mean the same.
func canonicalJSON(value []byte) (string, error) {
	if value == nil {
		return "null", nil
	}
	decoder := json.NewDecoder(bytes.NewReader(value))
	decoder.UseNumber()
	var decoded any
	if err := decoder.Decode(&decoded); err != nil {
		return "", err
	}
	canonical, err := json.Marshal(canonicalNumbers(decoded))
	return string(canonical), err
}

func canonicalNumbers(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for name, member := range v {
			v[name] = canonicalNumbers(member)
		}
	case []any:
		for i, element := range v {
			v[i] = canonicalNumbers(element)
		}
	case json.Number:
		return canonicalNumber(v.String())
	}
	return value
}

// canonicalNumber writes a number as an integer without zeros at its ends, and an exponent.
// It does not write the zeros that a great exponent stands for.
func canonicalNumber(text string) json.Number {
	mantissa, exponentText, _ := strings.Cut(strings.ToLower(text), "e")
	exponent, err := int64(0), error(nil)
	if exponentText != "" {
		exponent, err = strconv.ParseInt(exponentText, 10, 32)
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	digits := strings.TrimLeft(whole+fraction, "0")
	trimmed := strings.TrimRight(digits, "0")
	switch {
	case trimmed == "":
		return "0"
	case err != nil: // No computer has such a number; it equals itself.
		return json.Number(strings.ToLower(text))
	default:
		exponent += int64(len(digits) - len(trimmed) - len(fraction))
		return json.Number(sign + trimmed + "e" + strconv.FormatInt(exponent, 10))
	}
}
