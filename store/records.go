package store

import (
	"slices"
	"time"
)

// Status is where an execution, or one attempt of it, stands.
type Status string

// The states of an execution. Succeeded, failed, canceled and skipped are final.
const (
	// StatusQueued is accepted and not claimed.
	StatusQueued Status = "queued"
	// StatusRunning is claimed by a worker.
	StatusRunning Status = "running"
	// StatusWaiting will run again: its last attempt failed, or it sleeps.
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
	// Lane in which it takes a seat while it runs.
	Lane Lane
	// UniqueKey names what it is about, within its instance and flow; empty is nothing. A
	// newer execution with the same key cancels those that wait for a retry.
	UniqueKey string
	// Parent is the id of the execution that invoked it, Original of the one that it
	// replays; empty if there is none. Depth counts the executions above it.
	Parent, Original string
	Depth            int
	// AcceptedAt is when it was accepted, in UTC.
	AcceptedAt time.Time
	// Payload is what started it.
	Payload Payload
	// Logs of what ran before it was accepted, as the engine encoded them; nil if there are
	// none.
	Logs []byte
}

// Lane orders executions of one instance, and bounds how many of them run at once. What is
// stored of it belongs to the execution: a lane begins with its first execution and ends
// with its last one.
type Lane struct {
	// Key tells the lanes of an instance apart.
	Key string
	// Limit is how many executions of the lane may have a seat at once, for this one to take
	// another; first attempts take theirs in the order of acceptance. 0 is no limit and no
	// order: such executions have no seat. Where limits of one lane differ, as after a change
	// of it, one that comes back may run before an earlier one with a lower limit.
	Limit int
}

// Payload is what started an execution, as the engine encoded it: bytes to the store.
// Large bodies stand in Body once, exactly as they arrived.
type Payload struct {
	Head, Body []byte
}

// Load is what executions take of a queue.
type Load struct {
	// Count of the executions, and Bytes of their payloads.
	Count int
	Bytes int64
}

// Add returns the load of both.
func (l Load) Add(more Load) Load { return Load{l.Count + more.Count, l.Bytes + more.Bytes} }

// Negative returns the load that, added, takes this one away.
func (l Load) Negative() Load { return Load{-l.Count, -l.Bytes} }

// Size is how many bytes the payload has.
func (p Payload) Size() int64 { return int64(len(p.Head) + len(p.Body)) }

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
	// Worker claims the execution at once, if it serves the instance, and the lane has a free
	// seat that nobody waits for; no ID means that it is left to Claim.
	Worker Worker
	// Outcome is that of an execution which is over already.
	Outcome *Outcome
	// State changes to commit with the acceptance; none for a duplicate.
	State []StateChange
	// Schedule moves on with the acceptance, which fails with ErrConflict if it has moved
	// already: then the execution was accepted elsewhere. A duplicate moves none, nor does
	// nil.
	Schedule *ScheduleAdvance
}

// Accepted is the answer to an Acceptance.
type Accepted struct {
	// DuplicateOf is the id of the first execution with the same dedupe key; empty when
	// this one was accepted.
	DuplicateOf string
	// Claim is there when the acceptance named a worker and the lane had a seat.
	Claim *Claim
	// Canceled are the ids of the older executions with the same UniqueKey that failed and
	// waited for another attempt: they were canceled, with an error that names this one's id.
	// One whose next attempt was claimed goes on; if that claim ends without an outcome, this
	// or the next acceptance cancels it, or the next claim says so.
	Canceled []string
}

// Worker is who runs executions. Its claims last as long as its lease.
type Worker struct {
	// ID is unique among all workers that ever were.
	ID string
	// Lease is how long its claims last after they were made or extended. A store that knows
	// of no other worker may let them last longer.
	Lease time.Duration
	// Serves are the versions of integrations whose code it has: nothing of an instance that
	// is deployed in another one is claimed for it. The version that an execution was accepted
	// in does not count, and what belongs to no instance, or to one that was deleted, is
	// anybody's. Empty is all.
	Serves []IntegrationVersion
}

// Has tells whether the worker claims what belongs to an instance that is deployed in the
// version; the zero one is that of no instance.
func (w Worker) Has(version IntegrationVersion) bool {
	return len(w.Serves) == 0 || version == IntegrationVersion{} || slices.Contains(w.Serves, version)
}

// IntegrationVersion is an integration, by its name, in a version.
type IntegrationVersion struct {
	Integration, Version string
}

// Claim is a worker's right to run an execution. At most one is current at any time.
type Claim struct {
	// Execution that is claimed.
	Execution *Execution
	// Worker that holds it, by its ID.
	Worker string
	// Token fences the worker's writes: a later claim has a greater one.
	Token int64
	// Until is when the worker's lease may run out, by the clock of this process, if Extend
	// does not begin it anew: nobody else gets the execution before. A claim that was held up
	// on its way may be lost by the time it is heard of.
	Until time.Time
	// Attempt that this claim runs, counted from 1.
	Attempt int
	// Recovered says that an earlier claim ended without an outcome: its steps may be
	// journalled already.
	Recovered bool
	// Crashes is how often the process died while the execution was claimed, since its
	// last step or outcome was recorded. The first time it may merely have been ready: who
	// claims what for the first time is not written down. Closing the store is no death.
	Crashes int
	// Canceled says why the execution is to be canceled instead of run; empty means that it
	// is not.
	Canceled string
}

// Step is the recorded result of a durable unit.
type Step struct {
	// Key is unique in the execution. Name is the author's.
	Key, Name string
	// Attempt that ran it, counted from 1; 0 is before the execution was accepted.
	Attempt int
	// StartedAt and EndedAt, in UTC.
	StartedAt, EndedAt time.Time
	// Result as JSON; nil with an Error.
	Result []byte
	// Error is the message of an error that was ignored.
	Error string
	// State holds the state changes made in the step, as the engine encoded them; nil if
	// there are none.
	State []byte
	// Commit are state changes to commit with the step, if it is not on record yet. They are
	// not read back.
	Commit []StateChange
}

// Outcome is how one attempt of an execution ended. It never changes.
type Outcome struct {
	// Attempt, counted from 1.
	Attempt int
	// Status is a final one, or StatusWaiting when the execution runs again at NextAttempt.
	Status Status
	// StartedAt and EndedAt, in UTC.
	StartedAt, EndedAt time.Time
	// Result as the engine encoded it, also of what failed; nil if there is none.
	Result []byte
	// Error is the message of a failed attempt, or of an error that was ignored.
	Error string
	// Logs as the engine encoded them; nil if there are none.
	Logs []byte
	// NextAttempt is when the execution is due again, with StatusWaiting.
	NextAttempt time.Time
	// KeepSeat has a waiting execution keep its seat in its lane. It is not read back.
	KeepSeat bool
	// State changes to commit with the outcome. They are not read back.
	State []StateChange
}

// Pause is how long a released execution waits.
type Pause struct {
	// Until is when it is ready again; zero is at once.
	Until time.Time
	// KeepSeat has it keep its seat in its lane meanwhile.
	KeepSeat bool
}

// Record is all that is known of an execution.
type Record struct {
	Execution
	// Status is where it stands.
	Status Status
	// Due is when a waiting execution runs again; zero for others.
	Due time.Time
	// Attempts that ended, oldest first. An execution that was canceled while it did not run
	// ends with one that has no StartedAt.
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
	// InvokeType, Parent and Original match exactly, if not empty.
	InvokeType, Parent, Original string
	// From and To bound AcceptedAt: not before From, before To; zero is no bound.
	From, To time.Time
	// OldestFirst turns the order of a list around.
	OldestFirst bool
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
	// Pending is set as long as the hooks of a deployment, or of a removal, have not all run.
	Pending bool
	// Change says what is being made of a pending instance, as the engine encoded it; nil if
	// there is nothing to say.
	Change []byte
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
