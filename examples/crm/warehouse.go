package main

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// warehouse stands for a data warehouse: it has one table.
type warehouse struct {
	apiKey string

	mu        sync.Mutex
	contacts  map[string]Contact
	writes    map[string]int // How often each was written.
	busyUntil time.Time
	room      int // How many writes there are until it is busy; negative is no limit.
}

func newWarehouse() *warehouse {
	return &warehouse{apiKey: rand.Text(), contacts: map[string]Contact{}, writes: map[string]int{}, room: -1}
}

// handler serves the API, and the table for people to read.
func (w *warehouse) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /api/contacts/{id}", w.put)
	mux.HandleFunc("GET /contacts", func(out http.ResponseWriter, _ *http.Request) {
		for _, contact := range w.table() {
			fmt.Fprintln(out, contact.ID, contact.Name)
		}
	})
	return mux
}

// put writes a contact by its id. While the warehouse is busy it says when to come again.
func (w *warehouse) put(out http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var contact Contact
	wait := time.Until(w.busyUntil)
	switch err := json.NewDecoder(r.Body).Decode(&contact); {
	case r.Header.Get("Api-Key") != w.apiKey:
		out.WriteHeader(http.StatusForbidden)
	case err != nil || contact.ID != r.PathValue("id"):
		out.WriteHeader(http.StatusBadRequest)
	case wait > 0 && w.room == 0:
		out.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
		out.WriteHeader(http.StatusTooManyRequests)
	default:
		w.room--
		w.writes[contact.ID]++
		if !contact.UpdatedAt.Before(w.contacts[contact.ID].UpdatedAt) {
			w.contacts[contact.ID] = contact
		}
		out.WriteHeader(http.StatusNoContent)
	}
}

// busy has the warehouse take some more writes, and then no more for a while.
func (w *warehouse) busy(room int, d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.room, w.busyUntil = room, time.Now().Add(d)
}

// table is all that is there, by id.
func (w *warehouse) table() []Contact {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.SortedFunc(maps.Values(w.contacts), func(a, b Contact) int { return cmp.Compare(a.ID, b.ID) })
}

// mostWrites is how often the contact was written that was written most often.
func (w *warehouse) mostWrites() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Max(slices.Collect(maps.Values(w.writes)))
}

// named is the name of a contact.
func (w *warehouse) named(id string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.contacts[id].Name
}
