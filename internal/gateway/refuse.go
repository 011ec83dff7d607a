package gateway

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"

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

// refuse answers a request that a stage refused. What the sender, the trigger or the flow
// is to blame for leaves a failed record; a body that cannot be parsed is not kept.
func (g *Gateway) refuse(c *call, cause error) {
	var executed *engine.ExecutionError
	var malformed *sluice.BodyError
	answer := asRefusal(cause)
	if answer == unauthorized {
		c.refuse(answer)
		return
	}
	switch {
	case answer.status == http.StatusServiceUnavailable || errors.As(cause, &executed):
	case errors.Is(cause, engine.ErrDeadline):
		answer.executionID = c.fired.ExecutionID()
	case c.fired != nil:
		g.engine.Refuse(c.fired, cause)
	case errors.As(cause, &malformed):
		fired, err := g.engine.Malformed(c.target, c.payload)
		if err != nil {
			break
		}
		c.fired = fired
		g.engine.Refuse(fired, cause)
	}
	if c.fired != nil && answer.status != http.StatusServiceUnavailable {
		c.setExecutionID(c.fired.ExecutionID())
	}
	c.refuse(answer)
}

// asRefusal is the answer to an error of any stage.
func asRefusal(err error) *refusal {
	var known *refusal
	var rejected *sluice.RejectError
	var panicked *sluice.PanicError
	var unrouted *engine.RouteError
	var unsigned *sluice.SignatureError
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &rejected):
		return &refusal{status: rejected.StatusCode, message: rejected.Message}
	case errors.As(err, &unsigned): // The record has the reason, a forger learns none.
		return &refusal{status: http.StatusUnauthorized, message: "The request is not signed as this endpoint requires."}
	case errors.As(err, &panicked):
		return &refusal{status: http.StatusInternalServerError, message: "The flow panicked."}
	case errors.Is(err, sluice.ErrMalformedJSON):
		return badRequest("Received malformed JSON payload.")
	case errors.Is(err, engine.ErrDeadline):
		return &refusal{status: http.StatusGatewayTimeout, message: "The execution is taking longer than a caller can wait. It goes on."}
	case errors.Is(err, engine.ErrRouteDeadline):
		return &refusal{status: http.StatusGatewayTimeout, message: "Routing the request took too long. Nothing was accepted."}
	case errors.As(err, &unrouted) && (unrouted.UnknownFlow || unrouted.UnknownCustomer):
		return &refusal{status: http.StatusNotFound, message: unrouted.Error()}
	case errors.Is(err, engine.ErrQueueFull):
		return unavailable("Too many executions are waiting. Nothing was accepted.")
	case errors.Is(err, engine.ErrNotAccepted), errors.Is(err, engine.ErrStopped):
		return unavailable("The service cannot take requests at the moment. Nothing was accepted.")
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
	c.writeJSON(answer.status, struct {
		Error       string `json:"error"`
		ExecutionID string `json:"executionId,omitempty"`
	}{answer.message, answer.executionID})
}
