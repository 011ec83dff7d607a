package main

import (
	"context"
	"encoding/xml"
	"net/http"
	"regexp"

	"github.com/sluice-go/sluice"
)

// workspace is how the integration reaches a customer's chat, and knows its webhooks.
var workspace = sluice.ConnectionVar{
	Key: "Workspace", StableKey: "workspace",
	Connection: sluice.BasicConnection{Inputs: []sluice.ConnectionInput{
		{Key: "url", Label: "URL of the API", Type: sluice.InputTypeString, Required: true},
		{Key: "token", Label: "Bot token", Type: sluice.InputTypePassword, Required: true},
		{Key: "signingSecret", Label: "Signing secret", Type: sluice.InputTypePassword, Required: true},
	}},
}

// channel is where the bot helps.
var channel = sluice.StringVar{Key: "Channel", StableKey: "channel", Default: "support"}

// helpDesk is the whole integration.
var helpDesk = &sluice.Integration{
	Name:        "Help desk",
	Description: "Answers questions in a chat.",
	Flows:       []sluice.Flow{question.Flow},
	ConfigPages: []sluice.ConfigPage{
		{Name: "Chat", Tagline: "Which workspace is it?", Elements: []sluice.ConfigElement{workspace}},
		{Name: "Channel", Tagline: "Where do people ask?", Elements: []sluice.ConfigElement{channel}},
	},
}

// question answers what somebody asked. The chat signs its webhooks as Slack does, each with
// the secret of the customer's workspace.
var question = sluice.Define(sluice.Flow{
	Name:      "Question",
	StableKey: "question",
	Trigger: sluice.HMACTrigger{
		Signature:  sluice.Slack(),
		SecretVars: []sluice.SecretVar{{ConfigVar: workspace.Key, Field: "signingSecret"}},
		OnTrigger:  hear,
	},
	RetryConfig:              &sluice.RetryConfig{MaxAttempts: 5, DelayMinutes: 1, UsesExponentialBackoff: true},
	OnInstanceDeploy:         join,
	OnInstanceDelete:         leave,
	WebhookLifecycleHandlers: &sluice.WebhookLifecycleHandlers{Create: register, Delete: unregister},
}, answer)

// event is what the chat tells its webhooks.
type event struct {
	ID        string  `xml:"id,attr"`
	Type      string  `xml:"type,attr"`
	Challenge string  `xml:"challenge"`
	Message   Message `xml:"message"`
}

// Message is what somebody says in a channel.
type Message struct {
	Channel string `json:"channel" xml:"channel"`
	User    string `json:"user" xml:"user"`
	Text    string `json:"text" xml:"text"`
	// Bot says that a program wrote it.
	Bot bool `json:"bot" xml:"bot,attr"`
}

// hear reads an event whose signature was found to fit. The chat's challenge is answered
// here, and so is what the bot has nothing to do with: neither starts an execution. The flow
// gets the message in place of the XML.
func hear(_ context.Context, run *sluice.Run, payload *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
	var heard event
	if err := xml.Unmarshal(payload.RawBody.Data, &heard); err != nil {
		return nil, sluice.Reject(http.StatusBadRequest, "This is no event: "+err.Error())
	}
	switch {
	case heard.Type == "challenge":
		body, err := xml.Marshal(event{Type: "response", Challenge: heard.Challenge})
		return &sluice.TriggerResult{
			Response: &sluice.HTTPResponse{ContentType: "application/xml", Body: string(body)}, Stop: true,
		}, err
	case heard.Message.Channel != channel.Get(run), heard.Message.Bot:
		return &sluice.TriggerResult{Response: &sluice.HTTPResponse{StatusCode: http.StatusNoContent}, Stop: true}, nil
	}
	payload.Body = sluice.NewBody(heard.Message)
	return &sluice.TriggerResult{DedupeID: heard.ID}, nil
}

// answer posts the answer. An attempt that comes after the step does not post it again, and
// the chat takes what has the same key only once, should the process die in between.
func answer(ctx context.Context, run *sluice.Run, question Message) (Message, error) {
	return sluice.Step(ctx, "post answer", func(ctx context.Context) (Message, error) {
		reply := post{Channel: question.Channel, Text: "@" + question.User + " " + answerTo(question.Text), Key: run.ExecutionID}
		var posted Message
		return posted, call(ctx, run, http.MethodPost, "/messages", reply, &posted)
	})
}

var orderID = regexp.MustCompile(`\bA-\d+\b`)

// answerTo is all that the bot knows.
func answerTo(text string) string {
	if order := orderID.FindString(text); order != "" {
		return "Order " + order + " is on its way."
	}
	return "A colleague will be with you in a minute."
}
