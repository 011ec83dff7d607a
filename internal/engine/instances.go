package engine

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/time/rate"

	"github.com/sluice-go/sluice/store"
)

// Instance is a deployed instance, ready to serve.
type Instance struct {
	record      *store.Instance
	definition  *definition
	webhookURLs map[string]string

	// The configuration is decoded when it is first asked for.
	decode    sync.Once
	values    map[string]any
	decodeErr error

	// refusals bounds how many refused requests are recorded.
	refusals *rate.Limiter
}

// The rate at which refused requests of one instance are recorded, and the burst.
const (
	refusalsPerSecond = 1
	refusalsBurst     = 20
)

// instanceWeight estimates the memory of a cached instance in bytes.
func instanceWeight(record *store.Instance) int {
	weight := 1024 + 4*len(record.Config)
	for _, endpoint := range record.Endpoints {
		weight += 256 + 2*len(endpoint.ID) + len(endpoint.Flow)
	}
	return weight
}

func (e *Engine) newInstance(record *store.Instance) (*Instance, error) {
	d, err := e.definition(record.Integration)
	if err != nil {
		return nil, err
	}
	return &Instance{
		record:      record,
		definition:  d,
		webhookURLs: e.webhookURLs(d, record.Endpoints),
		refusals:    newRefusals(),
	}, nil
}

func newRefusals() *rate.Limiter { return rate.NewLimiter(refusalsPerSecond, refusalsBurst) }

// isDeployed tells whether the instance answers requests.
func isDeployed(record *store.Instance) bool { return !record.Paused && !record.Pending }

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

// load returns the instance that is known by its id, an endpoint's or a customerKey, from
// the cache or else with read.
func (e *Engine) load(
	ctx context.Context, id string, read func(context.Context, string) (*store.Instance, error),
) (*Instance, error) {
	if instance, ok := e.instances.Get(id); ok {
		return instance, nil
	}
	loaded, err, _ := e.loading.Do(id, func() (any, error) {
		for {
			seen := e.deploys.Load()
			record, err := read(context.WithoutCancel(ctx), id)
			if err != nil {
				return nil, err
			}
			instance, err := e.newInstance(record)
			if err != nil {
				return nil, err
			}
			e.instances.Put(id, instance, instanceWeight(record))
			if e.deploys.Load() == seen {
				return instance, nil
			}
			e.instances.Remove(id) // It may be older than what was deployed meanwhile.
		}
	})
	if err != nil {
		return nil, err
	}
	return loaded.(*Instance), nil //nolint:errcheck // The function above returns nothing else.
}

// forget drops what is cached of an instance after it was written.
func (e *Engine) forget(records ...*store.Instance) {
	e.deploys.Add(1)
	for _, record := range records {
		if record == nil {
			continue
		}
		e.instances.Remove(record.ID)
		e.instances.Remove(customerKey(record.Integration, record.Customer.ExternalID))
		for _, endpoint := range record.Endpoints {
			e.instances.Remove(endpoint.ID)
		}
	}
}

// config returns the values of the config variables, decoded once.
func (i *Instance) config() (map[string]any, error) {
	i.decode.Do(func() {
		i.values, i.decodeErr = i.definition.integration.DecodeConfigValues(i.record.Config)
		if i.decodeErr != nil {
			i.decodeErr = fmt.Errorf("configuration of instance %s: deploy it again: %w", i.record.ID, i.decodeErr)
		}
	})
	return i.values, i.decodeErr
}

// Record is the instance's record. It must not be changed.
func (i *Instance) Record() *store.Instance { return i.record }

// WebhookURLs holds the URL of each flow, by flow name. It must not be changed.
func (i *Instance) WebhookURLs() map[string]string { return i.webhookURLs }
