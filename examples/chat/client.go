package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/sluice-go/sluice"
)

// webhook is a registered webhook.
type webhook struct {
	ID  string `json:"id,omitempty"`
	URL string `json:"url"`
}

// post is a message to be. Of several with the same key the chat takes the first.
type post struct {
	Channel string `json:"channel"`
	Text    string `json:"text"`
	Key     string `json:"key"`
}

// maxReason bounds what is told of the chat's reason for an error, in bytes.
const maxReason = 200

// call calls the API of the customer's workspace.
func call(ctx context.Context, run *sluice.Run, method, path string, in, out any) error {
	connection := workspace.Get(run)
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, connection.Field("url")+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+connection.Field("token"))
	request.Header.Set("Content-Type", "application/json")
	response, err := run.HTTPClient().Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusBadRequest {
		why, _ := io.ReadAll(io.LimitReader(response.Body, maxReason))
		return fmt.Errorf("%s %s: the chat answered %s: %s", method, path, response.Status, bytes.TrimSpace(why))
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(response.Body).Decode(out)
}
