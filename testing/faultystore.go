package sluicetest

import (
	"context"

	"github.com/sluice-go/sluice/store"
)

// faultyStore stands between a runtime and its store. Every method of the interface has faults
// strike before and after it.
type faultyStore struct{ *life }

// watchingStore is that of a store which others write to as well.
type watchingStore struct {
	faultyStore
	store.Watcher
}

// observer marks the context of calls that are the test's own: no fault strikes them.
type observer struct{}

// passing makes a call of the store that has no result, with the faults that strike it.
func (s faultyStore) passing(ctx context.Context, method string, call func() error) error {
	if ctx.Value(observer{}) != nil {
		return call()
	}
	return s.pass(ctx, storeCall, method, call)
}

// asking is passing, for a call with a result: nobody gets it with an error.
func asking[T any](ctx context.Context, s faultyStore, method string, call func() (T, error)) (T, error) {
	var result, none T
	if err := s.passing(ctx, method, func() (err error) {
		result, err = call()
		return err
	}); err != nil {
		return none, err
	}
	return result, nil
}

func (s faultyStore) Accept(ctx context.Context, acceptance *store.Acceptance) (*store.Accepted, error) {
	return asking(ctx, s, "Accept", func() (*store.Accepted, error) {
		accepted, err := s.store.Accept(ctx, acceptance)
		s.accepted(accepted)
		return accepted, err
	})
}

func (s faultyStore) AcceptAll(ctx context.Context, acceptances []*store.Acceptance) ([]*store.Accepted, error) {
	return asking(ctx, s, "AcceptAll", func() ([]*store.Accepted, error) {
		accepted, err := s.store.AcceptAll(ctx, acceptances)
		s.accepted(accepted...)
		return accepted, err
	})
}

func (s faultyStore) Claim(ctx context.Context, worker store.Worker, limit int) ([]*store.Claim, error) {
	return asking(ctx, s, "Claim", func() ([]*store.Claim, error) {
		claims, err := s.store.Claim(ctx, worker, limit)
		s.claimed(claims...)
		return claims, err
	})
}

func (s faultyStore) Release(ctx context.Context, claim *store.Claim, pause store.Pause) error {
	return s.passing(ctx, "Release", func() error {
		return s.ending(claim, s.store.Release(ctx, claim, pause))
	})
}

func (s faultyStore) Extend(ctx context.Context, worker store.Worker) ([]string, error) {
	return asking(ctx, s, "Extend", func() ([]string, error) {
		if s.takeLapse() {
			return nil, store.ErrLeaseLost
		}
		return s.store.Extend(ctx, worker)
	})
}

func (s faultyStore) Claims(ctx context.Context, worker store.Worker) ([]*store.Claim, error) {
	return asking(ctx, s, "Claims", func() ([]*store.Claim, error) { return s.store.Claims(ctx, worker) })
}

func (s faultyStore) Cancel(ctx context.Context, executionID, reason string) (store.Status, error) {
	return asking(ctx, s, "Cancel", func() (store.Status, error) { return s.store.Cancel(ctx, executionID, reason) })
}

func (s faultyStore) State(ctx context.Context, scope store.Scope, key string) ([]byte, error) {
	return asking(ctx, s, "State", func() ([]byte, error) { return s.store.State(ctx, scope, key) })
}

func (s faultyStore) StateKeys(ctx context.Context, scope store.Scope) ([]string, error) {
	return asking(ctx, s, "StateKeys", func() ([]string, error) { return s.store.StateKeys(ctx, scope) })
}

func (s faultyStore) PutSchedules(ctx context.Context, instance string, schedules []*store.Schedule) error {
	return s.passing(ctx, "PutSchedules", func() error { return s.store.PutSchedules(ctx, instance, schedules) })
}

func (s faultyStore) Schedules(ctx context.Context, instance string) ([]*store.Schedule, error) {
	return asking(ctx, s, "Schedules", func() ([]*store.Schedule, error) { return s.store.Schedules(ctx, instance) })
}

func (s faultyStore) ClaimSchedules(ctx context.Context, worker store.Worker, limit int) ([]*store.Schedule, error) {
	return asking(ctx, s, "ClaimSchedules", func() ([]*store.Schedule, error) { return s.store.ClaimSchedules(ctx, worker, limit) })
}

func (s faultyStore) AdvanceSchedule(ctx context.Context, advance store.ScheduleAdvance) error {
	return s.passing(ctx, "AdvanceSchedule", func() error { return s.store.AdvanceSchedule(ctx, advance) })
}

func (s faultyStore) RecordStep(ctx context.Context, claim *store.Claim, step *store.Step) error {
	return s.passing(ctx, "RecordStep", func() error {
		return s.pass(ctx, stepRecord, step.Name, func() error { return s.store.RecordStep(ctx, claim, step) })
	})
}

func (s faultyStore) Steps(ctx context.Context, executionID string) ([]*store.Step, error) {
	return asking(ctx, s, "Steps", func() ([]*store.Step, error) { return s.store.Steps(ctx, executionID) })
}

func (s faultyStore) Finish(ctx context.Context, claim *store.Claim, outcome *store.Outcome) error {
	return s.passing(ctx, "Finish", func() error {
		return s.ending(claim, s.store.Finish(ctx, claim, outcome))
	})
}

func (s faultyStore) PutInstance(ctx context.Context, instance *store.Instance) error {
	return s.passing(ctx, "PutInstance", func() error { return s.store.PutInstance(ctx, instance) })
}

func (s faultyStore) DeleteInstance(ctx context.Context, instance *store.Instance) error {
	return s.passing(ctx, "DeleteInstance", func() error { return s.store.DeleteInstance(ctx, instance) })
}

func (s faultyStore) Instance(ctx context.Context, id string) (*store.Instance, error) {
	return asking(ctx, s, "Instance", func() (*store.Instance, error) { return s.store.Instance(ctx, id) })
}

func (s faultyStore) InstanceByName(ctx context.Context, integration, customerID, name string) (*store.Instance, error) {
	return asking(ctx, s, "InstanceByName", func() (*store.Instance, error) { return s.store.InstanceByName(ctx, integration, customerID, name) })
}

func (s faultyStore) InstancesOfCustomer(ctx context.Context, integration, externalID string) ([]*store.Instance, error) {
	return asking(ctx, s, "InstancesOfCustomer", func() ([]*store.Instance, error) { return s.store.InstancesOfCustomer(ctx, integration, externalID) })
}

func (s faultyStore) InstanceByEndpoint(ctx context.Context, endpointID string) (*store.Instance, error) {
	return asking(ctx, s, "InstanceByEndpoint", func() (*store.Instance, error) { return s.store.InstanceByEndpoint(ctx, endpointID) })
}

func (s faultyStore) HasAPIKeys(ctx context.Context, integration string) (bool, error) {
	return asking(ctx, s, "HasAPIKeys", func() (bool, error) { return s.store.HasAPIKeys(ctx, integration) })
}

func (s faultyStore) SharedEndpoint(ctx context.Context, integration, proposedID string) (string, error) {
	return asking(ctx, s, "SharedEndpoint", func() (string, error) { return s.store.SharedEndpoint(ctx, integration, proposedID) })
}

func (s faultyStore) Execution(ctx context.Context, id string) (*store.Record, error) {
	return asking(ctx, s, "Execution", func() (*store.Record, error) { return s.store.Execution(ctx, id) })
}

func (s faultyStore) Executions(ctx context.Context, filter store.Filter, after string, limit int) ([]*store.Record, error) {
	return asking(ctx, s, "Executions", func() ([]*store.Record, error) { return s.store.Executions(ctx, filter, after, limit) })
}

func (s faultyStore) Queued(ctx context.Context) (map[string]store.Load, error) {
	return asking(ctx, s, "Queued", func() (map[string]store.Load, error) { return s.store.Queued(ctx) })
}

func (s faultyStore) Await(ctx context.Context, id string) (*store.Record, error) {
	return asking(ctx, s, "Await", func() (*store.Record, error) { return s.store.Await(ctx, id) })
}

func (s faultyStore) PutResult(ctx context.Context, result *store.Result) error {
	return s.passing(ctx, "PutResult", func() error { return s.store.PutResult(ctx, result) })
}

func (s faultyStore) Result(ctx context.Context, key []byte) (*store.Result, error) {
	return asking(ctx, s, "Result", func() (*store.Result, error) { return s.store.Result(ctx, key) })
}

func (s faultyStore) Close() error {
	return s.passing(context.Background(), "Close", func() error { return s.store.Close() })
}
