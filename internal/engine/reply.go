package engine

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/sluice-go/sluice"
)

// Reply is a flow's result as a synchronous caller receives it.
type Reply struct {
	StatusCode  int
	ContentType string
	Headers     map[string]string
	Body        []byte
	// encoded says that the body was encoded as JSON here.
	encoded bool
}

const jsonType = "application/json"

// newReply turns a flow's result into its reply: nil data is the JSON null, text and bytes
// are sent as they are under a content type of their own, all else is JSON.
func newReply(result *sluice.Result) (*Reply, error) {
	if result == nil {
		result = &sluice.Result{}
	}
	reply := &Reply{StatusCode: result.StatusCode, ContentType: result.ContentType, Headers: result.Headers}
	if reply.StatusCode == 0 {
		reply.StatusCode = 200
	}
	if reply.StatusCode < 200 || reply.StatusCode > 599 {
		return nil, fmt.Errorf("the result's status code is %d: it must be 200 to 599", reply.StatusCode)
	}
	data, raw := result.Data, false
	switch d := data.(type) {
	case []byte:
		reply.Body, raw = d, true
		if reply.ContentType == "" {
			reply.ContentType = "application/octet-stream"
		}
	case string:
		if raw = reply.ContentType != "" && !isJSON(reply.ContentType); raw {
			reply.Body = []byte(d)
		}
	}
	if reply.ContentType == "" {
		reply.ContentType = jsonType
	}
	if raw {
		return reply, nil
	}
	body, err := encodeJSON(data)
	if err != nil {
		return nil, fmt.Errorf("the result's data cannot be encoded as JSON: %w", err)
	}
	reply.Body, reply.encoded = body, true
	return reply, nil
}

// encodeJSON encodes a value as one line of JSON, without escapes for HTML.
func encodeJSON(value any) ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n")), nil
}

func isJSON(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	media = strings.ToLower(strings.TrimSpace(media))
	return media == jsonType || strings.HasSuffix(media, "+json")
}

// encode is the reply's form on record, a JSON object with the members statusCode,
// contentType, headers, data and binary: data is the body as it is if it is JSON, else a
// string, or base64 if it is binary.
func (r *Reply) encode() []byte {
	data, binary := r.Body, false
	switch {
	case r.encoded || isJSON(r.ContentType) && json.Valid(r.Body):
	case utf8.Valid(r.Body):
		data = quote(string(r.Body))
	default:
		data, binary = quote(base64.StdEncoding.EncodeToString(r.Body)), true
	}
	record := make([]byte, 0, len(data)+128)
	record = append(record, `{"statusCode":`...)
	record = strconv.AppendInt(record, int64(r.StatusCode), 10)
	record = append(record, `,"contentType":`...)
	record = append(record, quote(r.ContentType)...)
	if len(r.Headers) > 0 {
		headers, _ := encodeJSON(r.Headers) //nolint:errchkjson // Strings always have a JSON form.
		record = append(append(record, `,"headers":`...), headers...)
	}
	if binary {
		record = append(record, `,"binary":true`...)
	}
	record = append(append(record, `,"data":`...), data...)
	return append(record, '}')
}

// quote is the text as a JSON string.
func quote(text string) []byte {
	data, _ := encodeJSON(text) //nolint:errchkjson // A string always has a JSON form.
	return data
}
