// Package intercept passes the calls of a store through a function, for tests that have stores
// fail, wait or die.
package intercept

import (
	"context"

	"github.com/sluice-go/sluice/store"
)

// Around stands around a call of a method of a store: it makes the call, or not, and what it
// returns is the caller's error.
type Around func(ctx context.Context, method string, call func() error) error

// New passes the calls of a store through a function, those of every method of [store.Store].
func New(next store.Store, around Around) store.Store { return intercepted{next, around} }

type intercepted struct {
	next   store.Store
	around Around
}

// ask is around, for a call with a result: nobody gets it with an error.
func ask[T any](ctx context.Context, s intercepted, method string, call func() (T, error)) (T, error) {
	var result, none T
	if err := s.around(ctx, method, func() (err error) {
		result, err = call()
		return err
	}); err != nil {
		return none, err
	}
	return result, nil
}

func (s intercepted) Accept(ctx context.Context, acceptance *store.Acceptance) (*store.Accepted, error) {
	return ask(ctx, s, "Accept", func() (*store.Accepted, error) { return s.next.Accept(ctx, acceptance) })
}

func (s intercepted) AcceptAll(ctx context.Context, acceptances []*store.Acceptance) ([]*store.Accepted, error) {
	return ask(ctx, s, "AcceptAll", func() ([]*store.Accepted, error) { return s.next.AcceptAll(ctx, acceptances) })
}

func (s intercepted) Claim(ctx context.Context, worker store.Worker, limit int) ([]*store.Claim, error) {
	return ask(ctx, s, "Claim", func() ([]*store.Claim, error) { return s.next.Claim(ctx, worker, limit) })
}

func (s intercepted) Release(ctx context.Context, claim *store.Claim, pause store.Pause) error {
	return s.around(ctx, "Release", func() error { return s.next.Release(ctx, claim, pause) })
}

func (s intercepted) Extend(ctx context.Context, worker store.Worker) ([]string, error) {
	return ask(ctx, s, "Extend", func() ([]string, error) { return s.next.Extend(ctx, worker) })
}

func (s intercepted) Claims(ctx context.Context, worker store.Worker) ([]*store.Claim, error) {
	return ask(ctx, s, "Claims", func() ([]*store.Claim, error) { return s.next.Claims(ctx, worker) })
}

func (s intercepted) Cancel(ctx context.Context, executionID, reason string) (store.Status, error) {
	return ask(ctx, s, "Cancel", func() (store.Status, error) { return s.next.Cancel(ctx, executionID, reason) })
}

func (s intercepted) State(ctx context.Context, scope store.Scope, key string) ([]byte, error) {
	return ask(ctx, s, "State", func() ([]byte, error) { return s.next.State(ctx, scope, key) })
}

func (s intercepted) StateKeys(ctx context.Context, scope store.Scope) ([]string, error) {
	return ask(ctx, s, "StateKeys", func() ([]string, error) { return s.next.StateKeys(ctx, scope) })
}

func (s intercepted) PutSchedules(ctx context.Context, instance string, schedules []*store.Schedule) error {
	return s.around(ctx, "PutSchedules", func() error { return s.next.PutSchedules(ctx, instance, schedules) })
}

func (s intercepted) Schedules(ctx context.Context, instance string) ([]*store.Schedule, error) {
	return ask(ctx, s, "Schedules", func() ([]*store.Schedule, error) { return s.next.Schedules(ctx, instance) })
}

func (s intercepted) ClaimSchedules(ctx context.Context, worker store.Worker, limit int) ([]*store.Schedule, error) {
	return ask(ctx, s, "ClaimSchedules", func() ([]*store.Schedule, error) { return s.next.ClaimSchedules(ctx, worker, limit) })
}

func (s intercepted) AdvanceSchedule(ctx context.Context, advance store.ScheduleAdvance) error {
	return s.around(ctx, "AdvanceSchedule", func() error { return s.next.AdvanceSchedule(ctx, advance) })
}

func (s intercepted) RecordStep(ctx context.Context, claim *store.Claim, step *store.Step) error {
	return s.around(ctx, "RecordStep", func() error { return s.next.RecordStep(ctx, claim, step) })
}

func (s intercepted) Steps(ctx context.Context, executionID string) ([]*store.Step, error) {
	return ask(ctx, s, "Steps", func() ([]*store.Step, error) { return s.next.Steps(ctx, executionID) })
}

func (s intercepted) Finish(ctx context.Context, claim *store.Claim, outcome *store.Outcome) error {
	return s.around(ctx, "Finish", func() error { return s.next.Finish(ctx, claim, outcome) })
}

func (s intercepted) PutInstance(ctx context.Context, instance *store.Instance) error {
	return s.around(ctx, "PutInstance", func() error { return s.next.PutInstance(ctx, instance) })
}

func (s intercepted) DeleteInstance(ctx context.Context, instance *store.Instance) error {
	return s.around(ctx, "DeleteInstance", func() error { return s.next.DeleteInstance(ctx, instance) })
}

func (s intercepted) Instance(ctx context.Context, id string) (*store.Instance, error) {
	return ask(ctx, s, "Instance", func() (*store.Instance, error) { return s.next.Instance(ctx, id) })
}

func (s intercepted) InstanceByName(ctx context.Context, integration, customerID, name string) (*store.Instance, error) {
	return ask(ctx, s, "InstanceByName", func() (*store.Instance, error) { return s.next.InstanceByName(ctx, integration, customerID, name) })
}

func (s intercepted) InstancesOfCustomer(ctx context.Context, integration, externalID string) ([]*store.Instance, error) {
	return ask(ctx, s, "InstancesOfCustomer", func() ([]*store.Instance, error) { return s.next.InstancesOfCustomer(ctx, integration, externalID) })
}

func (s intercepted) InstanceByEndpoint(ctx context.Context, endpointID string) (*store.Instance, error) {
	return ask(ctx, s, "InstanceByEndpoint", func() (*store.Instance, error) { return s.next.InstanceByEndpoint(ctx, endpointID) })
}

func (s intercepted) HasAPIKeys(ctx context.Context, integration string) (bool, error) {
	return ask(ctx, s, "HasAPIKeys", func() (bool, error) { return s.next.HasAPIKeys(ctx, integration) })
}

func (s intercepted) SharedEndpoint(ctx context.Context, integration, proposedID string) (string, error) {
	return ask(ctx, s, "SharedEndpoint", func() (string, error) { return s.next.SharedEndpoint(ctx, integration, proposedID) })
}

func (s intercepted) Execution(ctx context.Context, id string) (*store.Record, error) {
	return ask(ctx, s, "Execution", func() (*store.Record, error) { return s.next.Execution(ctx, id) })
}

func (s intercepted) Executions(ctx context.Context, filter store.Filter, after string, limit int) ([]*store.Record, error) {
	return ask(ctx, s, "Executions", func() ([]*store.Record, error) { return s.next.Executions(ctx, filter, after, limit) })
}

func (s intercepted) Queued(ctx context.Context) (map[string]store.Load, error) {
	return ask(ctx, s, "Queued", func() (map[string]store.Load, error) { return s.next.Queued(ctx) })
}

func (s intercepted) Await(ctx context.Context, id string) (*store.Record, error) {
	return ask(ctx, s, "Await", func() (*store.Record, error) { return s.next.Await(ctx, id) })
}

func (s intercepted) PutResult(ctx context.Context, result *store.Result) error {
	return s.around(ctx, "PutResult", func() error { return s.next.PutResult(ctx, result) })
}

func (s intercepted) Result(ctx context.Context, key []byte) (*store.Result, error) {
	return ask(ctx, s, "Result", func() (*store.Result, error) { return s.next.Result(ctx, key) })
}

func (s intercepted) Close() error {
	return s.around(context.Background(), "Close", func() error { return s.next.Close() })
}
