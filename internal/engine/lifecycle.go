package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/store"
)

// Deployment asks for an instance of an integration.
type Deployment struct {
	// Integration by name; empty is the only registered one.
	Integration string
	// Customer by its ExternalID.
	Customer store.Customer
	// Name of the instance; empty is the integration's name.
	Name string
	// Config holds the values of config variables by key; nil keeps what is configured.
	Config map[string]any
	// Force runs the hooks even if nothing changed.
	Force bool
}

// Deploy brings an instance to the registered version of its integration and the given
// configuration, and runs the hooks if either changed. An instance that is so already is
// left alone. A paused one stays paused.
func (e *Engine) Deploy(ctx context.Context, d Deployment) (*Instance, error) {
	def, err := e.definition(d.Integration)
	if err != nil {
		return nil, err
	}
	if d.Name == "" {
		d.Name = def.integration.Name
	}
	var instance *Instance
	err = e.makeChange(d.Name, func() (err error) {
		instance, err = e.deployOnce(ctx, def, d)
		return err
	})
	return instance, err
}

func (e *Engine) deployOnce(ctx context.Context, def *definition, d Deployment) (*Instance, error) {
	current, err := e.deployedByName(ctx, def, d)
	if err != nil {
		return nil, err
	}
	config, err := e.nextConfig(current, def, d.Config)
	if err != nil {
		return nil, err
	}
	if err := def.checkInputs(config); err != nil {
		return nil, err
	}
	next, err := nextRecord(current, def, d, config)
	if err != nil {
		return nil, err
	}
	same, err := e.sameDeployment(current, next)
	if err != nil {
		return nil, err
	}
	if same && !current.Pending && !d.Force {
		return e.sealDeployed(ctx, current)
	}
	c, err := e.nextChange(changeDeploy, current, same)
	if err != nil {
		return nil, err
	}
	reason, err := e.reasonOf(c.Previous, next)
	if err != nil {
		return nil, err
	}
	if _, err := e.seal(next); err != nil {
		return nil, err
	}
	return e.establish(ctx, c, current, next, reason)
}

// deployedByName is the record that the deployment replaces, when nobody else makes anything
// of it; nil if there is none.
func (e *Engine) deployedByName(ctx context.Context, def *definition, d Deployment) (*store.Instance, error) {
	current, err := e.options.Store.InstanceByName(ctx, def.integration.Name, d.Customer.ID, d.Name)
	if err == nil {
		current, err = e.settled(ctx, current)
	}
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, nil //nolint:nilnil // There is none, which is no error.
	case err != nil:
		return nil, err
	}
	c, err := changeOf(current)
	if err == nil && c.Kind == changeRemove {
		err = fmt.Errorf("instance %q is being removed, which did not come to its end: delete it (%s) before it is deployed again", d.Name, current.ID)
	}
	return current, err
}

// nextChange is the change that replaces the deployment in the current record. One of the
// same kind and deployment that did not come to its end is gone on with: what it has started
// is not started again.
func (e *Engine) nextChange(kind changeKind, current *store.Instance, same bool) (change, error) {
	next := change{Kind: kind}
	if current == nil {
		return next, nil
	}
	unfinished, err := changeOf(current)
	if err != nil {
		return next, err
	}
	if same && unfinished.Kind == kind {
		next.ID = unfinished.ID
	}
	next.Previous, err = e.previousOf(current)
	return next, err
}

// previousOf is the deployment that a record stands for: the one before, if its own did not
// come to its end; nil if none ever did.
func (e *Engine) previousOf(current *store.Instance) (*store.Instance, error) {
	if current.Pending {
		c, err := changeOf(current)
		return c.Previous, err
	}
	previous := *current
	_, err := e.seal(&previous)
	previous.Keys = nil // They are not undone.
	return &previous, err
}

// reasonOf tells why the next record comes after the previous deployment.
func (e *Engine) reasonOf(previous, next *store.Instance) (sluice.DeploymentReason, error) {
	if previous == nil {
		return sluice.ReasonDeployed, nil
	}
	config, err := e.openConfig(previous)
	if err != nil {
		return "", err
	}
	coming, err := e.openConfig(next)
	switch {
	case err != nil:
		return "", err
	case previous.Version != next.Version:
		return sluice.ReasonUpgraded, nil
	case !bytes.Equal(config, coming):
		return sluice.ReasonConfigured, nil
	case previous.Paused && !next.Paused:
		return sluice.ReasonResumed, nil
	default:
		return sluice.ReasonRedeployed, nil
	}
}

// establish brings an instance to its next record. The hooks run in between; if one fails,
// what was done is undone.
func (e *Engine) establish(
	ctx context.Context, c change, current, next *store.Instance, reason sluice.DeploymentReason,
) (*Instance, error) {
	m, err := e.beginChange(ctx, c, current, next)
	if err != nil {
		return nil, err
	}
	defer m.end()
	instance, err := e.newInstance(m.record())
	if err != nil {
		return nil, err
	}
	l := m.lifecycle(instance, reason)
	if err := l.deploy(ctx); err != nil {
		if e.work.Err() != nil {
			return nil, errors.Join(err, m.abandon(ctx))
		}
		return nil, errors.Join(err, m.undo(ctx, l))
	}
	if err := m.conclude(ctx, func(*store.Instance) {}); err != nil {
		return nil, err
	}
	return e.serveDeployed(ctx, m.record())
}

// undo takes down the webhooks that were put up and puts the previous deployment back. A
// first one is paused: it answers no requests until it is deployed again.
func (m *making) undo(ctx context.Context, failed *lifecycle) error {
	ctx = context.WithoutCancel(ctx)
	previous := m.change.Previous
	failed.attributes.Reason = sluice.ReasonRestored
	created := slices.Clone(failed.created)
	slices.Reverse(created)
	errs := []error{failed.takeDown(ctx, created)}
	if previous == nil {
		c, err := change{Kind: m.change.Kind}.encode()
		return errors.Join(append(errs, err, m.write(ctx, func(record *store.Instance) {
			record.Paused, record.Change = true, c
		}))...)
	}
	if !previous.Paused {
		errs = append(errs, failed.putBack(ctx, previous))
	}
	return errors.Join(append(errs, m.conclude(ctx, func(record *store.Instance) {
		restored := *previous
		restored.Keys, restored.Revision = record.Keys, record.Revision
		*record = restored
	}))...)
}

// putInstance writes the record and drops what is cached of it and of its predecessor. It
// heeds no end of the context: what may have been written must not stay cached.
func (e *Engine) putInstance(ctx context.Context, previous, next *store.Instance) error {
	err := e.options.Store.PutInstance(context.WithoutCancel(ctx), next)
	e.forget(previous, next)
	return err
}

// sealDeployed makes an instance ready that is deployed already, and sees to it that its
// secrets are sealed with the first master key.
func (e *Engine) sealDeployed(ctx context.Context, current *store.Instance) (*Instance, error) {
	sealed := *current
	changed, err := e.seal(&sealed)
	if err != nil {
		return nil, err
	}
	if changed {
		if err := e.putInstance(ctx, current, &sealed); err != nil {
			return nil, err
		}
	}
	return e.serveDeployed(ctx, &sealed)
}

// serveDeployed makes an instance ready whose deployment has come to its end, and brings its
// schedules to what it says.
func (e *Engine) serveDeployed(ctx context.Context, record *store.Instance) (*Instance, error) {
	instance, err := e.newInstance(record)
	if err != nil {
		return nil, err
	}
	if err := e.putSchedules(ctx, instance); err != nil {
		return nil, fmt.Errorf("deployed, but without its schedules: try again: %w", err)
	}
	return instance, nil
}

// nextConfig is the configuration that the deployment asks for, validated; nil values keep
// what is configured.
func (e *Engine) nextConfig(current *store.Instance, def *definition, values map[string]any) ([]byte, error) {
	var err error
	if values == nil && current != nil {
		configured, openErr := e.openConfig(current)
		if openErr != nil {
			return nil, openErr
		}
		values, err = def.integration.DecodeConfigValues(configured)
	} else {
		values, err = def.integration.ConfigValues(values)
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(values)
}

// nextRecord is the record that the deployment asks for.
func nextRecord(current *store.Instance, def *definition, d Deployment, config []byte) (*store.Instance, error) {
	next := &store.Instance{Name: d.Name, Integration: def.integration.Name}
	if current != nil {
		*next = *current
		c, err := changeOf(current)
		if err != nil {
			return nil, err
		}
		next.Pending, next.Change = false, nil
		if neverDeployed := current.Pending && c.Previous == nil; neverDeployed {
			next.Paused = false // It was paused because it failed.
		}
	} else {
		id, err := uuid.NewV7()
		if err != nil {
			return nil, err
		}
		next.ID = id.String()
	}
	next.Version = def.integration.Version
	next.Customer = d.Customer
	next.Config = config
	next.DeployedAt = time.Now().UTC()
	next.Endpoints = endpointsOf(def, current)
	return next, nil
}

// sameDeployment tells whether the next record, which is not sealed yet, is the deployment
// that stands in the current one.
func (e *Engine) sameDeployment(current, next *store.Instance) (bool, error) {
	if current == nil || current.Version != next.Version || current.Customer != next.Customer ||
		!slices.Equal(current.Endpoints, next.Endpoints) {
		return false, nil
	}
	config, err := e.openConfig(current)
	return bytes.Equal(config, next.Config), err
}
