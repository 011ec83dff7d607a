package store

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
	// the Value, nil for a missing key.
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
