package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/sluice-go/sluice"
)

// provider stands for the company behind the chat. It has one workspace: channels, in which
// people and a bot talk, and webhooks, which hear every word of the channels that the bot is
// a member of.
type provider struct {
	client        *http.Client
	token, secret string

	mu       sync.Mutex
	down     bool // The bot gets no answers.
	messages []Message
	keys     map[string]Message
	hooks    map[string]string // URLs by id
	member   map[string]bool   // channels that the bot has joined
	drawn    int               // ids
}

func newProvider(client *http.Client) *provider {
	return &provider{
		client: client, token: rand.Text(), secret: rand.Text(),
		keys: map[string]Message{}, hooks: map[string]string{}, member: map[string]bool{},
	}
}

// handler serves the API of the bot below /api, and what people do in the chat beside it.
func (p *provider) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /api/webhooks", p.bot(p.addWebhook))
	mux.Handle("DELETE /api/webhooks/{id}", p.bot(p.removeWebhook))
	mux.Handle("PUT /api/channels/{channel}/members/me", p.bot(p.setMember(true)))
	mux.Handle("DELETE /api/channels/{channel}/members/me", p.bot(p.setMember(false)))
	mux.Handle("POST /api/messages", p.bot(p.addMessage))
	mux.HandleFunc("POST /channels/{channel}", func(w http.ResponseWriter, r *http.Request) {
		message := Message{Channel: r.PathValue("channel"), User: r.FormValue("user"), Text: r.FormValue("text")}
		writeLines(w, p.say(r.Context(), message))
	})
	mux.HandleFunc("GET /channels/{channel}", func(w http.ResponseWriter, r *http.Request) {
		writeLines(w, p.talk(r.PathValue("channel")))
	})
	// Somebody who has found out about the webhooks sends them an event of his own.
	mux.HandleFunc("POST /forged", func(w http.ResponseWriter, r *http.Request) {
		forged := event{ID: "forged", Type: "message", Message: Message{Channel: "support", User: "mallory", Text: "Hello!"}}
		writeLines(w, p.tellAll(r.Context(), forged, false))
	})
	return mux
}

// bot lets only the bot in.
func (p *provider) bot(handler http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+p.token {
			http.Error(w, "wrong token", http.StatusUnauthorized)
			return
		}
		if p.isDown() {
			http.Error(w, "the chat is down", http.StatusServiceUnavailable)
			return
		}
		handler(w, r)
	})
}

func (p *provider) isDown() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.down
}

func (p *provider) setDown(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
}

// addWebhook challenges the URL: only one that answers in time what it was sent, in XML,
// becomes a webhook.
func (p *provider) addWebhook(w http.ResponseWriter, r *http.Request) {
	var hook webhook
	if err := json.NewDecoder(r.Body).Decode(&hook); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	challenge := event{Type: "challenge", Challenge: rand.Text()}
	status, body, err := p.tell(r.Context(), hook.URL, challenge, true)
	var answer event
	if err != nil || status != http.StatusOK || xml.Unmarshal([]byte(body), &answer) != nil || answer.Challenge != challenge.Challenge {
		http.Error(w, "the URL did not answer the challenge", http.StatusUnprocessableEntity)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	hook.ID = p.draw("hook")
	p.hooks[hook.ID] = hook.URL
	writeJSON(w, hook)
}

func (p *provider) removeWebhook(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.hooks, r.PathValue("id"))
	w.WriteHeader(http.StatusNoContent)
}

func (p *provider) setMember(is bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.member[r.PathValue("channel")] = is
		w.WriteHeader(http.StatusNoContent)
	}
}

// addMessage has the bot say something.
func (p *provider) addMessage(w http.ResponseWriter, r *http.Request) {
	var asked post
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	said, known := p.keys[asked.Key]
	if !known {
		said = Message{Channel: asked.Channel, User: "help desk", Text: asked.Text, Bot: true}
		p.keys[asked.Key] = said
		p.messages = append(p.messages, said)
	}
	p.mu.Unlock()
	writeJSON(w, said)
}

// say has somebody say something, and returns what the webhooks answered that heard it.
func (p *provider) say(ctx context.Context, message Message) (told []string) {
	p.mu.Lock()
	p.messages = append(p.messages, message)
	said := event{ID: p.draw("event"), Type: "message", Message: message}
	hearing := p.member[message.Channel]
	p.mu.Unlock()
	if !hearing {
		return nil
	}
	return p.tellAll(ctx, said, true)
}

// tellAll sends an event to the webhooks.
func (p *provider) tellAll(ctx context.Context, said event, signed bool) (told []string) {
	for _, url := range p.registered() {
		status, answer, err := p.tell(ctx, url, said, signed)
		if err != nil {
			answer = err.Error()
		}
		told = append(told, fmt.Sprintf("the webhook answered %d %s", status, strings.TrimSpace(answer)))
	}
	return told
}

// tell sends an event to a webhook.
func (p *provider) tell(ctx context.Context, url string, said event, signed bool) (status int, answer string, err error) {
	body, err := xml.Marshal(said)
	if err != nil {
		return 0, "", err
	}
	outgoing := sluice.SignedRequest{Method: http.MethodPost, URL: url, Header: http.Header{"Content-Type": {"application/xml"}}, Body: body}
	if signed {
		if outgoing, err = sluice.Slack().Sign(outgoing, p.secret); err != nil {
			return 0, "", err
		}
	}
	request, err := http.NewRequestWithContext(ctx, outgoing.Method, outgoing.URL, strings.NewReader(string(outgoing.Body)))
	if err != nil {
		return 0, "", err
	}
	request.Header = outgoing.Header
	response, err := p.client.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	return response.StatusCode, string(read), err
}

// talk is what was said in a channel.
func (p *provider) talk(channel string) (lines []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, message := range p.messages {
		if message.Channel == channel {
			lines = append(lines, message.User+": "+message.Text)
		}
	}
	return lines
}

// registered are the URLs of the webhooks.
func (p *provider) registered() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Sorted(maps.Values(p.hooks))
}

// joined are the channels that the bot is a member of.
func (p *provider) joined() (channels []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for channel, is := range p.member {
		if is {
			channels = append(channels, channel)
		}
	}
	return channels
}

// draw makes an id. The caller holds the lock.
func (p *provider) draw(kind string) string {
	p.drawn++
	return fmt.Sprintf("%s-%d", kind, p.drawn)
}

func writeLines(w io.Writer, lines []string) {
	for _, line := range lines {
		fmt.Fprintln(w, line)
	}
}

func writeJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value) // A client that has gone gets no answer.
}
