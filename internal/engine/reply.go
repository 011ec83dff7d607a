package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/sluice-go/sluice"
)

// Reply is a flow's result as a synchronous caller receives it.
type Reply struct {
	StatusCode int
	// OwnStatus says that the flow gave the status code.
	OwnStatus   bool
	ContentType string
	Headers     map[string]string
	Body        []byte
}

const jsonType = "application/json"

// maxReplyBytes bounds a result (seed 001, "API gateway size and time limitations").
const maxReplyBytes = 500_000_000

// newReply turns a flow's result into its reply: nil data is the JSON null, text and bytes
// are sent as they are under a content type of their own, all else is JSON.
func newReply(result *sluice.Result) (*Reply, error) {
	if result == nil {
		result = &sluice.Result{}
	}
	reply := &Reply{StatusCode: result.StatusCode, OwnStatus: result.StatusCode != 0}
	if !reply.OwnStatus {
		reply.StatusCode = 200
	}
	if !isFinalStatus(reply.StatusCode) {
		return nil, fmt.Errorf("the result's status code is %d: it must be 200 to 599", reply.StatusCode)
	}
	var err error
	if reply.ContentType, reply.Headers, err = answerHeaders(result.ContentType, result.Headers); err != nil {
		return nil, fmt.Errorf("the result: %w", err)
	}
	if err := reply.setBody(result.Data); err != nil {
		return nil, fmt.Errorf("the result's data cannot be encoded as JSON: %w", err)
	}
	if len(reply.Body) > maxReplyBytes {
		return nil, fmt.Errorf("the result has %d bytes: at most %d can be answered", len(reply.Body), maxReplyBytes)
	}
	return reply, nil
}

// isFinalStatus tells whether a status code can stand in an answer.
func isFinalStatus(code int) bool { return code >= 200 && code <= 599 }

// setBody encodes the data, and sets the content type that goes with it if there is none.
func (r *Reply) setBody(data any) (err error) {
	raw := false
	switch d := data.(type) {
	case []byte:
		r.Body, raw = d, true
		if r.ContentType == "" {
			r.ContentType = "application/octet-stream"
		}
	case string:
		if raw = r.ContentType != "" && !isJSON(r.ContentType); raw {
			r.Body = []byte(d)
		}
	}
	if r.ContentType == "" {
		r.ContentType = jsonType
	}
	if !raw {
		r.Body, err = encodeJSON(data)
	}
	return err
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

// replyRecord is a reply on record.
type replyRecord struct {
	StatusCode  int               `json:"statusCode"`
	ContentType string            `json:"contentType"`
	Headers     map[string]string `json:"headers,omitempty"`
	// Data is the body: as it is if it is JSON, else a string, or base64 if Binary.
	Data   json.RawMessage `json:"data"`
	Binary bool            `json:"binary,omitempty"`
}

// encode is the reply's form on record: a replyRecord as JSON.
func (r *Reply) encode() []byte {
	result := replyRecord{StatusCode: r.StatusCode, ContentType: r.ContentType, Headers: r.Headers}
	switch {
	case isJSON(r.ContentType) && json.Valid(r.Body):
		result.Data = r.Body
	case utf8.Valid(r.Body):
		result.Data, _ = json.Marshal(string(r.Body)) //nolint:errchkjson // A string always has a JSON form.
	default:
		result.Data, _ = json.Marshal(r.Body) //nolint:errchkjson // Bytes always have a JSON form.
		result.Binary = true
	}
	encoded, err := json.Marshal(&result)
	if err != nil { // Not reachable: every member has a JSON form.
		return nil
	}
	return encoded
}
