package sluice

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/sluice-go/sluice/internal/jsonscan"
)

// maxJSONDepth is how many arrays and objects a JSON body may have inside each other. The
// number is ours; encoding/json stops at 10,000.
const maxJSONDepth = 1_000

// ErrMalformedJSON is what errors.Is finds in the BodyError of JSON that is malformed or
// nested more than 1,000 levels deep.
var ErrMalformedJSON = errors.New("malformed JSON")

// BodyError reports a body that cannot be read as its content type says or as the type that
// Decode was given. It is the sender's fault.
type BodyError struct {
	ContentType string
	Err         error
}

func (e *BodyError) Error() string { return "sluice: body: " + e.Err.Error() }

// Unwrap returns what was wrong.
func (e *BodyError) Unwrap() error { return e.Err }

// ParseBody makes the body of a request from its Content-Type header, empty where there was
// none, and its bytes, which it keeps. What it returns can be read: JSON is checked in one
// scan that builds nothing, forms and multipart bodies are read through in memory, never in
// files, with at most 1,000 parts. The error is a *BodyError. An empty body is fine with every
// content type, and Data says what each content type becomes. A byte order mark before JSON
// is ignored.
func ParseBody(contentType string, raw []byte) (Body, error) {
	b := StoredBody(contentType, raw)
	if b.state == nil {
		return b, nil
	}
	if err := b.check(); err != nil {
		return Body{}, &BodyError{ContentType: contentType, Err: err}
	}
	return b, nil
}

// check reports why the body cannot be read. It keeps nothing of what it reads.
func (b Body) check() error {
	switch raw := b.state.raw; b.state.kind {
	case kindJSON:
		return checkJSON(raw)
	case kindForm:
		return checkForm(raw)
	case kindMultipart:
		if len(raw) == 0 {
			return nil
		}
		return checkMultipart(b.state.contentType, raw)
	default: // text and bytes are what they are
		return nil
	}
}

// bodyKind is how the bytes of a content type are read.
type bodyKind uint8

const (
	kindBytes bodyKind = iota
	kindJSON
	kindForm
	kindMultipart
	kindText
)

func bodyKindOf(contentType string) bodyKind {
	if contentType == "application/json" { // nearly always
		return kindJSON
	}
	mediaType, _, _ := strings.Cut(contentType, ";")
	mediaType = strings.ToLower(strings.TrimSpace(mediaType))
	switch mediaType {
	case "application/json", "text/json":
		return kindJSON
	case "application/x-www-form-urlencoded":
		return kindForm
	case "multipart/form-data":
		return kindMultipart
	case "application/xml", "application/csv":
		return kindText
	}
	switch {
	case strings.HasSuffix(mediaType, "+json"):
		return kindJSON
	case strings.HasPrefix(mediaType, "text/"), strings.HasSuffix(mediaType, "+xml"):
		return kindText
	default:
		return kindBytes
	}
}

// parseData builds the generic value of a body.
func parseData(kind bodyKind, contentType string, raw []byte) (any, error) {
	switch {
	case len(raw) == 0:
		return nil, nil
	case kind == kindJSON:
		return parseJSON(raw)
	case kind == kindForm:
		return parseForm(string(raw))
	case kind == kindMultipart:
		return parseMultipart(contentType, raw)
	case kind == kindText && utf8.Valid(raw):
		return string(raw), nil
	default:
		return raw, nil
	}
}

func parseJSON(raw []byte) (any, error) {
	text := jsonText(raw)
	if len(text) == 0 {
		return nil, nil
	}
	return jsonscan.Build(text, maxJSONDepth)
}
