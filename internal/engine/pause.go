package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/store"
)

// ErrUndeployed says that an instance has no deployment that came to its end.
var ErrUndeployed = errors.New("its deployment did not come to its end: deploy it first")

// unfinishedError says which change did not come to its end, and what brings it there.
func unfinishedError(kind changeKind) error {
	switch kind {
	case changePause:
		return errors.New("its pause did not come to its end: pause it again")
	case changeResume:
		return errors.New("its resumption did not come to its end: resume it again")
	case changeRemove:
		return errors.New("its removal did not come to its end: delete it")
	default:
		return ErrUndeployed
	}
}

// Pause takes an instance's webhooks down, and ends that it answers requests and that its
// executions start. One that is paused is left alone. An error of a handler does not keep the
// instance from being paused.
func (e *Engine) Pause(ctx context.Context, instanceID string) error {
	return e.makeChange(instanceID, func() error { return e.pauseOnce(ctx, instanceID) })
}

func (e *Engine) pauseOnce(ctx context.Context, instanceID string) error {
	current, c, err := e.startChange(ctx, changePause, instanceID)
	if err != nil {
		return err
	}
	if current.Paused {
		_, err = e.serveDeployed(ctx, current)
		return err
	}
	m, err := e.beginChange(ctx, c, current, current)
	if err != nil {
		return err
	}
	defer m.end()
	instance, err := e.newInstance(m.record())
	if err == nil {
		err = m.lifecycle(instance, sluice.ReasonPaused).takeDown(ctx, downward(instance.definition.ordered))
	}
	if concluded := m.conclude(ctx, func(record *store.Instance) { record.Paused = true }); concluded != nil {
		return errors.Join(err, concluded)
	}
	_, scheduled := e.serveDeployed(ctx, m.record())
	return errors.Join(err, scheduled)
}

// Resume ends a pause: the instance answers again, its executions start, its webhooks are put
// up. If a handler fails, it stays paused. One that is not paused is left alone.
func (e *Engine) Resume(ctx context.Context, instanceID string) error {
	return e.makeChange(instanceID, func() error { return e.resumeOnce(ctx, instanceID) })
}

func (e *Engine) resumeOnce(ctx context.Context, instanceID string) error {
	current, c, err := e.startChange(ctx, changeResume, instanceID)
	if err != nil {
		return err
	}
	if !current.Paused && !current.Pending {
		_, err = e.serveDeployed(ctx, current)
		return err
	}
	next := *current
	next.Paused = false
	_, err = e.establish(ctx, c, current, &next, sluice.ReasonResumed)
	return err
}

// startChange finds an instance that is deployed, when nobody else makes anything of it, and
// the change of the kind that it goes into. An unfinished one of that kind is gone on with.
func (e *Engine) startChange(ctx context.Context, kind changeKind, instanceID string) (*store.Instance, change, error) {
	current, err := e.options.Store.Instance(ctx, instanceID)
	if err == nil {
		current, err = e.settled(ctx, current)
	}
	if err != nil {
		return nil, change{}, err
	}
	c, err := e.nextChange(kind, current, true)
	if err != nil {
		return nil, change{}, err
	}
	unfinished, err := changeOf(current)
	if err == nil && current.Pending && (unfinished.Kind != kind || c.Previous == nil) {
		err = fmt.Errorf("instance %s: %w", instanceID, unfinishedError(unfinished.Kind))
	}
	return current, c, err
}
