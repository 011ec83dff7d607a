package sluice

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"sync"

	"github.com/sluice-go/sluice/internal/encode"
)

// Decode reads the body into what v points to, straight from the bytes where they are JSON.
//
//   - JSON is read as json.Unmarshal reads it, but a number becomes a json.Number, not a
//     float64, wherever the type says any. Mind that encoding/json matches the keys of an
//     object to the fields of a struct in any case, and merges what the same key says twice;
//     Data and Lookup do neither.
//   - A form or multipart body is read as the JSON of its Data: the value of a key is a string
//     and fits a string field, bytes are base64 and fit a []byte field.
//   - Text fits a string, a []byte and an encoding.TextUnmarshaler; bytes fit a []byte.
//   - What v points to may also have the type of Data, and then shares it.
//
// An empty body leaves v as it is, like JSON's null. A body that does not fit is a *BodyError
// that names the Go type and, for JSON, the field and the byte.
func (b Body) Decode(v any) error {
	pointer := reflect.ValueOf(v)
	if pointer.Kind() != reflect.Pointer || pointer.IsNil() {
		return fmt.Errorf("sluice: body: %w", &json.InvalidUnmarshalError{Type: reflect.TypeOf(v)})
	}
	raw, err := b.Bytes()
	if err != nil || b.IsEmpty() {
		return err
	}
	if b.state.kind == kindJSON {
		err = decodeJSON(jsonText(raw), v)
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			err = fmt.Errorf("%w (at byte %d)", err, wrong.Offset)
		}
	} else {
		data, unreadable := b.value()
		if unreadable != nil {
			return unreadable
		}
		err = b.decodeData(raw, data, pointer)
	}
	if err != nil {
		return &BodyError{ContentType: b.ContentType(), Err: err}
	}
	return nil
}

// decodeData decodes what is not JSON, from its bytes and its generic value.
func (b Body) decodeData(raw []byte, data any, pointer reflect.Value) error {
	target := pointer.Elem()
	if value := reflect.ValueOf(data); value.Type().AssignableTo(target.Type()) {
		target.Set(value)
		return nil
	}
	isText := b.state.kind == kindText
	isBytes := target.Kind() == reflect.Slice && target.Type().Elem().Kind() == reflect.Uint8
	unmarshaler, takesText := reflect.TypeAssert[encoding.TextUnmarshaler](pointer)
	switch {
	case b.state.kind == kindForm, b.state.kind == kindMultipart:
		text, err := encode.JSON(data)
		if err != nil {
			return err
		}
		return decodeJSON(text, pointer.Interface())
	case isText && takesText:
		return unmarshaler.UnmarshalText(raw)
	case isText && target.Kind() == reflect.String:
		target.SetString(string(raw))
		return nil
	case isBytes:
		target.SetBytes(bytes.Clone(raw))
		return nil
	default:
		return fmt.Errorf("content type %q does not decode into a Go value of type %s", b.ContentType(), target.Type())
	}
}

// decodeJSON is json.Unmarshal with exact numbers wherever v holds an any. Only a Decoder can
// do that, and it copies the text; most types hold none.
func decodeJSON(text []byte, v any) error {
	if !holdsAny(reflect.TypeOf(v)) {
		return json.Unmarshal(text, v)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	return decoder.Decode(v)
}

// holdsAnyOf remembers what holdsAny found, by reflect.Type. Its size is bounded by the types
// of the program.
var holdsAnyOf sync.Map

// holdsAny reports whether an interface can be reached in values of the type.
func holdsAny(t reflect.Type) bool {
	if known, ok := holdsAnyOf.Load(t); ok {
		return known == true
	}
	found := reachesInterface(t, map[reflect.Type]bool{})
	holdsAnyOf.Store(t, found)
	return found
}

func reachesInterface(t reflect.Type, seen map[reflect.Type]bool) bool {
	if seen[t] {
		return false
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Interface:
		return true
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return reachesInterface(t.Elem(), seen)
	case reflect.Struct:
		for field := range t.Fields() {
			if reachesInterface(field.Type, seen) {
				return true
			}
		}
		return false
	default:
		return false
	}
}
