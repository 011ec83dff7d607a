package store

import "time"

// Status is where an execution, or one attempt of it, stands.
type Status string

// The states of an execution. Succeeded, failed, canceled and skipped are final.
const (
	// StatusQueued is accepted and not claimed.
	StatusQueued Status = "queued"
	// StatusRunning is claimed by a worker.
	StatusRunning Status = "running"
	// StatusWaiting is an execution whose last attempt failed and that will run again.
	StatusWaiting Status = "waiting"
	// StatusSucceeded ran to its end.
	StatusSucceeded Status = "succeeded"
	// StatusFailed ended with an error and is not retried.
	StatusFailed Status = "failed"
	// StatusCanceled was ended from outside.
	StatusCanceled Status = "canceled"
	// StatusSkipped was not run.
	StatusSkipped Status = "skipped"
)

// Final tells whether nothing comes after the status.
func (s Status) Final() bool {
	switch s {
	case StatusSucceeded, StatusFailed, StatusCanceled, StatusSkipped:
		return true
	default:
		return false
	}
}

// Execution is an accepted run of a flow. It never changes.
type Execution struct {
	// ID is a UUID version 7 in its text form.
	ID string
	// Integration is the integration's name, Version the version that accepted it.
	Integration, Version string
	// Customer, User and Instance are ids; empty where there is none.
	Customer, User, Instance string
	// Flow is the flow's stable key.
	Flow string
	// InvokeType says what started it.
	InvokeType string
	// AcceptedAt is when it was accepted, in UTC.
	AcceptedAt time.Time
	// Payload is what started it.
	Payload Payload
	// Logs of what ran before it was accepted, as the engine encoded them; nil if there are
	// none.
	Logs []byte
}

// Payload is what started an execution, as the engine encoded it: bytes to the store.
// Large bodies stand in Body once, exactly as they arrived.
type Payload struct {
	Head, Body []byte
}

// Acceptance asks for an execution to be accepted.
type Acceptance struct {
	// Execution to accept. The store keeps it: it must not be changed afterwards.
	Execution *Execution
	// DedupeKey names the request within the instance and flow; empty means it is not
	// looked at.
	DedupeKey string
	// DedupeUntil ends the window of the key; it begins with the acceptance.
	DedupeUntil time.Time
	// Steps to journal: what ran before the acceptance.
	Steps []*Step
	// Worker claims the execution at once, if not empty.
	Worker string
	// Outcome is that of an execution which is over already.
	Outcome *Outcome
}

// Accepted is the answer to an Acceptance.
type Accepted struct {
	// DuplicateOf is the id of the first execution with the same dedupe key; empty when
	// this one was accepted.
	DuplicateOf string
	// Claim is there when the acceptance named a worker.
	Claim *Claim
}

// Claim is a worker's right to run an execution. At most one is current at any time.
type Claim struct {
	// Execution that is claimed.
	Execution *Execution
	// Worker that holds it.
	Worker string
	// Token fences the worker's writes: a later claim has a greater one.
	Token int64
	// Attempt that this claim runs, counted from 1.
	Attempt int
	// Recovered says that an earlier claim ended without an outcome: its steps may be
	// journalled already.
	Recovered bool
	// Crashes is how often the process died while the execution was claimed, since its
	// last step or outcome was recorded. The first time it may merely have been ready: who
	// claims what for the first time is not written down. Closing the store is no death.
	Crashes int
}

// Step is the recorded result of a durable unit.
type Step struct {
	// Key is unique in the execution. Name is the author's.
	Key, Name string
	// Attempt that ran it, counted from 1; 0 is before the execution was accepted.
	Attempt int
	// StartedAt and EndedAt, in UTC.
	StartedAt, EndedAt time.Time
	// Result as JSON.
	Result []byte
}

// Outcome is how one attempt of an execution ended. It never changes.
type Outcome struct {
	// Attempt, counted from 1.
	Attempt int
	// Status is a final one, or StatusWaiting when the execution runs again at NextAttempt.
	Status Status
	// StartedAt and EndedAt, in UTC.
	StartedAt, EndedAt time.Time
	// Result as the engine encoded it; nil unless it succeeded.
	Result []byte
	// Error is the message of a failed attempt.
	Error string
	// Logs as the engine encoded them; nil if there are none.
	Logs []byte
	// NextAttempt is when the execution is due again, with StatusWaiting.
	NextAttempt time.Time
}

// Record is all that is known of an execution.
type Record struct {
	Execution
	// Status is where it stands.
	Status Status
	// Attempts that ended, oldest first.
	Attempts []*Outcome
	// Steps that are journalled, in the order of their recording.
	Steps []*Step
}

// Filter chooses executions; its zero value takes all.
type Filter struct {
	// Instance and Flow match exactly, if not empty.
	Instance, Flow string
	// Status matches, if not empty.
	Status Status
}

// Instance is an integration deployed for a customer.
type Instance struct {
	// ID is a UUID version 7 in its text form.
	ID string
	// Name is unique among the instances of the integration and customer.
	Name string
	// Integration is the integration's name, Version the deployed version.
	Integration, Version string
	// Customer whose instance it is.
	Customer Customer
	// Config holds the values of the config variables as the engine encoded them.
	Config []byte
	// Endpoints are the webhook endpoints of its own; none where all instances of the
	// integration share one.
	Endpoints []Endpoint
	// Keys are the API keys that callers of its flows may present, oldest first.
	Keys []APIKey
	// Paused instances answer no requests and run nothing.
	Paused bool
	// Pending is set as long as the hooks of a deployment have not all succeeded.
	Pending bool
	// DeployedAt is when it was last deployed, in UTC.
	DeployedAt time.Time
	// Revision counts the writes of this instance.
	Revision int64
}

// Customer of the organization that runs Sluice.
type Customer struct {
	ID, ExternalID, Name string
}

// Endpoint is a webhook URL of an instance.
type Endpoint struct {
	// ID is the random part of the URL.
	ID string
	// Flow is the stable key of the flow that it starts; empty when requests are routed.
	Flow string
}

// Result is a flow's result that waits for its caller at a URL of its own.
type Result struct {
	// Key is a hash of the secret in the URL.
	Key []byte
	// Execution is the id of the execution whose result it is.
	Execution string
	// Head and Body are the answer as the engine encoded it.
	Head, Body []byte
	// ExpiresAt is when nobody can fetch it any more, in UTC.
	ExpiresAt time.Time
}

// APIKey lets callers in to a flow of an instance. The key itself is not stored. Its JSON
// form is what drivers write.
type APIKey struct {
	// Flow is the flow's stable key.
	Flow string `json:"flow"`
	// Hash is the SHA-256 of the key.
	Hash []byte `json:"hash"`
	// Prefix is how the key begins: too little to use, enough to tell keys apart.
	Prefix string `json:"prefix"`
	// Sealed is the key for the flow to see, as the engine encrypted it; nil if it cannot
	// be seen.
	Sealed []byte `json:"sealed,omitempty"`
	// CreatedAt is when it was created, in UTC.
	CreatedAt time.Time `json:"createdAt"`
}
