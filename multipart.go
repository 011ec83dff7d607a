package sluice

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"strings"
)

// maxParts is how many parts a multipart body may have: what ReadForm of mime/multipart
// allows.
const maxParts = 1_000

// parseMultipart parses multipart/form-data in memory. Parts without a name are left out, as
// mime/multipart leaves them out. The headers of a part are bounded by mime/multipart.
func parseMultipart(contentType string, raw []byte) (map[string]any, error) {
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return nil, fmt.Errorf("content type %q: %w", contentType, err)
	}
	boundary := params["boundary"]
	if boundary == "" {
		return nil, fmt.Errorf("content type %q has no boundary", contentType)
	}
	reader := multipart.NewReader(io.MultiReader(bytes.NewReader(raw), strings.NewReader("\r\n"), cutShort{}), boundary)
	named := map[string]any{}
	for count := 1; ; count++ {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			return named, nil
		}
		if err != nil {
			return nil, err
		}
		if count > maxParts {
			return nil, fmt.Errorf("more than %d parts", maxParts)
		}
		name := toUTF8(part.FormName())
		if name == "" {
			continue
		}
		value, err := parsePart(part)
		if err != nil {
			return nil, fmt.Errorf("part %q: %w", name, err)
		}
		addNamed(named, name, value)
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
