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
}

// deployTries bounds how often a deployment starts over because another one came between.
const deployTries = 5

// Deploy brings an instance to the registered version of its integration and the given
// configuration, and runs the hooks if either changed. An instance that is so already is
// left alone.
func (e *Engine) Deploy(ctx context.Context, d Deployment) (*Instance, error) {
	def, err := e.definition(d.Integration)
	if err != nil {
		return nil, err
	}
	if d.Name == "" {
		d.Name = def.integration.Name
	}
	for range deployTries {
		instance, err := e.deployOnce(ctx, def, d)
		if !errors.Is(err, store.ErrConflict) {
			return instance, err
		}
	}
	return nil, fmt.Errorf("instance %q is being deployed elsewhere at the same time: %w", d.Name, store.ErrConflict)
}

func (e *Engine) deployOnce(ctx context.Context, def *definition, d Deployment) (*Instance, error) {
	current, err := e.options.Store.InstanceByName(ctx, def.integration.Name, d.Customer.ID, d.Name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	config, err := e.nextConfig(current, def, d.Config)
	if err != nil {
		return nil, err
	}
	next, err := nextRecord(current, def, d, config)
	if err != nil {
		return nil, err
	}
	same, err := e.deployedSame(current, next)
	if err != nil {
		return nil, err
	}
	if same {
		return e.sealDeployed(ctx, current)
	}
	next.Pending = true
	if _, err := e.seal(next); err != nil {
		return nil, err
	}
	if err := e.putInstance(ctx, current, next); err != nil {
		return nil, err
	}
	instance, err := e.newInstance(next)
	if err != nil {
		return nil, err
	}
	if err := e.runDeployHooks(ctx, instance); err != nil {
		return nil, errors.Join(err, e.undoDeploy(ctx, current, next))
	}
	deployed := *next
	deployed.Pending = false
	if err := e.conclude(ctx, next, &deployed); err != nil {
		return nil, err
	}
	return e.newInstance(&deployed)
}

// putInstance writes the record and drops what is cached of it and of its predecessor. It
// heeds no end of the context: what may have been written must not stay cached.
func (e *Engine) putInstance(ctx context.Context, previous, next *store.Instance) error {
	err := e.options.Store.PutInstance(context.WithoutCancel(ctx), next)
	e.forget(previous, next)
	return err
}

// conclude writes the end of a deployment over its pending record, with the API keys as
// they are by then: a key that was revoked while the hooks ran stays so.
func (e *Engine) conclude(ctx context.Context, pending, next *store.Instance) error {
	for {
		err := e.putInstance(ctx, pending, next)
		if !errors.Is(err, store.ErrConflict) {
			return err
		}
		stored, readErr := e.options.Store.Instance(ctx, next.ID)
		if readErr != nil {
			return readErr
		}
		if !stored.Pending || stored.Version != pending.Version || !bytes.Equal(stored.Config, pending.Config) {
			return err
		}
		next.Revision, next.Keys = stored.Revision, stored.Keys
	}
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
	return e.newInstance(&sealed)
}

// undoDeploy puts the previous deployment back. A first one is paused: it answers no
// requests until it is deployed again.
func (e *Engine) undoDeploy(ctx context.Context, previous, next *store.Instance) error {
	undone := *next
	undone.Paused = true
	if previous != nil {
		undone = *previous
		undone.Revision = next.Revision
	}
	return e.conclude(context.WithoutCancel(ctx), next, &undone)
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
		next.Paused = current.Paused && !current.Pending // A failed first deployment was paused by it.
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

// deployedSame tells whether nothing would change and every hook has run. The next record
// is not sealed yet.
func (e *Engine) deployedSame(current, next *store.Instance) (bool, error) {
	if current == nil || current.Pending || current.Version != next.Version || current.Customer != next.Customer ||
		!slices.Equal(current.Endpoints, next.Endpoints) {
		return false, nil
	}
	config, err := e.openConfig(current)
	return bytes.Equal(config, next.Config), err
}

// runDeployHooks calls what wants to know of a deployment, flow by flow in their order:
// OnInstanceDeploy of all, then the webhook handlers of all.
func (e *Engine) runDeployHooks(ctx context.Context, instance *Instance) error {
	flows := instance.definition.ordered
	for _, flow := range flows {
		if err := e.runHook(ctx, instance.of(flow), "OnInstanceDeploy", flow.OnInstanceDeploy); err != nil {
			return err
		}
	}
	for _, flow := range flows {
		if flow.WebhookLifecycleHandlers == nil {
			continue
		}
		create := flow.WebhookLifecycleHandlers.Create
		if err := e.runHook(ctx, instance.of(flow), "WebhookLifecycleHandlers.Create", create); err != nil {
			return err
		}
	}
	return nil
}

// hookTimeout is how long a hook may take.
const hookTimeout = 30 * time.Second

func (e *Engine) runHook(ctx context.Context, target Target, name string, hook sluice.LifecycleFunc) error {
	if hook == nil {
		return nil
	}
	x, err := e.newExecution(target, sluice.InvokeDeploy)
	if err != nil {
		return err
	}
	if err := x.call(ctx, hookTimeout, func(ctx context.Context) error {
		ctx, run := x.newRun(ctx, &sluice.TriggerPayload{})
		_, err := hook(ctx, run)
		return err
	}); err != nil {
		return fmt.Errorf("flow %q: %s: %w", target.Flow.Name, name, err)
	}
	return nil
}
