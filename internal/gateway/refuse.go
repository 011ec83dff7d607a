package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"unicode/utf8"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/internal/engine"
)

// refusal is an answer that is no success.
type refusal struct {
	status  int
	message string
	// executionID stands in the body, if there is one.
	executionID string
	allow       string
	retryAfter  int
	// closes ends the connection: what is left of the body is not read.
	closes bool
}

func (r *refusal) Error() string { return r.message }

var errNotFound = &refusal{status: http.StatusNotFound, message: "Not found."}

func badRequest(message string) *refusal {
	return &refusal{status: http.StatusBadRequest, message: message}
}

func tooLarge(limit int64) *refusal {
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

// refuse answers a request that a stage refused.
func (g *Gateway) refuse(c *call, cause error) {
	answer := asRefusal(cause)
	id := g.recordRefusal(c, answer, cause)
	if id != "" {
		c.setExecutionID(id)
	}
	if errors.Is(cause, engine.ErrDeadline) {
		answer.executionID = id
	}
	c.refuse(answer)
}

// recordRefusal returns the id of the execution that the refusal belongs to. What the sender
// or the trigger is to blame for leaves a failed one; a body that cannot be parsed is not
// kept. There is none where we could not serve, where user code rejected the request, which
// is no failure, and where the caller has gone.
func (g *Gateway) recordRefusal(c *call, answer *refusal, cause error) (executionID string) {
	switch {
	case isA[*engine.ExecutionError](cause) || errors.Is(cause, engine.ErrDeadline):
		return c.fired.ExecutionID()
	case answer.status == http.StatusServiceUnavailable || isA[*refusal](cause) ||
		isA[*sluice.RejectError](cause) && !isA[*engine.InputError](cause) || c.request.Context().Err() != nil:
		return ""
	case c.fired == nil && isA[*sluice.BodyError](cause):
		var err error
		if c.fired, err = g.engine.Malformed(c.target, c.payload); err != nil {
			return ""
		}
	case c.fired == nil:
		return ""
	}
	g.engine.Refuse(c.fired, cause)
	return c.fired.ExecutionID()
}

func isA[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// cannotServe is all that a caller learns of a fault of ours.
const cannotServe = "The endpoint cannot be served at the moment."

// asRefusal is the answer to an error of any stage. Only what the caller or user code is to
// blame for is put into words; anything else is our fault, and in the log.
func asRefusal(err error) *refusal {
	var known *refusal
	var failed *engine.ExecutionError
	var triggered *engine.TriggerError
	var misfit *engine.InputError
	var unrouted *engine.RouteError
	var unreadable *sluice.BodyError
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &failed):
		return userRefusal(failed.Err)
	case errors.Is(err, engine.ErrOverdue):
		return &refusal{status: http.StatusGatewayTimeout, message: "Taking the request in took too long. Nothing was accepted."}
	case errors.As(err, &misfit):
		return userRefusal(misfit.Err)
	case isA[*sluice.SignatureError](err): // The record has the reason, a forger learns none.
		return &refusal{status: http.StatusUnauthorized, message: "The request is not signed as this endpoint requires."}
	case errors.As(err, &triggered):
		return userRefusal(triggered.Err)
	case errors.As(err, &unrouted) && (unrouted.UnknownFlow || unrouted.UnknownCustomer):
		return &refusal{status: http.StatusNotFound, message: unrouted.Error()}
	case errors.As(err, &unrouted):
		return badRequest(unrouted.Error())
	case errors.Is(err, sluice.ErrMalformedJSON):
		return badRequest("Received malformed JSON payload.")
	case errors.As(err, &unreadable):
		return badRequest(unreadable.Error())
	case errors.Is(err, engine.ErrDeadline):
		return &refusal{status: http.StatusGatewayTimeout, message: "The execution is taking longer than a caller can wait. It goes on."}
	case errors.Is(err, engine.ErrQueueFull):
		return unavailable("Too many executions are waiting. Nothing was accepted.")
	case errors.Is(err, engine.ErrNotAccepted), errors.Is(err, engine.ErrStopped):
		return unavailable("The service cannot take requests at the moment. Nothing was accepted.")
	default:
		return unavailable(cannotServe)
	}
}

// userRefusal is the answer to an error of user code: its message to the letter, unless it
// rejected or panicked (seed 001).
func userRefusal(err error) *refusal {
	var rejected *sluice.RejectError
	switch {
	case errors.As(err, &rejected):
		return &refusal{status: rejected.StatusCode, message: rejected.Message}
	case isA[*sluice.PanicError](err):
		return &refusal{status: http.StatusInternalServerError, message: "The flow panicked."}
	default:
		return badRequest(err.Error())
	}
}

// refuse writes the refusal.
func (c *call) refuse(answer *refusal) {
	header := c.Header()
	c.leaveBody()
	if answer.allow != "" {
		header.Set("Allow", answer.allow)
	}
	if answer.closes {
		header.Set("Connection", "close")
	}
	if answer.retryAfter > 0 {
		header.Set("Retry-After", strconv.Itoa(answer.retryAfter))
	}
	c.write(answer.status, jsonType, encodeJSON(struct {
		Error       string `json:"error"`
		ExecutionID string `json:"executionId,omitempty"`
	}{shortened(answer.message), answer.executionID}))
}

// maxMessage bounds an error's message in an answer, in bytes. The record has all of it.
const maxMessage = 4096

// shortened cuts a message that is too long, between two characters.
func shortened(message string) string {
	if len(message) <= maxMessage {
		return message
	}
	end := maxMessage
	for end > maxMessage-utf8.UTFMax && !utf8.RuneStart(message[end]) {
		end--
	}
	return message[:end] + "…"
}
