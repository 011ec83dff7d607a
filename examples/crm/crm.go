package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// crm stands for another company's CRM: it hands out tokens for its API, which lists contacts
// in the order of their changes.
type crm struct {
	clientID, clientSecret string

	mu       sync.Mutex
	contacts []Contact            // The one that was changed last at the end.
	tokens   map[string]time.Time // The end of each.
	issued   int
}

func newCRM(names ...string) *crm {
	c := &crm{clientID: "sluice", clientSecret: rand.Text(), tokens: map[string]time.Time{}}
	for i, name := range names {
		c.change(fmt.Sprintf("C-%d", i+1), name)
	}
	return c
}

// handler serves the API, and what people do in the CRM beside it.
func (c *crm) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /oauth/token", c.issue)
	mux.HandleFunc("GET /api/contacts", c.list)
	mux.HandleFunc("PUT /contacts/{id}", func(w http.ResponseWriter, r *http.Request) {
		c.change(r.PathValue("id"), r.FormValue("name"))
	})
	return mux
}

// tokenLife is how long a token is good for.
const tokenLife = time.Hour

// issue hands out a token for a client's credentials (RFC 6749, section 4.4).
func (c *crm) issue(w http.ResponseWriter, r *http.Request) {
	id, secret, ok := r.BasicAuth()
	if !ok || id != c.clientID || secret != c.clientSecret || r.FormValue("grant_type") != "client_credentials" || r.FormValue("scope") != "contacts.read" {
		w.WriteHeader(http.StatusUnauthorized)
		writeJSON(w, map[string]string{"error": "invalid_client"})
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.issued++
	token := rand.Text()
	c.tokens[token] = time.Now().Add(tokenLife)
	writeJSON(w, map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": tokenLife.Seconds()})
}

// revoke ends the life of all tokens.
func (c *crm) revoke() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.tokens)
}

// pageSize is how many contacts a page has.
const pageSize = 100

// list lists the contacts that were changed since a second, or in it.
func (c *crm) list(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !time.Now().Before(c.tokens[token]) {
		http.Error(w, "wrong token", http.StatusUnauthorized)
		return
	}
	since, err := time.Parse(time.RFC3339, r.FormValue("since"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	first, _ := strconv.Atoi(r.FormValue("page")) // Without one it is the first page.
	found := slices.DeleteFunc(slices.Clone(c.contacts), func(contact Contact) bool { return contact.UpdatedAt.Before(since) })
	first = min(first, len(found))
	last := min(first+pageSize, len(found))
	answer := page{Contacts: found[first:last]}
	if last < len(found) {
		answer.Next = strconv.Itoa(last)
	}
	writeJSON(w, answer)
}

// change changes a contact, or adds it.
func (c *crm) change(id, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.contacts = slices.DeleteFunc(c.contacts, func(contact Contact) bool { return contact.ID == id })
	c.contacts = append(c.contacts, Contact{ID: id, Name: name, UpdatedAt: time.Now().UTC().Truncate(time.Second)})
}

func (c *crm) tokensIssued() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.issued
}

func writeJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value) // A client that has gone gets no answer.
}
