package gateway

import (
	"bytes"
	"encoding/json"
	"net/http"
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

// respond has the execution accepted, or executed if the caller waits, and answers.
func (g *Gateway) respond(c *call) error {
	switch {
	case c.fired.Stop:
		c.respondCustom(c.fired.Response)
		return nil
	case c.targets != nil:
		return g.acceptAll(c)
	case c.fired.Response == nil && c.isSynchronous():
		return g.execute(c)
	default:
		return g.accept(c)
	}
}

// isSynchronous tells whether the caller waits: the header rules, else the flow.
func (c *call) isSynchronous() bool {
	switch value := c.request.Header.Get(synchronousHeader); {
	case isTrue(value):
		return true
	case strings.EqualFold(strings.TrimSpace(value), "false"):
		return false
	default:
		return c.target.Flow.IsSynchronous
	}
}

// accept answers an asynchronous caller once the execution is durable.
func (g *Gateway) accept(c *call) error {
	accepted, err := g.engine.Accept(c.request.Context(), c.fired)
	if err != nil {
		return err
	}
	if c.fired.Response != nil {
		c.respondCustom(c.fired.Response)
		return nil
	}
	c.respondAccepted(accepted)
	return nil
}

// execute answers a synchronous caller with the flow's result.
func (g *Gateway) execute(c *call) error {
	finished, err := g.engine.Execute(c.request.Context(), c.fired, g.options.SyncTimeout-c.routing)
	if err != nil {
		return err
	}
	if finished.Duplicate {
		c.respondAccepted(finished.Accepted)
		return nil
	}
	c.respondReply(finished.Reply)
	return nil
}

// respondAccepted tells an asynchronous caller the execution's id.
func (c *call) respondAccepted(accepted engine.Accepted) {
	c.setExecutionID(accepted.ExecutionID)
	c.writeJSON(http.StatusOK, struct {
		ExecutionID string `json:"executionId"`
		Duplicate   bool   `json:"duplicate,omitempty"`
	}{accepted.ExecutionID, accepted.Duplicate})
}

// respondCustom sends the trigger's own response; without a body it is the execution's id.
func (c *call) respondCustom(response *sluice.HTTPResponse) {
	body := []byte(response.Body)
	if len(body) == 0 && !c.fired.Stop {
		body = []byte(`{"executionId":"` + c.fired.ExecutionID() + `"}`)
	}
	c.respondReply(&engine.Reply{
		StatusCode: response.StatusCode, ContentType: response.ContentType, Headers: response.Headers, Body: body,
	})
}

// respondReply sends a flow's result or a trigger's response.
func (c *call) respondReply(reply *engine.Reply) {
	header := c.Header()
	for name, value := range reply.Headers {
		header.Set(name, value)
	}
	if reply.ContentType == "" || reply.ContentType == contentTypeJSON[0] {
		header["Content-Type"] = contentTypeJSON
	} else {
		header.Set("Content-Type", reply.ContentType)
	}
	c.setExecutionID(c.fired.ExecutionID())
	status := reply.StatusCode
	if status == 0 {
		status = http.StatusOK
	}
	c.write(status, reply.Body)
}

func (c *call) setExecutionID(id string) {
	c.Header()[executionHeader] = []string{id}
}

func (c *call) writeJSON(status int, value any) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(value) //nolint:errchkjson // Strings and booleans only.
	c.Header()["Content-Type"] = contentTypeJSON
	c.write(status, bytes.TrimSuffix(buffer.Bytes(), []byte("\n")))
}

func (c *call) write(status int, body []byte) {
	c.WriteHeader(status)
	_, _ = c.Write(body) // A caller who has gone needs no answer.
}
