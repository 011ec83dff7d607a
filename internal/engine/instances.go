package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sluice-go/sluice/store"
)

// Instance is a deployed instance, ready to serve.
type Instance struct {
	record      *store.Instance
	definition  *definition
	webhookURLs map[string]string
	// keys are those that callers may present, hashed, by the flow's stable key; apiKeys are
	// those that flows see, by flow name.
	keys    map[string][]keyHash
	apiKeys map[string][]string

	// The configuration is JSON, decoded when it is first asked for.
	configJSON []byte
	decode     sync.Once
	values     map[string]any
	decodeErr  error

	refusals *refusals

	// readAt is when its record was last read, as the Unix time in nanoseconds.
	readAt atomic.Int64
}

// instanceWeight estimates the memory of a cached instance in bytes.
func instanceWeight(record *store.Instance) int {
	weight := 1024 + 4*len(record.Config)
	for _, endpoint := range record.Endpoints {
		weight += 256 + 2*len(endpoint.ID) + len(endpoint.Flow)
	}
	for _, key := range record.Keys {
		weight += 512 + 2*len(key.Sealed)
	}
	return weight
}

func (e *Engine) newInstance(record *store.Instance) (*Instance, error) {
	d, err := e.definition(record.Integration)
	if err != nil {
		return nil, err
	}
	config, err := e.openConfig(record)
	if err != nil {
		return nil, err
	}
	instance := &Instance{
		record:      record,
		definition:  d,
		configJSON:  config,
		webhookURLs: e.webhookURLs(d, record.Endpoints),
		refusals:    newRefusals(),
	}
	instance.readAt.Store(time.Now().UnixNano())
	return instance, e.openKeys(instance)
}

// openKeys sets which API keys the instance takes, and which its flows see: those of the
// organization, and its own where a master key can open them.
func (e *Engine) openKeys(i *Instance) error {
	i.apiKeys = i.definition.apiKeys
	for n := range i.record.Keys {
		record := &i.record.Keys[n]
		flow, ok := i.definition.flows[record.Flow]
		if !ok || len(record.Hash) != len(keyHash{}) {
			continue
		}
		if i.keys == nil {
			i.keys, i.apiKeys = map[string][]keyHash{}, maps.Clone(i.apiKeys)
		}
		i.keys[record.Flow] = append(i.keys[record.Flow], keyHash(record.Hash))
		key, err := e.openKey(i.record, record)
		if err != nil {
			return err
		}
		if key != "" && flow.takesCustomerKeys() {
			i.apiKeys[flow.Name] = append(slices.Clip(i.apiKeys[flow.Name]), key)
		}
	}
	return nil
}

// isDeployed tells whether the instance answers requests. It does so while the hooks of its
// deployment run: a provider may call the webhook that a hook registers before it answers.
func isDeployed(record *store.Instance) bool {
	c, err := changeOf(record)
	return !record.Paused && err == nil && c.Kind != changeRemove
}

// deployed is the version that the instance is deployed in.
func (i *Instance) deployed() store.IntegrationVersion {
	return store.IntegrationVersion{Integration: i.record.Integration, Version: i.record.Version}
}

// of is the instance's target with the flow.
func (i *Instance) of(flow *Flow) Target {
	return Target{Instance: i, Flow: flow, definition: i.definition}
}

// target is a flow of the instance by its stable key.
func (i *Instance) target(flow string) (Target, error) {
	if f, ok := i.definition.flows[flow]; ok {
		return i.of(f), nil
	}
	return Target{}, fmt.Errorf("flow %q of integration %q is %w", flow, i.record.Integration, ErrNotServed)
}

// instanceKey is what an instance is known by. Strangers choose some of the ids: what is
// looked up as one kind is never found as another.
type instanceKey struct{ kind, id string }

func byID(id string) instanceKey       { return instanceKey{"instance", id} }
func byEndpoint(id string) instanceKey { return instanceKey{"endpoint", id} }

// byCustomer is the key of a customer's one deployed instance.
func byCustomer(integration, externalID string) instanceKey {
	return instanceKey{"customer", strconv.Itoa(len(integration)) + " " + integration + " " + externalID}
}

func (k instanceKey) String() string { return k.kind + " " + k.id }

// freshness is how long an instance is served as it was read: what another process makes of
// it, such as a pause or a revoked key, holds here within this time (design §5).
const freshness = time.Second

func (i *Instance) isFresh() bool { return time.Now().UnixNano()-i.readAt.Load() < int64(freshness) }

// readError says that the store could not be read: another try may pass.
type readError struct{ err error }

func (e *readError) Error() string { return e.err.Error() }
func (e *readError) Unwrap() error { return e.err }

// load returns the instance that is known by the key, from the cache or else with read,
// which gets the key's id. It logs why one that is there cannot be served.
func (e *Engine) load(
	ctx context.Context, key instanceKey, read func(context.Context, string) (*store.Instance, error),
) (*Instance, error) {
	cached, ok := e.instances.Get(key)
	if ok && cached.isFresh() {
		return cached, nil
	}
	loaded, err, _ := e.loading.Do(key.String(), func() (any, error) {
		for {
			seen := e.writesSeen()
			record, err := read(context.WithoutCancel(ctx), key.id)
			if err != nil {
				return nil, e.loadFailed(ctx, &readError{err})
			}
			if ok && record.ID == cached.record.ID && record.Revision == cached.record.Revision {
				cached.readAt.Store(time.Now().UnixNano())
				return cached, nil
			}
			instance, err := e.newInstance(record)
			if err != nil {
				e.options.Logger.ErrorContext(ctx, "an instance cannot be served", "error", err)
				return nil, err
			}
			if !e.worker.Has(instance.deployed()) && e.complaints.Allow() {
				e.options.Logger.WarnContext(ctx, "an instance is deployed in a version that is not registered here: its executions wait for a process that has it, or for Deploy",
					"instance", record.ID, "integration", record.Integration, "deployed", record.Version, "registered", instance.definition.integration.Version)
			}
			if e.remember(key, instance, seen) {
				return instance, nil
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return loaded.(*Instance), nil //nolint:errcheck // The function above returns nothing else.
}

// loadFailed logs an error of the store. That nothing is there is none.
func (e *Engine) loadFailed(ctx context.Context, err error) error {
	if _, unrouted := errors.AsType[*RouteError](err); !unrouted && !errors.Is(err, store.ErrNotFound) {
		e.options.Logger.ErrorContext(ctx, "an instance cannot be loaded", "error", err)
	}
	return err
}

func (e *Engine) writesSeen() int {
	e.caching.Lock()
	defer e.caching.Unlock()
	return e.writes
}

// remember caches an instance, unless one was written since it was read: what is cached is
// never older than the last write.
func (e *Engine) remember(key instanceKey, instance *Instance, seen int) bool {
	e.caching.Lock()
	defer e.caching.Unlock()
	if e.writes != seen {
		return false
	}
	e.instances.Put(key, instance, instanceWeight(instance.record))
	return true
}

// forget drops what is cached of an instance after it was written. Requests that arrive
// from now on are served by what was written.
func (e *Engine) forget(records ...*store.Instance) {
	e.caching.Lock()
	defer e.caching.Unlock()
	e.writes++
	drop := func(key instanceKey) {
		e.instances.Remove(key)
		e.loading.Forget(key.String())
	}
	for _, record := range records {
		if record == nil {
			continue
		}
		drop(byID(record.ID))
		drop(byCustomer(record.Integration, record.Customer.ExternalID))
		for _, endpoint := range record.Endpoints {
			drop(byEndpoint(endpoint.ID))
		}
	}
}

// config returns the values of the config variables, decoded once.
func (i *Instance) config() (map[string]any, error) {
	i.decode.Do(func() {
		i.values, i.decodeErr = i.definition.integration.DecodeConfigValues(i.configJSON)
		if i.decodeErr != nil {
			i.decodeErr = fmt.Errorf("configuration of instance %s: deploy it again: %w", i.record.ID, i.decodeErr)
		}
	})
	return i.values, i.decodeErr
}

// Record is the instance's record. It must not be changed.
func (i *Instance) Record() *store.Instance { return i.record }

// WebhookURLs holds the URL of each flow, by flow name. It is the caller's own.
func (i *Instance) WebhookURLs() map[string]string { return maps.Clone(i.webhookURLs) }
