// Package store is what the engine asks of a database. The interface is cut by role; a
// driver implements all of them: package sqlite for one owning process, package postgres
// for many. Drivers pass the suite in package storetest.
//
// What an execution is made of is written once and never changed: the acceptance, one
// outcome for each attempt, one record for each journalled step.
package store

import (
	"context"
	"errors"
)

// Errors that every driver returns. Compare with [errors.Is].
var (
	// ErrNotFound says that no such record exists.
	ErrNotFound = errors.New("store: not found")
	// ErrLeaseLost refuses a write of a worker whose claim is not the current one.
	ErrLeaseLost = errors.New("store: the claim was lost")
	// ErrConflict refuses a write that is based on an older revision than the current one.
	ErrConflict = errors.New("store: changed by another writer")
	// ErrUnavailable says that nothing was written because the database cannot be written
	// to: the disk is full, the file is read-only, the connection is down. The operation
	// may be tried again.
	ErrUnavailable = errors.New("store: unavailable")
	// ErrInvalidID refuses what is no id of an execution.
	ErrInvalidID = errors.New("store: not an execution's id")
	// ErrStateConflict refuses a write because a state value is not what it expects.
	ErrStateConflict = errors.New("store: the value is not the expected one")
	// ErrStateTooLarge refuses a write after which a scope would have more than
	// MaxStateBytes.
	ErrStateTooLarge = errors.New("store: the state is larger than 64 MiB")
	// ErrStateType refuses a change that does not fit the value: adding to what is no number
	// or no list.
	ErrStateType = errors.New("store: the state value has another type")
	// ErrClosed says that the store was closed.
	ErrClosed = errors.New("store: closed")
)

// Store is all roles of a database. Its methods are safe for concurrent use. A write that
// returned nil is durable. Writes of concurrent callers share commits, so the context of
// one of them ends its waiting, never the commit.
type Store interface {
	Accepter
	Claimer
	Leaser
	Journal
	Finisher
	Canceler
	States
	Instances
	Reader
	Awaiter
	Backlog
	Results
	Schedules

	// Close ends what the store runs and releases the database. Calls under way return
	// ErrClosed or their result.
	Close() error
}

// Accepter takes executions in.
type Accepter interface {
	// Accept commits the acceptance, or finds its duplicate. With a Worker the execution is
	// claimed for it in the same commit; without, it waits for Claim. With an Outcome it
	// is over already. An id that was accepted before returns ErrConflict. A worker whose
	// lease has run out is not given a claim before Extend has told it.
	Accept(ctx context.Context, acceptance *Acceptance) (*Accepted, error)
	// AcceptAll is Accept for several in one commit: with an error, none of them is
	// accepted. The answers are in the order of the acceptances, each of which may repeat
	// an earlier one of the same call.
	AcceptAll(ctx context.Context, acceptances []*Acceptance) ([]*Accepted, error)
}

// Claimer hands accepted executions to workers.
type Claimer interface {
	// Claim waits until executions are ready to run and claims up to limit of them for the
	// worker: instances take turns, lanes of one instance too, and in each lane they come in
	// the order of their acceptance, a retry that is due before later ones. In a lane with a
	// limit one is claimed only while fewer have a seat, over all workers. Nothing of a
	// paused instance is claimed, nor of one that the worker does not serve. Of the executions
	// during which the process died twice, since their last outcome, at most one is claimed at
	// any time, in the order of their acceptance as their lanes have seats; it holds up no
	// others. Claim returns the context's cause when that ends first, and ErrLeaseLost when the
	// worker's lease has run out and Extend has not told it yet.
	Claim(ctx context.Context, worker Worker, limit int) ([]*Claim, error)
	// Release gives a claim back unfinished: the execution is ready again after the pause,
	// and neither its attempt nor the death of the process from then on counts.
	Release(ctx context.Context, claim *Claim, pause Pause) error
}

// Leaser keeps claims alive.
type Leaser interface {
	// Extend begins the worker's lease anew, for all its claims. It returns those executions
	// of them, by id, that are to be canceled. When the lease has run out it returns
	// ErrLeaseLost: the claims of until then are lost, as by a death of the process, and the
	// worker may claim again.
	Extend(ctx context.Context, worker Worker) (canceled []string, err error)
	// Claims returns the claims that the worker has, in no order: also those that it does not
	// know of, because the answer of Accept or Claim was lost.
	Claims(ctx context.Context, worker Worker) ([]*Claim, error)
}

// Canceler ends executions from outside.
type Canceler interface {
	// Cancel ends a queued or waiting execution with a final attempt of StatusCanceled, the
	// reason as its error, and returns StatusCanceled; its state of ScopeExecution is cleared.
	// Of a running one it returns StatusRunning: its worker learns of it from Extend; should
	// it die, or release the claim, the next claim says so. The first reason counts, which
	// must not be empty. What is over returns ErrConflict, what is not there ErrNotFound.
	Cancel(ctx context.Context, executionID, reason string) (Status, error)
}

// States reads what executions keep. Changes are part of acceptances, steps and outcomes.
type States interface {
	// State returns the value of a key as JSON, or ErrNotFound.
	State(ctx context.Context, scope Scope, key string) ([]byte, error)
	// StateKeys returns the keys of a scope, sorted by their bytes.
	StateKeys(ctx context.Context, scope Scope) ([]string, error)
}

// Schedules says when flows are due.
type Schedules interface {
	// PutSchedules replaces the schedules of an instance. One whose Spec is as before keeps
	// its Due and Last.
	PutSchedules(ctx context.Context, instance string, schedules []*Schedule) error
	// Schedules returns those of an instance, by flow.
	Schedules(ctx context.Context, instance string) ([]*Schedule, error)
	// ClaimSchedules waits until schedules of instances that the worker serves are due, and
	// claims up to limit of them, the longest due first: nobody gets them again for as long as the worker's lease, which
	// Extend does not prolong, unless they move on. It returns the context's cause when that
	// ends first.
	ClaimSchedules(ctx context.Context, worker Worker, limit int) ([]*Schedule, error)
	// AdvanceSchedule moves a schedule on without an execution. It returns ErrConflict if
	// the schedule has moved, or is not there any more.
	AdvanceSchedule(ctx context.Context, advance ScheduleAdvance) error
}

// Journal keeps the results of steps.
type Journal interface {
	// RecordStep commits a step's result, and its state changes. It returns ErrLeaseLost when
	// the claim is not the current one, and one of the errors of state. A key that is
	// recorded already is not written again.
	RecordStep(ctx context.Context, claim *Claim, step *Step) error
	// Steps returns the recorded steps of an execution in the order of their recording.
	Steps(ctx context.Context, executionID string) ([]*Step, error)
}

// Finisher records how an attempt ended.
type Finisher interface {
	// Finish commits the outcome of a claimed execution with its state changes, ends the
	// claim and frees the seat. It returns ErrLeaseLost when the claim is not the current
	// one, or one of the errors of state: then nothing is recorded.
	//
	// A waiting outcome is recorded as canceled if the execution is to be canceled, or has a
	// newer one with the same UniqueKey: the reason, which names that one's id, stands before
	// the error, and the state of ScopeExecution is cleared. A canceled outcome without an
	// Error has the reason that Cancel was given. Finish then sets the outcome's Status,
	// NextAttempt and Error to what was recorded.
	Finish(ctx context.Context, claim *Claim, outcome *Outcome) error
}

// Instances keeps what is deployed.
type Instances interface {
	// PutInstance writes the instance and its endpoints, if its Revision is the stored one
	// (0 for a new instance), and raises Revision by one. Otherwise, or when another
	// instance has the same integration, customer and name, it returns ErrConflict.
	PutInstance(ctx context.Context, instance *Instance) error
	// DeleteInstance removes the instance with its endpoints, its schedules, and the state of
	// it and its flows, if its Revision is the stored one; otherwise, or when it is not there,
	// it returns ErrConflict. Its executions stay, and those that are not over can be claimed,
	// also if it was paused.
	DeleteInstance(ctx context.Context, instance *Instance) error
	// Instance returns the instance with the id, or ErrNotFound.
	Instance(ctx context.Context, id string) (*Instance, error)
	// InstanceByName returns the instance of a customer, or ErrNotFound.
	InstanceByName(ctx context.Context, integration, customerID, name string) (*Instance, error)
	// InstancesOfCustomer returns the instances of the customer with the external id, also
	// those that are paused or pending, by name.
	InstancesOfCustomer(ctx context.Context, integration, externalID string) ([]*Instance, error)
	// InstanceByEndpoint returns the instance that an endpoint id belongs to, or
	// ErrNotFound.
	InstanceByEndpoint(ctx context.Context, endpointID string) (*Instance, error)
	// HasAPIKeys tells whether any instance of the integration has API keys.
	HasAPIKeys(ctx context.Context, integration string) (bool, error)
	// SharedEndpoint returns the id of the endpoint that all instances of the integration
	// share. The first call fixes it: it is the proposed one.
	SharedEndpoint(ctx context.Context, integration, proposedID string) (string, error)
}

// Watcher is a role of drivers whose database has other processes that write.
type Watcher interface {
	// AwaitInstances waits until instances were written more often than seen, by whomever,
	// and returns how often: within a second. It returns the context's cause when that ends
	// first.
	AwaitInstances(ctx context.Context, seen int64) (int64, error)
}

// Reader looks records up.
type Reader interface {
	// Execution returns the execution with all its attempts and steps, or ErrNotFound.
	Execution(ctx context.Context, id string) (*Record, error)
	// Executions returns up to limit executions that match the filter, with their attempts and
	// steps: the last accepted first, unless it says otherwise; those of a lane thus in its order.
	// after is the id of the last one of the previous page, or empty; it is ErrNotFound if there
	// is none such.
	Executions(ctx context.Context, filter Filter, after string, limit int) ([]*Record, error)
}

// Awaiter tells of executions that end.
type Awaiter interface {
	// Await waits until the execution is over and returns it, or ErrNotFound. It returns the
	// context's cause when that ends first.
	Await(ctx context.Context, id string) (*Record, error)
}

// Backlog tells what waits to be run.
type Backlog interface {
	// Queued returns, by instance, what is ready to be claimed or has to wait for a seat of
	// its lane, also where that is paused; whoever accepted it, and whether it ran before. Not
	// counted is what is claimed, or waits for its time. An instance of which nothing is queued
	// is not there.
	Queued(ctx context.Context) (map[string]Load, error)
}

// Results keeps results that callers fetch by a URL of their own.
type Results interface {
	// PutResult keeps a result until it expires, and removes some that have expired.
	PutResult(ctx context.Context, result *Result) error
	// Result returns the result with the key, or ErrNotFound, also once it has expired.
	Result(ctx context.Context, key []byte) (*Result, error)
}
