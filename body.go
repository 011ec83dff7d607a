package sluice

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync"
	"unicode/utf8"

	"github.com/sluice-go/sluice/internal/encode"
	"github.com/sluice-go/sluice/internal/jsonscan"
)

// Body is a payload's or a result's data with its content type. It keeps the bytes and
// builds nothing until it is asked: Decode reads the bytes into a type, Data builds the
// generic value. A Body is small, is meant to be copied, and is safe for concurrent use; the
// zero Body is empty.
type Body struct {
	state *bodyState
}

// bodyState is what the copies of a Body share.
type bodyState struct {
	contentType string
	kind        bodyKind
	raw         []byte
	encode      func() ([]byte, error) // stands for raw where it is made on demand; runs once

	build   sync.Once // guards what follows
	data    any
	dataErr error
}

// RawBody is a request's body as it came over the wire, byte for byte: what signatures are
// made of. As JSON its data is base64.
type RawBody struct {
	Data        []byte `json:"data"`
	ContentType string `json:"contentType,omitempty"`
}

// NewBody makes the body that holds v:
//
//   - nil is the empty body, as the empty string and no bytes are, and a Body stays itself;
//   - a string is text (text/plain; charset=utf-8), and a []byte is binary
//     (application/octet-stream); ParseBody makes one with another content type;
//   - a json.RawMessage is JSON as it stands;
//   - anything else is JSON, as encoding/json writes it but with <, > and & unescaped.
//
// JSON is made or checked once, when it is first needed; Bytes, Err and Decode report its
// failure. So v must not be changed afterwards. Data of a body that holds a struct is the
// generic value of its JSON, the same before the body is stored and after it is read back.
func NewBody(v any) Body {
	switch v := v.(type) {
	case nil:
		return Body{}
	case Body:
		return v
	case string:
		return StoredBody("text/plain; charset=utf-8", []byte(v))
	case []byte:
		return StoredBody("application/octet-stream", v)
	case json.RawMessage:
		return lazyJSON(func() ([]byte, error) { return v, checkJSON(v) })
	default:
		return lazyJSON(func() ([]byte, error) { return encode.JSON(v) })
	}
}

// StoredBody returns the body that had this content type and these bytes, which it keeps. It
// is ParseBody without the checks, for what was checked before it was stored: ContentType and
// Bytes are all that a store needs to keep of a Body.
func StoredBody(contentType string, raw []byte) Body {
	if contentType == "" && len(raw) == 0 {
		return Body{}
	}
	return Body{&bodyState{contentType: contentType, kind: bodyKindOf(contentType), raw: raw}}
}

// ContentType returns the content type as it was given, parameters included.
func (b Body) ContentType() string {
	if b.state == nil {
		return ""
	}
	return b.state.contentType
}

// Bytes returns the encoded body: of a request the exact bytes. They are shared and must not
// be changed. The error is that of a value which NewBody was given and JSON cannot hold.
func (b Body) Bytes() ([]byte, error) {
	switch {
	case b.state == nil:
		return nil, nil
	case b.state.encode != nil:
		return b.state.encode()
	default:
		return b.state.raw, nil
	}
}

// IsEmpty reports whether the body holds nothing: no bytes, or only white space where the
// content type is JSON. JSON's null is something.
func (b Body) IsEmpty() bool {
	raw, err := b.Bytes()
	if err != nil {
		return false
	}
	return len(raw) == 0 || b.state.kind == kindJSON && len(jsonText(raw)) == 0
}

// Data returns the generic value, which is built at the first call and shared by all callers:
// it must not be changed. An empty body's is nil; otherwise the content type decides:
//
//   - JSON (application/json, text/json, any +json): map[string]any, []any, string,
//     json.Number with the digits as they came, bool, nil. Of several members of one name the
//     last counts. Bytes that are not UTF-8 read as U+FFFD.
//   - application/x-www-form-urlencoded: map[string]any, where a key that came once has a
//     string, and one that came several times a []any of strings.
//   - multipart/form-data: map[string]any from part name to a map[string]any of "data",
//     "contentType" and, where given, "filename"; a []any of such maps where several parts
//     have the name. A part's data follows these rules too: JSON is parsed, text is a string,
//     anything else is bytes; a part without a content type is text (RFC 7578).
//   - text/*, application/xml, application/csv, any +xml: a string.
//   - anything else, no content type, and text that is not UTF-8: []byte.
//
// Where there is no value because the body cannot be read, Data is nil and Err says why.
func (b Body) Data() any {
	data, _ := b.value()
	return data
}

// Err reports why the body has no Data. Like Data it builds the generic value. A body that
// came through ParseBody has no error.
func (b Body) Err() error {
	_, err := b.value()
	return err
}

func (b Body) value() (any, error) {
	s := b.state
	if s == nil {
		return nil, nil
	}
	s.build.Do(func() {
		raw, err := b.Bytes()
		if err != nil {
			s.dataErr = err
			return
		}
		if s.data, err = parseData(s.kind, s.contentType, raw); err != nil {
			s.dataErr = &BodyError{ContentType: s.contentType, Err: err}
		}
	})
	return s.data, s.dataErr
}

// MarshalJSON writes {"data": …, "contentType": "…"}, which is valid JSON whatever the bytes
// are. JSON stands in it as it is, with U+FFFD for what is not UTF-8; bytes stand as base64
// and "encoding": "base64" says so. The bytes of a multipart body's parts are base64 too.
func (b Body) MarshalJSON() ([]byte, error) {
	data, encoding, err := b.jsonData()
	if err != nil {
		return nil, err
	}
	return encode.JSON(struct {
		Data        json.RawMessage `json:"data"`
		ContentType string          `json:"contentType,omitempty"`
		Encoding    string          `json:"encoding,omitempty"`
	}{data, b.ContentType(), encoding})
}

func (b Body) jsonData() (data []byte, encoding string, err error) {
	raw, err := b.Bytes()
	if err != nil || b.IsEmpty() {
		return nil, "", err
	}
	if b.state.kind == kindJSON {
		text := jsonText(raw)
		if !utf8.Valid(text) {
			text = []byte(toUTF8(string(text)))
		}
		return text, "", nil
	}
	value, err := b.value()
	if err != nil {
		return nil, "", err
	}
	if _, isBytes := value.([]byte); isBytes {
		encoding = "base64"
	}
	data, err = encode.JSON(value)
	return data, encoding, err
}

// lazyJSON returns the JSON body whose bytes encode makes.
func lazyJSON(encode func() ([]byte, error)) Body {
	return Body{&bodyState{
		contentType: "application/json",
		kind:        kindJSON,
		encode: sync.OnceValues(func() ([]byte, error) {
			raw, err := encode()
			if err != nil {
				return nil, fmt.Errorf("sluice: body: %w", err)
			}
			return raw, nil
		}),
	}}
}

// checkJSON reports what is wrong with a JSON body; an empty one is fine.
func checkJSON(raw []byte) error {
	if len(jsonText(raw)) == 0 {
		return nil
	}
	if err := jsonscan.Check(bytes.TrimPrefix(raw, byteOrderMark), maxJSONDepth); err != nil {
		return fmt.Errorf("%w: %w", ErrMalformedJSON, err)
	}
	return nil
}

var byteOrderMark = []byte("\uFEFF")

// jsonText returns the JSON text in raw, without the byte order mark that RFC 8259, section
// 8.1, lets a reader ignore, and without white space around it.
func jsonText(raw []byte) []byte {
	return bytes.Trim(bytes.TrimPrefix(raw, byteOrderMark), " \t\r\n")
}

// toUTF8 puts U+FFFD in the place of each byte that is not UTF-8, as encoding/json does.
func toUTF8(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	return string([]rune(text))
}
