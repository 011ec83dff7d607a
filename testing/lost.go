package sluicetest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sluice-go/sluice/runtime"
)

// RequireNothingLost lets everything come to its end, as [Harness.Drain] does, and ends the test
// unless all is as if nothing had gone wrong: whatever callers were told of, with an answer 2xx, a
// redirect to the result or 504, is on record; and every execution has one outcome for each
// attempt, of which the last is final. What schedules start meanwhile, and executions that are not to be recorded (see
// [runtime.Options]) are not looked for.
func (h *Harness) RequireNothingLost() {
	h.t.Helper()
	began := time.Now()
	h.Drain()
	executions := slices.DeleteFunc(h.Executions(), func(x *Execution) bool { return x.AcceptedAt.After(began) && !x.Status.Final() })
	var faults []string
	if h.options.Runtime.Recording == runtime.RecordAll {
		recorded := map[string]bool{}
		for _, x := range executions {
			recorded[x.ID] = true
		}
		faults = h.answers.missing(recorded)
	}
	for _, x := range executions {
		if fault := unsound(x); fault != "" {
			faults = append(faults, fmt.Sprintf("execution %s of flow %q %s", x.ID, x.Flow, fault))
		}
	}
	if len(faults) > 0 {
		h.t.Fatal(strings.Join(faults, "\n"))
	}
}

// unsound tells what is wrong with the record of an execution that should be over.
func unsound(x *Execution) string {
	if !x.Status.Final() {
		return fmt.Sprintf("is %s and never ends", x.Status)
	}
	if len(x.Attempts) == 0 {
		return fmt.Sprintf("is %s without an outcome", x.Status)
	}
	for i, attempt := range x.Attempts {
		if attempt.Number != i+1 {
			return fmt.Sprintf("has as outcome %d that of attempt %d", i+1, attempt.Number)
		}
		if last := i == len(x.Attempts)-1; attempt.Status.Final() != last {
			return fmt.Sprintf("has %d outcomes, and the %d. is %s", len(x.Attempts), i+1, attempt.Status)
		}
	}
	return ""
}

// answers are the executions that callers were told of, by id.
type answers struct {
	mu   sync.Mutex
	told map[string]string
}

// add remembers an answer that promises an execution.
func (a *answers) add(response *http.Response) {
	id := response.Header.Get(executionHeader)
	switch {
	case id == "":
	case response.StatusCode >= 300 && response.StatusCode != http.StatusSeeOther && response.StatusCode != http.StatusGatewayTimeout:
	default:
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.told == nil {
			a.told = map[string]string{}
		}
		a.told[id] = fmt.Sprintf("%s %s was answered %s", response.Request.Method, response.Request.URL.Path, response.Status)
	}
}

// missing tells which answers promised what is not on record.
func (a *answers) missing(recorded map[string]bool) (faults []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for id, answer := range a.told {
		if !recorded[id] {
			faults = append(faults, fmt.Sprintf("%s, and its execution %s is not on record", answer, id))
		}
	}
	slices.Sort(faults)
	return faults
}
