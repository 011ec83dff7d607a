package sluicetest

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// Response is the answer to a request, with its body read.
type Response struct {
	*http.Response
	// Text is the body.
	Text string

	h *Harness
}

// executionHeader is on every answer that belongs to an execution.
const executionHeader = "Prismatic-Executionid"

// ExecutionID is the id of the execution that the answer belongs to, empty if to none.
func (r *Response) ExecutionID() string { return r.Header.Get(executionHeader) }

// Execution is what is on record by now of the execution that the answer belongs to.
func (r *Response) Execution() *Execution {
	r.h.t.Helper()
	if r.ExecutionID() == "" {
		r.h.t.Fatalf("the answer belongs to no execution:\n%s", r)
	}
	return r.h.Execution(r.ExecutionID())
}

// RequireStatus ends the test unless the answer has the status code.
func (r *Response) RequireStatus(code int) *Response {
	r.h.t.Helper()
	if r.StatusCode != code {
		r.h.t.Fatalf("the answer is not %d:\n%s", code, r)
	}
	return r
}

// RequireJSON ends the test unless the body is the JSON of want. A string is a JSON string: for a
// text of JSON use [encoding/json.RawMessage].
func (r *Response) RequireJSON(want any) *Response {
	r.h.t.Helper()
	if difference := differentJSON(want, []byte(r.Text)); difference != "" {
		r.h.t.Fatalf("the answer %s:\n%s", difference, r)
	}
	return r
}

// Decode reads a JSON body into what v points to.
func (r *Response) Decode(v any) {
	r.h.t.Helper()
	if err := json.Unmarshal([]byte(r.Text), v); err != nil {
		r.h.t.Fatalf("the answer cannot be read into %T: %v:\n%s", v, err, r)
	}
}

// String shows the answer, and the timeline of the execution that it belongs to.
func (r *Response) String() string {
	text := fmt.Sprintf("%s %s answered %s\n%s", r.Request.Method, r.Request.URL.Path, r.Status, indent(r.Text))
	if id := r.ExecutionID(); id != "" {
		text += "\n" + r.h.timelineOf(id)
	}
	return text
}
