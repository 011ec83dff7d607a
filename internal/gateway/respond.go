package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/internal/engine"
)

// The headers that the gateway reads and writes, in the canonical form of net/http.
const (
	synchronousHeader = "Prismatic-Synchronous"
	executionHeader   = "Prismatic-Executionid"
)

var contentTypeJSON = []string{"application/json"}

// isSynchronous tells whether the caller waits: the header rules, else the flow.
func isSynchronous(r *http.Request, target engine.Target) bool {
	switch value := r.Header.Get(synchronousHeader); {
	case isTrue(value):
		return true
	case strings.EqualFold(strings.TrimSpace(value), "false"):
		return false
	default:
		return target.Flow.IsSynchronous
	}
}

// refusal is an answer that is no success.
type refusal struct {
	status  int
	message string
	// executionID stands in the body, if there is one.
	executionID string
	allow       string
	retryAfter  int
}

func (r *refusal) Error() string { return r.message }

var notFound = &refusal{status: http.StatusNotFound, message: "Not found."}

func badRequest(message string) error {
	return &refusal{status: http.StatusBadRequest, message: message}
}

func tooLarge(limit int64) error {
	return &refusal{
		status:  http.StatusRequestEntityTooLarge,
		message: fmt.Sprintf("The request's body is larger than the limit of %d bytes.", limit),
	}
}

// unavailableRetry is the Retry-After of a 503, in seconds.
const unavailableRetry = 5

func unavailable(message string) *refusal {
	return &refusal{status: http.StatusServiceUnavailable, message: message, retryAfter: unavailableRetry}
}

// asRefusal is the answer to an error of any stage.
func asRefusal(err error, executionID string) *refusal {
	var known *refusal
	var rejected *sluice.RejectError
	var panicked *sluice.PanicError
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &rejected):
		return &refusal{status: rejected.StatusCode, message: rejected.Message}
	case errors.As(err, &panicked):
		return &refusal{status: http.StatusInternalServerError, message: "The flow panicked."}
	case errors.Is(err, sluice.ErrMalformedJSON):
		return &refusal{status: http.StatusBadRequest, message: "Received malformed JSON payload."}
	case errors.Is(err, engine.ErrDeadline):
		return &refusal{
			status: http.StatusGatewayTimeout, message: "The execution is taking longer than a caller can wait. It goes on.",
			executionID: executionID,
		}
	case errors.Is(err, engine.ErrNotAccepted), errors.Is(err, engine.ErrStopped):
		return unavailable("The service cannot take requests at the moment. Nothing was accepted.")
	default:
		return &refusal{status: http.StatusBadRequest, message: err.Error()}
	}
}

// refuse writes the answer to an error.
func refuse(w http.ResponseWriter, err error) {
	answer := asRefusal(err, "")
	header := w.Header()
	if answer.allow != "" {
		header.Set("Allow", answer.allow)
	}
	if answer.retryAfter > 0 {
		header.Set("Retry-After", strconv.Itoa(answer.retryAfter))
	}
	body := struct {
		Error       string `json:"error"`
		ExecutionID string `json:"executionId,omitempty"`
	}{answer.message, answer.executionID}
	writeJSON(w, answer.status, body)
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(value) //nolint:errchkjson // Strings and booleans only.
	w.Header()["Content-Type"] = contentTypeJSON
	write(w, status, bytes.TrimSuffix(buffer.Bytes(), []byte("\n")))
}

func write(w http.ResponseWriter, status int, body []byte) {
	w.WriteHeader(status)
	_, _ = w.Write(body) // A caller who has gone needs no answer.
}

// refuseMalformed answers a request whose body cannot be parsed. It leaves a failed record
// without the body.
func (g *Gateway) refuseMalformed(w http.ResponseWriter, c *call, payload *sluice.TriggerPayload, cause error) {
	var malformed *sluice.BodyError
	if !errors.As(cause, &malformed) {
		refuse(w, cause)
		return
	}
	fired, err := g.engine.Malformed(c.target, payload)
	if err != nil {
		refuse(w, err)
		return
	}
	g.refuseFired(w, fired, cause)
}

// refuseFired answers a request that its trigger, its flow or the store refused. What the
// caller or the trigger is to blame for leaves a failed record.
func (g *Gateway) refuseFired(w http.ResponseWriter, fired *engine.Fired, cause error) {
	if fired == nil {
		refuse(w, cause)
		return
	}
	answer := asRefusal(cause, fired.ExecutionID())
	var executed *engine.ExecutionError
	if answer.status != http.StatusServiceUnavailable && answer.status != http.StatusGatewayTimeout && !errors.As(cause, &executed) {
		g.engine.Refuse(fired, cause)
	}
	if answer.status != http.StatusServiceUnavailable {
		setExecutionID(w, fired.ExecutionID())
	}
	refuse(w, answer)
}

func setExecutionID(w http.ResponseWriter, id string) {
	w.Header()[executionHeader] = []string{id}
}

// respondAccepted tells an asynchronous caller the execution's id.
func respondAccepted(w http.ResponseWriter, accepted engine.Accepted) {
	setExecutionID(w, accepted.ExecutionID)
	writeJSON(w, http.StatusOK, struct {
		ExecutionID string `json:"executionId"`
		Duplicate   bool   `json:"duplicate,omitempty"`
	}{accepted.ExecutionID, accepted.Duplicate})
}

// respondCustom sends the trigger's own response; without a body it is the execution's id.
func respondCustom(w http.ResponseWriter, fired *engine.Fired, response *sluice.HTTPResponse) {
	body := []byte(response.Body)
	if len(body) == 0 {
		body = []byte(`{"executionId":"` + fired.ExecutionID() + `"}`)
	}
	respondReply(w, fired, &engine.Reply{
		StatusCode: response.StatusCode, ContentType: response.ContentType, Headers: response.Headers, Body: body,
	})
}

// respondReply sends a flow's result or a trigger's response.
func respondReply(w http.ResponseWriter, fired *engine.Fired, reply *engine.Reply) {
	header := w.Header()
	for name, value := range reply.Headers {
		header.Set(name, value)
	}
	switch {
	case reply.ContentType == "" || reply.ContentType == contentTypeJSON[0]:
		header["Content-Type"] = contentTypeJSON
	default:
		header.Set("Content-Type", reply.ContentType)
	}
	setExecutionID(w, fired.ExecutionID())
	status := reply.StatusCode
	if status == 0 {
		status = http.StatusOK
	}
	write(w, status, reply.Body)
}
