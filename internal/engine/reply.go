package engine

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/internal/encode"
	"github.com/sluice-go/sluice/internal/headers"
)

// Reply is a flow's result as a synchronous caller receives it.
type Reply struct {
	StatusCode int
	// OwnStatus says that the flow gave the status code.
	OwnStatus   bool
	ContentType string
	Headers     map[string]string
	Body        []byte
	// ignored is the error of the flow that was ignored, in place of a result.
	ignored string
	// encoded says that the body was encoded as JSON here.
	encoded bool
}

const jsonType = "application/json"

// maxReplyBytes bounds a result: a tenth of what the platform allows (seed 001, "API gateway
// size and time limitations"), which serves results from a store of files, not from memory.
const maxReplyBytes = 50_000_000

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
		return nil, fmt.Errorf("the result has %d bytes: at most %d can be answered: hand out a URL of what is larger", len(reply.Body), maxReplyBytes)
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
		r.Body, err = encode.JSON(data)
		r.encoded = true
	}
	return err
}

// answerHeaders checks the headers of an answer, and takes the content type out of them. A
// content type that is given beside them counts.
func answerHeaders(contentType string, given map[string]string) (string, map[string]string, error) {
	if !headers.IsValue(contentType) {
		return "", nil, fmt.Errorf("the content type %q holds a line break or another control character", contentType)
	}
	if faults := headers.Faults(given); len(faults) > 0 {
		return "", nil, faults[0]
	}
	for name, value := range given {
		if !strings.EqualFold(name, "content-type") {
			continue
		}
		if contentType == "" {
			contentType = value
		}
		given = maps.Clone(given)
		delete(given, name)
		break
	}
	return contentType, given, nil
}

func isJSON(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	media = strings.ToLower(strings.TrimSpace(media))
	return media == jsonType || strings.HasSuffix(media, "+json")
}

// encode is the reply's form on record, a JSON object with the members statusCode,
// contentType, ownStatus, headers, data, text and binary: data is the body as it is if it is
// JSON, else a string if it is text, or base64 if it is binary.
func (r *Reply) encode() []byte {
	data, form := r.Body, ""
	switch {
	case r.encoded || isJSON(r.ContentType) && json.Valid(r.Body):
	case utf8.Valid(r.Body):
		data, form = quote(string(r.Body)), `,"text":true`
	default:
		data, form = quote(base64.StdEncoding.EncodeToString(r.Body)), `,"binary":true`
	}
	record := make([]byte, 0, len(data)+128)
	record = append(record, `{"statusCode":`...)
	record = strconv.AppendInt(record, int64(r.StatusCode), 10)
	record = append(record, `,"contentType":`...)
	record = append(record, quote(r.ContentType)...)
	if r.OwnStatus {
		record = append(record, `,"ownStatus":true`...)
	}
	if len(r.Headers) > 0 {
		headers, _ := encode.JSON(r.Headers) //nolint:errchkjson // Strings always have a JSON form.
		record = append(append(record, `,"headers":`...), headers...)
	}
	record = append(append(append(record, form...), `,"data":`...), data...)
	return append(record, '}')
}

// quote is the text as a JSON string.
func quote(text string) []byte {
	data, _ := encode.JSON(text) //nolint:errchkjson // A string always has a JSON form.
	return data
}
