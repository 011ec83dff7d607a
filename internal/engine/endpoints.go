package engine

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/store"
)

// EndpointURL is the webhook URL of an endpoint.
func (e *Engine) EndpointURL(endpointID string) string {
	return e.options.BaseURL + "/trigger/" + endpointID
}

// shareEndpoints gives the integrations whose instances share an endpoint theirs.
func (e *Engine) shareEndpoints(ctx context.Context) error {
	for name, d := range e.definitions {
		if d.integration.EndpointType != sluice.EndpointSharedInstance {
			continue
		}
		id, err := e.options.Store.SharedEndpoint(ctx, name, newEndpointID())
		if err != nil {
			return fmt.Errorf("endpoint of integration %q: %w", name, err)
		}
		d.webhookURLs = d.reachAll(e.EndpointURL(id))
		e.shared[id] = d
	}
	return nil
}

// Resolve finds what an endpoint is for: see [Target]. It returns ErrUnknownEndpoint also for
// one of a paused or unfinished deployment.
func (e *Engine) Resolve(ctx context.Context, endpointID string) (Target, error) {
	if d, ok := e.shared[endpointID]; ok {
		return Target{definition: d}, nil
	}
	instance, err := e.load(ctx, byEndpoint(endpointID), e.options.Store.InstanceByEndpoint)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return Target{}, ErrUnknownEndpoint
	case err != nil:
		return Target{}, err
	case !isDeployed(instance.record):
		return Target{}, ErrUnknownEndpoint
	}
	for _, endpoint := range instance.record.Endpoints {
		switch {
		case endpoint.ID != endpointID:
		case endpoint.Flow != "":
			if flow, ok := instance.definition.flows[endpoint.Flow]; ok && flow.startedBy() == "" {
				return instance.of(flow), nil
			}
		case instance.definition.routing != nil:
			return Target{Instance: instance, definition: instance.definition}, nil
		}
	}
	return Target{}, ErrUnknownEndpoint
}

// webhookURLs holds, by name, the URL that reaches each flow.
func (e *Engine) webhookURLs(d *definition, endpoints []store.Endpoint) map[string]string {
	if len(endpoints) == 0 {
		return d.webhookURLs
	}
	urls := make(map[string]string, len(d.ordered))
	for _, endpoint := range endpoints {
		url := e.EndpointURL(endpoint.ID)
		if flow, ok := d.flows[endpoint.Flow]; ok && flow.startedBy() == "" {
			urls[flow.Name] = url
		} else if endpoint.Flow == "" && d.routing != nil {
			urls = d.reachAll(url)
		}
	}
	return urls
}

// reachAll maps every flow to the one URL.
func (d *definition) reachAll(url string) map[string]string {
	urls := make(map[string]string, len(d.ordered))
	for _, flow := range d.ordered {
		if flow.startedBy() == "" {
			urls[flow.Name] = url
		}
	}
	return urls
}

// endpointsOf are the endpoints that an instance has. What was there before keeps its id,
// also while its flow is gone: a version that brings the flow back finds its URL again.
func endpointsOf(d *definition, current *store.Instance) []store.Endpoint {
	switch d.integration.EndpointType {
	case sluice.EndpointSharedInstance:
		return nil
	case sluice.EndpointInstanceSpecific:
		return []store.Endpoint{{ID: endpointID(current, "")}}
	default:
		endpoints := make([]store.Endpoint, 0, len(d.ordered))
		for _, flow := range d.ordered {
			if flow.startedBy() != "" {
				continue
			}
			endpoints = append(endpoints, store.Endpoint{ID: endpointID(current, flow.StableKey), Flow: flow.StableKey})
		}
		if current == nil {
			return endpoints
		}
		for _, endpoint := range current.Endpoints {
			if _, ok := d.flows[endpoint.Flow]; !ok {
				endpoints = append(endpoints, endpoint)
			}
		}
		return endpoints
	}
}

// endpointID keeps the id that the flow's endpoint has, or draws one.
func endpointID(current *store.Instance, flow string) string {
	if current != nil {
		for _, endpoint := range current.Endpoints {
			if endpoint.Flow == flow {
				return endpoint.ID
			}
		}
	}
	return newEndpointID()
}

// newEndpointID draws 128 random bits.
func newEndpointID() string {
	var id [16]byte
	rand.Read(id[:]) // It never fails: see crypto/rand.
	return base64.RawURLEncoding.EncodeToString(id[:])
}
