package sluice

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"strings"
	"sync"
)

// maxParts is how many parts a multipart body may have: what ReadForm of mime/multipart
// allows.
const maxParts = 1_000

// parseMultipart parses multipart/form-data in memory.
func parseMultipart(contentType string, raw []byte) (map[string]any, error) {
	named := map[string]any{}
	err := eachPart(contentType, raw, func(name string, part *multipart.Part) error {
		value, err := parsePart(part)
		if err == nil {
			addNamed(named, name, value)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return named, nil
}

// checkMultipart reports what parseMultipart would, and keeps nothing: the values of a few
// megabytes of JSON take many times as much.
func checkMultipart(contentType string, raw []byte) error {
	return eachPart(contentType, raw, func(_ string, part *multipart.Part) error {
		if bodyKindOf(part.Header.Get("Content-Type")) != kindJSON {
			_, err := io.Copy(io.Discard, part)
			return err
		}
		text := partTexts.Get().(*bytes.Buffer) //nolint:errcheck // The pool holds nothing else.
		defer partTexts.Put(text)
		text.Reset()
		if _, err := text.ReadFrom(part); err != nil {
			return err
		}
		return checkJSON(text.Bytes())
	})
}

// partTexts are buffers to check parts in, which would otherwise leave as much garbage as the
// bodies are large.
var partTexts = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// eachPart reads a multipart body. Parts without a name are left out, as mime/multipart
// leaves them out. The headers of a part are bounded by mime/multipart.
func eachPart(contentType string, raw []byte, read func(name string, part *multipart.Part) error) error {
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return fmt.Errorf("content type %q: %w", contentType, err)
	}
	boundary := params["boundary"]
	if boundary == "" {
		return fmt.Errorf("content type %q has no boundary", contentType)
	}
	reader := multipart.NewReader(io.MultiReader(bytes.NewReader(raw), strings.NewReader("\r\n"), cutShort{}), boundary)
	for count := 1; ; count++ {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if count > maxParts {
			return fmt.Errorf("more than %d parts", maxParts)
		}
		name := toUTF8(part.FormName())
		if name == "" {
			continue
		}
		if err := read(name, part); err != nil {
			return fmt.Errorf("part %q: %w", name, err)
		}
	}
}

// cutShort follows the last line. A multipart.Reader does not read beyond the final boundary,
// and without it would take some bodies that are cut short for complete ones.
type cutShort struct{}

func (cutShort) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// parsePart reads a part's data as its content type says: text where it has none (RFC 7578,
// section 4.4). A form or a multipart body inside a part stays text or bytes.
func parsePart(part *multipart.Part) (map[string]any, error) {
	contentType := part.Header.Get("Content-Type")
	if contentType == "" {
		contentType = "text/plain"
	}
	raw, err := io.ReadAll(part)
	if err != nil {
		return nil, err
	}
	kind := bodyKindOf(contentType)
	switch kind {
	case kindJSON:
		if err := checkJSON(raw); err != nil {
			return nil, err
		}
	case kindForm:
		kind = kindText
	case kindMultipart:
		kind = kindBytes
	default: // text and bytes are what they are
	}
	data, err := parseData(kind, contentType, raw)
	if err != nil {
		return nil, err
	}
	value := map[string]any{"data": data, "contentType": toUTF8(contentType)}
	if filename := part.FileName(); filename != "" {
		value["filename"] = toUTF8(baseName(filename))
	}
	return value, nil
}

// baseName cuts the folders of a path off, also where the sender's separator is not ours.
func baseName(path string) string {
	return path[strings.LastIndexAny(path, `/\`)+1:]
}
