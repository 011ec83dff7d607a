package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// echoed is what the checks read of the payload that the synchronous endpoint answers.
type echoed struct {
	InvokeURL   string
	WebhookURLs map[string]string
	Body        struct{ Data json.RawMessage }
}

// ownURLs requires that every URL that the flow sees is on the configured base.
func ownURLs(m *maker) func(answer) error {
	return func(a answer) error {
		var payload echoed
		if err := json.Unmarshal([]byte(a.body), &payload); err != nil {
			return fmt.Errorf("%w: %.300s", err, a.body)
		}
		if len(payload.WebhookURLs) == 0 {
			return errors.New("the flow sees no URLs")
		}
		payload.WebhookURLs["invoke"] = payload.InvokeURL
		for name, url := range payload.WebhookURLs {
			if !strings.HasPrefix(url, "http://"+m.address+"/trigger/") {
				return fmt.Errorf("the URL of %s is %s", name, url)
			}
		}
		return nil
	}
}

// bodyIs requires that the flow saw the JSON, digit for digit.
func bodyIs(text string) func(answer) error {
	return func(a answer) error {
		var payload echoed
		if err := json.Unmarshal([]byte(a.body), &payload); err != nil {
			return fmt.Errorf("%w: %.300s", err, a.body)
		}
		if got := string(payload.Body.Data); got != text {
			return fmt.Errorf("the flow saw %.300s", got)
		}
		return nil
	}
}

func bodyContains(text string) func(answer) error {
	return func(a answer) error {
		if !strings.Contains(a.body, text) {
			return fmt.Errorf("%q is not in %.500s", text, a.body)
		}
		return nil
	}
}

// unauthorized requires the one answer of all refused keys, to the letter.
func unauthorized(a answer) error {
	if a.body != `{"error":"A valid API key is required."}` || a.header.Get("Prismatic-Executionid") != "" {
		return fmt.Errorf("the refusal tells something: %s %v", a.body, a.header)
	}
	return nil
}

func hasAllow(a answer) error {
	if a.header.Get("Allow") == "" {
		return errors.New("405 without Allow")
	}
	return nil
}
