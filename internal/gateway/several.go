package gateway

import "net/http"

// fireAll lets the trigger of every flow see the request that goes to several.
func (g *Gateway) fireAll(c *call) error {
	all, err := g.engine.FireAll(c.request.Context(), c.targets, c.request.Method, c.payload)
	if len(all) > 0 {
		c.fired = all[0]
	}
	c.allFired = all
	return err
}

// acceptAll answers with the ids of all executions once all of them are durable: what goes
// to several is always asynchronous.
func (g *Gateway) acceptAll(c *call) error {
	all, err := g.engine.AcceptAll(c.request.Context(), c.allFired)
	if err != nil {
		return err
	}
	ids, duplicate := make([]string, len(all)), true
	for i, accepted := range all {
		ids[i] = accepted.ExecutionID
		duplicate = duplicate && accepted.Duplicate
	}
	c.setExecutionID(ids[0])
	body := encodeJSON(struct {
		ExecutionID  string   `json:"executionId"`
		ExecutionIDs []string `json:"executionIds"`
		Duplicate    bool     `json:"duplicate,omitempty"`
	}{ids[0], ids, duplicate})
	if response := c.fired.Response; response != nil {
		c.respondCustom(response, body)
		return nil
	}
	c.write(http.StatusOK, jsonType, body)
	return nil
}
