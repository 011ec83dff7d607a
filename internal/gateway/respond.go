package gateway

import (
	"net/http"
	"strconv"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/internal/encode"
	"github.com/sluice-go/sluice/internal/engine"
)

// The headers that the gateway reads and writes, in the canonical form of net/http.
const (
	synchronousHeader = "Prismatic-Synchronous"
	executionHeader   = "Prismatic-Executionid"
)

const jsonType = "application/json"

var contentTypeJSON = []string{jsonType}

// respond has the execution accepted, or executed if the caller waits, and answers.
func (g *Gateway) respond(c *call) error {
	switch {
	case c.fired.Stop:
		c.respondCustom(c.fired.Response, nil)
		return nil
	case c.targets != nil:
		return g.acceptAll(c)
	case c.fired.Response != nil:
		return g.accept(c, c.fired.Response)
	case c.isSynchronous():
		return g.execute(c)
	default:
		return g.accept(c, c.fired.Acknowledgement)
	}
}

// isSynchronous tells whether the caller waits: the header rules, else the flow.
func (c *call) isSynchronous() bool {
	switch value := c.request.Header.Get(synchronousHeader); {
	case isTrue(value):
		return true
	case isFalse(value):
		return false
	default:
		return c.target.Flow.IsSynchronous
	}
}

// accept answers a caller who does not wait once the execution is durable: with the
// response, or with the execution's id if that is nil.
func (g *Gateway) accept(c *call, response *sluice.HTTPResponse) error {
	accepted, err := g.engine.Accept(c.request.Context(), c.fired)
	if err != nil {
		return err
	}
	c.setExecutionID(accepted.ExecutionID)
	if response == nil {
		c.respondAccepted(accepted)
	} else {
		c.respondCustom(response, acceptedBody(accepted))
	}
	return nil
}

// execute answers a synchronous caller with the flow's result.
func (g *Gateway) execute(c *call) error {
	finished, err := g.engine.Execute(c.request.Context(), c.fired, g.options.SyncTimeout-c.routing)
	if err != nil {
		return err
	}
	if finished.Duplicate {
		c.setExecutionID(finished.ExecutionID)
		c.respondAccepted(finished.Accepted)
		return nil
	}
	return g.respondResult(c, finished.ExecutionID, finished.Reply)
}

// respondAccepted tells a caller the execution's id.
func (c *call) respondAccepted(accepted engine.Accepted) {
	c.write(http.StatusOK, jsonType, acceptedBody(accepted))
}

// acceptedBody is what a caller gets where no other body is given.
func acceptedBody(accepted engine.Accepted) []byte {
	return encodeJSON(struct {
		ExecutionID string `json:"executionId"`
		Duplicate   bool   `json:"duplicate,omitempty"`
	}{accepted.ExecutionID, accepted.Duplicate})
}

// respondCustom sends a trigger's own response; the JSON stands in for an empty body.
func (c *call) respondCustom(response *sluice.HTTPResponse, instead []byte) {
	contentType, body := response.ContentType, []byte(response.Body)
	if len(body) == 0 && instead != nil {
		contentType, body = jsonType, instead
	}
	c.setHeaders(response.Headers)
	c.write(response.StatusCode, contentType, body)
}

// respondReply sends a flow's result.
func (c *call) respondReply(reply *engine.Reply) {
	c.setHeaders(reply.Headers)
	c.write(reply.StatusCode, reply.ContentType, reply.Body)
}

func (c *call) setExecutionID(id string) {
	c.Header()[executionHeader] = []string{id}
}

// setHeaders sets the headers of user code, which the engine has checked.
func (c *call) setHeaders(headers map[string]string) {
	for name, value := range headers {
		c.Header().Set(name, value)
	}
}

// encodeJSON encodes a struct of strings and booleans.
func encodeJSON(value any) []byte {
	data, _ := encode.JSON(value) // Strings and booleans only.
	return data
}

// write sends the answer, without a body where the status has none (RFC 9110, section 6.4.1).
func (c *call) write(status int, contentType string, body []byte) {
	header := c.Header()
	switch contentType {
	case "":
	case jsonType:
		header["Content-Type"] = contentTypeJSON
	default:
		header.Set("Content-Type", contentType)
	}
	if status == http.StatusNoContent || status == http.StatusResetContent || status == http.StatusNotModified {
		c.WriteHeader(status)
		return
	}
	header["Content-Length"] = []string{strconv.Itoa(len(body))}
	c.WriteHeader(status)
	_, _ = c.Write(body) // A caller who has gone needs no answer.
}
