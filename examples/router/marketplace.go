package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// marketplace stands for another company: people buy there from many merchants, and it tells
// one webhook of all of it.
type marketplace struct {
	client *http.Client
	key    string // It presents it at the webhook.

	mu      sync.Mutex
	hook    string // The URL of the webhook.
	orders  map[string]Event
	notices map[string]string // What merchants told, by the path of their request.
	drawn   int
}

func newMarketplace(client *http.Client) *marketplace {
	return &marketplace{client: client, key: rand.Text(), orders: map[string]Event{}, notices: map[string]string{}}
}

// handler serves the merchants' API below /api, and what people do beside it.
func (m *marketplace) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /api/shipments/{order}/{merchant}", m.take("ships"))
	mux.HandleFunc("PUT /api/cancellations/{order}/{merchant}", m.take("keeps"))
	mux.HandleFunc("POST /buy", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, m.buy(r.Context(), r.URL.Query()))
	})
	mux.HandleFunc("POST /cancel", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, m.cancel(r.Context(), r.URL.Query().Get("order")))
	})
	mux.HandleFunc("GET /notices", func(w http.ResponseWriter, _ *http.Request) {
		for _, line := range m.told() {
			fmt.Fprintln(w, line)
		}
	})
	return mux
}

// take takes a merchant's notice.
func (m *marketplace) take(does string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var notice Notice
		if err := json.NewDecoder(r.Body).Decode(&notice); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		m.notices[r.URL.Path] = fmt.Sprintf("%s: %s %s %s in %s",
			notice.Order, r.PathValue("merchant"), does, strings.Join(notice.Items, " and "), notice.From)
		w.WriteHeader(http.StatusNoContent)
	}
}

// told is what merchants told, sorted.
func (m *marketplace) told() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Values(m.notices))
}

// buy has somebody order items from merchants: it takes the merchants, each with his items.
func (m *marketplace) buy(ctx context.Context, wanted url.Values) string {
	m.mu.Lock()
	order := Event{Type: "order.created", Order: fmt.Sprintf("A-%d", len(m.orders)+1)}
	for _, merchant := range slices.Sorted(maps.Keys(wanted)) {
		for _, item := range wanted[merchant] {
			order.Lines = append(order.Lines, Line{Merchant: merchant, Item: item})
		}
	}
	m.orders[order.Order] = order
	m.mu.Unlock()
	return m.tell(ctx, order)
}

// cancel has somebody cancel an order.
func (m *marketplace) cancel(ctx context.Context, id string) string {
	m.mu.Lock()
	order := m.orders[id]
	m.mu.Unlock()
	order.Type = "order.canceled"
	return m.tell(ctx, order)
}

// tell sends an event to the webhook and returns the answer.
func (m *marketplace) tell(ctx context.Context, event Event) string {
	m.mu.Lock()
	m.drawn++
	event.ID = fmt.Sprintf("event-%d", m.drawn)
	hook := m.hook
	m.mu.Unlock()
	body, err := json.Marshal(event)
	if err != nil {
		return err.Error()
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, hook, bytes.NewReader(body))
	if err != nil {
		return err.Error()
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Api-Key", m.key)
	response, err := m.client.Do(request)
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("the webhook answered %d %s", response.StatusCode, bytes.TrimSpace(answer))
}

// register tells where the webhook is.
func (m *marketplace) register(hook string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hook = hook
}
