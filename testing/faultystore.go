package sluicetest

import (
	"context"

	"github.com/sluice-go/sluice/internal/intercept"
	"github.com/sluice-go/sluice/store"
)

// faultyStore has faults strike before and after every call of a store in a life.
func faultyStore(database store.Store, l *life) store.Store {
	faulty := intercept.New(heldStore{database, l}, func(ctx context.Context, method string, call func() error) error {
		if ctx.Value(observer{}) != nil {
			return call()
		}
		return l.pass(ctx, storeCall, method, call)
	})
	if watcher, ok := database.(store.Watcher); ok {
		return watchingStore{faulty, watcher}
	}
	return faulty
}

// watchingStore is that of a store which others write to as well.
type watchingStore struct {
	store.Store
	store.Watcher
}

// observer marks the context of calls that are the test's own: no fault strikes them.
type observer struct{}

// heldStore tells a life which claims its runtime holds, and has it lose its lease.
type heldStore struct {
	store.Store
	life *life
}

func (s heldStore) Accept(ctx context.Context, acceptance *store.Acceptance) (*store.Accepted, error) {
	accepted, err := s.Store.Accept(ctx, acceptance)
	s.life.accepted(accepted)
	return accepted, err
}

func (s heldStore) AcceptAll(ctx context.Context, acceptances []*store.Acceptance) ([]*store.Accepted, error) {
	accepted, err := s.Store.AcceptAll(ctx, acceptances)
	s.life.accepted(accepted...)
	return accepted, err
}

func (s heldStore) Claim(ctx context.Context, worker store.Worker, limit int) ([]*store.Claim, error) {
	claims, err := s.Store.Claim(ctx, worker, limit)
	s.life.claimed(claims...)
	return claims, err
}

func (s heldStore) Release(ctx context.Context, claim *store.Claim, pause store.Pause) error {
	return s.life.ending(claim, s.Store.Release(ctx, claim, pause))
}

func (s heldStore) Extend(ctx context.Context, worker store.Worker) ([]string, error) {
	if s.life.takeLapse() {
		return nil, store.ErrLeaseLost
	}
	return s.Store.Extend(ctx, worker)
}

func (s heldStore) RecordStep(ctx context.Context, claim *store.Claim, step *store.Step) error {
	return s.life.pass(ctx, stepRecord, step.Name, func() error { return s.Store.RecordStep(ctx, claim, step) })
}

func (s heldStore) Finish(ctx context.Context, claim *store.Claim, outcome *store.Outcome) error {
	return s.life.ending(claim, s.Store.Finish(ctx, claim, outcome))
}
