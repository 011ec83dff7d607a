package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
)

// provider stands for another company's shop: it knows orders, and tells webhooks of new ones.
type provider struct {
	client *http.Client

	mu     sync.Mutex
	orders []Order
	hooks  map[string]string // URLs by id
	drawn  int
}

func newProvider(client *http.Client) *provider {
	return &provider{client: client, hooks: map[string]string{}, orders: []Order{{ID: "A-1", Total: 450}, {ID: "A-2", Total: 1200}}}
}

// ServeHTTP serves GET /orders, POST /hooks and DELETE /hooks/{id}.
func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch id, one := strings.CutPrefix(r.URL.Path, "/hooks/"); {
	case r.Method == http.MethodGet && r.URL.Path == "/orders":
		writeJSON(w, p.orders)
	case r.Method == http.MethodPost && r.URL.Path == "/hooks":
		var hook registration
		if err := json.NewDecoder(r.Body).Decode(&hook); err != nil || hook.URL == "" {
			http.Error(w, "a hook needs a url", http.StatusBadRequest)
			return
		}
		p.drawn++
		hook.ID = fmt.Sprintf("hook-%d", p.drawn)
		p.hooks[hook.ID] = hook.URL
		writeJSON(w, hook)
	case r.Method == http.MethodDelete && one:
		delete(p.hooks, id)
		w.WriteHeader(http.StatusNoContent)
	default:
		http.NotFound(w, r)
	}
}

func writeJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value) // A client that has gone gets no answer.
}

// registered are the URLs that hear of new orders.
func (p *provider) registered() (urls []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, url := range p.hooks {
		urls = append(urls, url)
	}
	return urls
}

// sell makes a new order and tells the webhooks. It returns their answers' status codes.
func (p *provider) sell(ctx context.Context, order Order) (told []int, err error) {
	body, err := json.Marshal(order)
	if err != nil {
		return nil, err
	}
	for _, url := range p.registered() {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		request.Header.Set("Content-Type", "application/json")
		response, err := p.client.Do(request)
		if err != nil {
			return nil, err
		}
		_ = response.Body.Close()
		told = append(told, response.StatusCode)
	}
	return told, nil
}
