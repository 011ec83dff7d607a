package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/internal/transcript"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// api is where the fake chat is in tests.
const api = "http://chat.test/api"

// run calls test with the integration and a fake chat, in memory and on a virtual clock.
func run(t *testing.T, test func(t *testing.T, h *sluicetest.Harness, chat *provider)) {
	t.Helper()
	chat := newProvider(nil)
	options := runtime.Options{
		Integrations: []*sluice.Integration{helpDesk},
		Transport:    sluicetest.Hosts{"chat.test": chat.handler()},
	}
	sluicetest.RunOptions(t, sluicetest.Options{Runtime: options}, func(t *testing.T, h *sluicetest.Harness) {
		chat.client = h.Client()
		test(t, h, chat)
	})
}

// ask has Ann say something in the channel support.
func ask(t *testing.T, chat *provider, text string) {
	t.Helper()
	require.Len(t, chat.say(t.Context(), Message{Channel: "support", User: "ann", Text: text}), 1, "one webhook heard it")
}

// TestQuestion asks: the bot answers in its channel only, and does not answer itself.
func TestQuestion(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, h *sluicetest.Harness, chat *provider) {
		h.Deploy(runtime.Deployment{Config: configuration(chat, api)})
		ask(t, chat, "Where is A-17?")
		ask(t, chat, "Hello!")
		require.Empty(t, chat.say(t.Context(), Message{Channel: "random", User: "bob", Text: "Lunch?"}))
		h.Drain()
		require.ElementsMatch(t, []string{
			"ann: Where is A-17?", "help desk: @ann Order A-17 is on its way.",
			"ann: Hello!", "help desk: @ann A colleague will be with you in a minute.",
		}, chat.talk("support"))
		require.Len(t, questions(h), 2, "one for each question, none for the challenge")
	})
}

// TestChatIsDown: an answer that cannot be posted is tried again, and stands there once.
func TestChatIsDown(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, h *sluicetest.Harness, chat *provider) {
		h.Deploy(runtime.Deployment{Config: configuration(chat, api)})
		chat.setDown(true)
		ask(t, chat, "Where is A-17?")
		h.Advance(2 * time.Minute)
		require.Len(t, chat.talk("support"), 1)
		chat.setDown(false)
		h.Drain()
		require.Equal(t, []string{"ann: Where is A-17?", "help desk: @ann Order A-17 is on its way."}, chat.talk("support"))
		questions(h)[0].RequireAttempts(3) // After 0, 1 and 3 minutes.
	})
}

// TestRepeatedEvent: chats send an event again when they have not heard the answer.
func TestRepeatedEvent(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, h *sluicetest.Harness, chat *provider) {
		h.Deploy(runtime.Deployment{Config: configuration(chat, api)})
		said := event{ID: "event-7", Type: "message", Message: Message{Channel: "support", User: "ann", Text: "Hello!"}}
		for range 2 {
			h.Advance(time.Second) // The signature is another one: it covers the time.
			require.Contains(t, chat.tellAll(t.Context(), said, true)[0], "answered 200")
		}
		h.Drain()
		require.Len(t, chat.talk("support"), 1, "the answer")
	})
}

// TestRefused: what the chat did not sign, and what is no event, never starts the flow.
func TestRefused(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, h *sluicetest.Harness, chat *provider) {
		h.Deploy(runtime.Deployment{Config: configuration(chat, api)})
		require.Contains(t, chat.tellAll(t.Context(), event{Type: "challenge"}, false)[0], "answered 401")
		broken := h.Webhook("Question").Sign(sluice.Slack(), chat.secret).Body("application/xml", []byte("<event"))
		broken.RequireStatus(http.StatusBadRequest)
		require.Contains(t, broken.Text, "This is no event: XML syntax error")
		h.Drain()
		require.Empty(t, chat.talk("support"), "the bot has no reason to speak")
	})
}

// TestLife deploys an instance, gives it another channel, pauses, resumes and deletes it.
func TestLife(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, h *sluicetest.Harness, chat *provider) {
		config := configuration(chat, api)
		instance := h.Deploy(runtime.Deployment{Config: config})
		require.Equal(t, []string{instance.WebhookURLs["Question"]}, chat.registered())
		require.Equal(t, []string{"support"}, chat.joined())

		config[channel.Key] = "sales"
		h.Deploy(runtime.Deployment{Config: config})
		require.Len(t, chat.registered(), 1, "registered once")
		require.Equal(t, []string{"sales"}, chat.joined())

		h.Pause(instance)
		require.Empty(t, chat.registered())
		h.Resume(instance)
		require.Len(t, chat.registered(), 1)
		h.Delete(instance)
		require.Empty(t, chat.registered())
		require.Empty(t, chat.joined())
	})
}

// TestWrongSecret: with the secret of another workspace the challenge is refused, and so the
// deployment fails and leaves no webhook.
func TestWrongSecret(t *testing.T) {
	t.Parallel()
	run(t, func(t *testing.T, h *sluicetest.Harness, chat *provider) {
		other := newProvider(nil)
		other.token = chat.token
		_, err := h.Runtime.Deploy(t.Context(), runtime.Deployment{Config: configuration(other, api)})
		require.ErrorContains(t, err, "the URL did not answer the challenge")
		require.Empty(t, chat.registered())
	})
}

// questions are the executions that the chat's events started, oldest first.
func questions(h *sluicetest.Harness) []*sluicetest.Execution {
	return h.Find(store.Filter{InvokeType: string(sluice.InvokeWebhook)})
}

// TestProgram does what the comment of the program tells a newcomer to type.
func TestProgram(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	out, in := io.Pipe()
	served := make(chan error, 1)
	go func() { served <- serve(ctx, "127.0.0.1:0", in) }()
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	transcript.Run(t, regexp.MustCompile(`http://[^/]+`).FindString(line))
	stop()
	require.NoError(t, <-served)
}
