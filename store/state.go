package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// ScopeKind says what a scope of state belongs to.
type ScopeKind string

// What state belongs to.
const (
	// ScopeFlow is state of one flow of an instance.
	ScopeFlow ScopeKind = "flow"
	// ScopeInstance is state that the flows of an instance share.
	ScopeInstance ScopeKind = "instance"
	// ScopeIntegration is state that all instances of an integration share.
	ScopeIntegration ScopeKind = "integration"
	// ScopeExecution is state of one execution; it ends with the final outcome.
	ScopeExecution ScopeKind = "execution"
)

// Scope is a set of state values.
type Scope struct {
	Kind ScopeKind
	// ID of the instance or execution, or the name of the integration.
	ID string
	// Flow is the flow's stable key with ScopeFlow, else empty.
	Flow string
}

// StateOp is what a change does.
type StateOp string

// What changes do. Each is applied at its commit, to the value that the key has then.
const (
	// StateSet gives the key the Value.
	StateSet StateOp = "set"
	// StateDelete removes the key.
	StateDelete StateOp = "delete"
	// StateIncrement adds the Value, a number, to the number that the key has; a missing one
	// is 0.
	StateIncrement StateOp = "increment"
	// StateAppend adds the elements of the Value, a list, to the list that the key has; a
	// missing one is empty.
	StateAppend StateOp = "append"
	// StateRemove removes every element that equals one of the Value, a list, from the list
	// that the key has.
	StateRemove StateOp = "remove"
	// StateExpect changes nothing: the commit fails with ErrStateConflict unless the key has
	// the Value; nil and null are a missing key or one whose value is null.
	StateExpect StateOp = "expect"
	// StateClear removes all keys of the scope.
	StateClear StateOp = "clear"
)

// StateChange is one change of a value.
type StateChange struct {
	Scope Scope   `json:"scope"`
	Key   string  `json:"key,omitempty"`
	Op    StateOp `json:"op"`
	// Value as JSON.
	Value []byte `json:"value,omitempty"`
}

// MaxStateBytes bounds the keys and values of one scope (seed 003; behaviour of the
// platform).
const MaxStateBytes = 64 << 20

// MaxStateKeyBytes bounds a key, so that every database can index it.
const MaxStateKeyBytes = 1024

// Check tells what is wrong with a change, whatever the value that it meets.
func (c StateChange) Check() error {
	if err := c.check(); err != nil {
		return fmt.Errorf("store: state change %q of key %q: %w", c.Op, c.Key, err)
	}
	return nil
}

func (c StateChange) check() error {
	if err := c.Scope.check(); err != nil {
		return err
	}
	if c.Op != StateClear {
		if err := checkStateKey(c.Key); err != nil {
			return err
		}
	}
	switch c.Op {
	case StateClear, StateDelete:
		return nil
	case StateExpect:
		if c.Value == nil {
			return nil
		}
	case StateIncrement:
		_, err := parseNumber(c.Value)
		return err
	case StateAppend, StateRemove:
		if !isList(c.Value) {
			return fmt.Errorf("its value is no list: %w", ErrStateType)
		}
	case StateSet:
	default:
		return errors.New("there is no such operation")
	}
	if !json.Valid(c.Value) {
		return errors.New("its value is no JSON")
	}
	return nil
}

func (s Scope) check() error {
	switch s.Kind {
	case ScopeFlow, ScopeInstance, ScopeIntegration, ScopeExecution:
	default:
		return fmt.Errorf("there is no scope %q", s.Kind)
	}
	if s.ID == "" || (s.Flow != "") != (s.Kind == ScopeFlow) {
		return fmt.Errorf("a scope needs an ID, and a flow if it is that of a flow: %+v", s)
	}
	return nil
}

func checkStateKey(key string) error {
	if key == "" || len(key) > MaxStateKeyBytes {
		return fmt.Errorf("the key has %d bytes, not 1 to %d", len(key), MaxStateKeyBytes)
	}
	if !utf8.ValidString(key) || strings.Contains(key, "\x00") {
		return errors.New("the key is not UTF-8 without NUL")
	}
	return nil
}
