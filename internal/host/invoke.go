package host

// Wait says whether a call waits for the flow.
type Wait int

// Whether a call waits.
const (
	// WaitAsFlow waits for synchronous flows.
	WaitAsFlow Wait = iota
	WaitAlways
	WaitNever
)

// Invocation is a call of another flow.
type Invocation struct {
	// Step is the call as a durable unit.
	Step Step
	// StableKey or Name of the flow.
	StableKey, Name string
	// Body is JSON; nil is none.
	Body []byte
	// Headers of the caller's own.
	Headers map[string]string
	// Source is where the call came from, in the caller's words.
	Source string
	Wait   Wait
}

// Flow is what the caller calls the flow.
func (i *Invocation) Flow() string {
	if i.Name != "" {
		return i.Name
	}
	return i.StableKey
}

// Invoked is the answer to a call.
type Invoked struct {
	ExecutionID string
	StatusCode  int
	ContentType string
	Headers     map[string]string
	Body        []byte
}
