// Package store is what the engine asks of a database. The interface is cut by role; a
// driver implements all of them: package sqlite for one owning process, later package
// postgres for many. Drivers pass the suite in package storetest.
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
	// ErrClosed says that the store was closed.
	ErrClosed = errors.New("store: closed")
)

// Store is all roles of a database. Its methods are safe for concurrent use. A write that
// returned nil is durable. Writes of concurrent callers share commits, so the context of
// one of them ends its waiting, never the commit.
type Store interface {
	Accepter
	Claimer
	Journal
	Finisher
	Instances
	Reader
	Results

	// Close ends what the store runs and releases the database. Calls under way return
	// ErrClosed or their result.
	Close() error
}

// Accepter takes executions in.
type Accepter interface {
	// Accept commits the acceptance, or finds its duplicate. With a Worker the execution is
	// claimed for it in the same commit; without, it waits for Claim. With an Outcome it
	// is over already. An id that was accepted before returns ErrConflict.
	Accept(ctx context.Context, acceptance *Acceptance) (*Accepted, error)
	// AcceptAll is Accept for several in one commit: with an error, none of them is
	// accepted. The answers are in the order of the acceptances, each of which may repeat
	// an earlier one of the same call.
	AcceptAll(ctx context.Context, acceptances []*Acceptance) ([]*Accepted, error)
}

// Claimer hands accepted executions to workers.
type Claimer interface {
	// Claim waits until executions are ready to run and claims up to limit of them for the
	// worker: those of one lane in the order of their acceptance, lanes in turn. Of those
	// during which the process died twice, since their last outcome, at most one is claimed
	// at any time, in the order of their acceptance; it holds up no others. It returns the context's cause when that ends
	// first.
	Claim(ctx context.Context, worker string, limit int) ([]*Claim, error)
	// Release gives a claim back unfinished: the execution is ready again at once, and
	// neither its attempt nor the death of the process from then on counts.
	Release(ctx context.Context, claim *Claim) error
}

// Journal keeps the results of steps.
type Journal interface {
	// RecordStep commits a step's result. It returns ErrLeaseLost when the claim is not the
	// current one. A key that is recorded already is not written again.
	RecordStep(ctx context.Context, claim *Claim, step *Step) error
	// Steps returns the recorded steps of an execution in the order of their recording.
	Steps(ctx context.Context, executionID string) ([]*Step, error)
}

// Finisher records how an attempt ended.
type Finisher interface {
	// Finish commits the outcome of a claimed execution and ends the claim. It returns
	// ErrLeaseLost when the claim is not the current one: the outcome is not recorded.
	Finish(ctx context.Context, claim *Claim, outcome *Outcome) error
}

// Instances keeps what is deployed.
type Instances interface {
	// PutInstance writes the instance and its endpoints, if its Revision is the stored one
	// (0 for a new instance), and raises Revision by one. Otherwise, or when another
	// instance has the same integration, customer and name, it returns ErrConflict.
	PutInstance(ctx context.Context, instance *Instance) error
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

// Reader looks records up.
type Reader interface {
	// Execution returns the execution with all its attempts and steps, or ErrNotFound.
	Execution(ctx context.Context, id string) (*Record, error)
	// Executions returns up to limit executions that match the filter, newest first, with
	// their attempts and steps. after is the id of the last one of the previous page.
	Executions(ctx context.Context, filter Filter, after string, limit int) ([]*Record, error)
}

// Results keeps results that callers fetch by a URL of their own.
type Results interface {
	// PutResult keeps a result until it expires, and removes some that have expired.
	PutResult(ctx context.Context, result *Result) error
	// Result returns the result with the key, or ErrNotFound, also once it has expired.
	Result(ctx context.Context, key []byte) (*Result, error)
}
