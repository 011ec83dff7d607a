package simulation

import (
	"sync"
	"time"
)

// history is what happened, as user code and callers saw it.
type history struct {
	mu    sync.Mutex
	runs  []*run
	steps []stepRun
	// accepted are the ids that callers were told, with what they had sent.
	accepted map[string]request
	// duplicates are the ids that callers were told of requests that came before theirs.
	duplicates []string
	// deaths are when processes were killed or paused.
	deaths []time.Time
	// resumes are when pauses ended, by the name of the process.
	resumes map[string][]time.Time
	// answers counts them by status code.
	answers map[int]int
}

// run is one call of a flow.
type run struct {
	Node, Execution, Instance, Flow string
	Attempt                         int
	Started, Ended                  time.Time
}

// stepRun is one call of a step's function.
type stepRun struct {
	Node, Execution, Key string
	At                   time.Time
}

// request is what a caller sent.
type request struct {
	Customer, Flow string
	Body           order
	// At is when it was sent, Answered when the answer came.
	At, Answered time.Time
}

// order is the body of every webhook.
type order struct {
	// ID is unique unless the request repeats another.
	ID int `json:"id"`
	// About is what the order is about: newer ones supersede the retries of older ones.
	About string `json:"about"`
	// Fail is how many attempts fail, Seconds how long each takes.
	Fail    int `json:"fail"`
	Seconds int `json:"seconds"`
}

func newHistory() *history {
	return &history{accepted: map[string]request{}, resumes: map[string][]time.Time{}, answers: map[int]int{}}
}

func (h *history) begin(r *run) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r.Started = time.Now()
	h.runs = append(h.runs, r)
}

func (h *history) end(r *run) {
	h.mu.Lock()
	defer h.mu.Unlock()
	r.Ended = time.Now()
}

func (h *history) step(node, execution, key string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.steps = append(h.steps, stepRun{node, execution, key, time.Now()})
}

func (h *history) died() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.deaths = append(h.deaths, time.Now())
}

func (h *history) resumed(node string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.resumes[node] = append(h.resumes[node], time.Now())
}

func (h *history) answer(status int, id string, duplicate bool, r request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answers[status]++
	switch {
	case status != 200:
	case duplicate:
		h.duplicates = append(h.duplicates, id)
	default:
		r.Answered = time.Now()
		h.accepted[id] = r
	}
}
