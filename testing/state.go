package sluicetest

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/sluice-go/sluice/store"
)

// State is a set of values that an execution can read and write, as it is committed by now. What
// it requires ends the test with the execution's timeline, if it is not so.
type State struct {
	x     *Execution
	scope store.Scope
}

// InstanceState is the one that [sluice.Run.InstanceState] is for the execution.
func (x *Execution) InstanceState() *State {
	return &State{x, store.Scope{Kind: store.ScopeFlow, ID: x.Instance, Flow: x.Flow}}
}

// CrossFlowState is the one that [sluice.Run.CrossFlowState] is for the execution.
func (x *Execution) CrossFlowState() *State {
	return &State{x, store.Scope{Kind: store.ScopeInstance, ID: x.Instance}}
}

// IntegrationState is the one that [sluice.Run.IntegrationState] is for the execution.
func (x *Execution) IntegrationState() *State {
	return &State{x, store.Scope{Kind: store.ScopeIntegration, ID: x.Integration}}
}

// ExecutionState is the one that [sluice.Run.ExecutionState] is for the execution: empty once it
// is over.
func (x *Execution) ExecutionState() *State {
	return &State{x, store.Scope{Kind: store.ScopeExecution, ID: x.ID}}
}

// Keys are those that have values, sorted by their bytes.
func (s *State) Keys() []string {
	h := s.x.h
	h.t.Helper()
	h.settle()
	keys, err := h.Store.StateKeys(h.t.Context(), s.scope)
	if err != nil {
		h.t.Fatal(err)
	}
	return keys
}

// Decode reads the value of a key into what v points to; ok is false if there is none.
func (s *State) Decode(key string, v any) (ok bool) {
	s.x.h.t.Helper()
	value := s.value(key)
	if value == nil {
		return false
	}
	if err := json.Unmarshal(value, v); err != nil {
		s.x.failf("the %s's state %q cannot be read into %T: %v", s.scope.Kind, key, v, err)
	}
	return true
}

// Require ends the test unless the key has the JSON of want as its value.
func (s *State) Require(key string, want any) *State {
	s.x.h.t.Helper()
	value := s.value(key)
	if value == nil {
		s.x.failf("the %s has no state %q; it has %q%s", s.scope.Kind, key, s.Keys(), s.x.remedy())
	}
	if difference := differentJSON(want, value); difference != "" {
		s.x.fail(fmt.Sprintf("the %s's state %q ", s.scope.Kind, key) + difference)
	}
	return s
}

// value is that of a key as JSON; nil if there is none.
func (s *State) value(key string) []byte {
	h := s.x.h
	h.t.Helper()
	h.settle()
	value, err := h.Store.State(h.t.Context(), s.scope, key)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		h.t.Fatal(err)
	}
	return value
}
