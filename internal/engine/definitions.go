package engine

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/internal/variant"
	"github.com/sluice-go/sluice/store"
)

// definition is a registered integration, with its flows by stable key and in their order.
type definition struct {
	integration *sluice.Integration
	flows       map[string]*Flow
	ordered     []*Flow
	// apiKeys are the organization's keys by flow name, as flows see them; a flow without
	// any has an empty list.
	apiKeys map[string][]string
	// routing finds the flow of a request; nil where each flow has an endpoint of its own.
	routing *routing
	// webhookURLs are those of the endpoint that all instances share; nil if they do not.
	webhookURLs map[string]string
	// components are the code of those that it may refer to, by key.
	components map[string]sluice.Component
	// refusals are those of requests to it.
	refusals *refusals
}

// Flow is a registered flow, with what its definition says parsed once.
type Flow struct {
	*sluice.Flow
	// trigger is the flow's Trigger, never a pointer; nil is none.
	trigger any
	// component is the trigger of a component that the flow refers to; nil is none.
	component *componentTrigger
	// onDeploy and onDelete are its OnInstanceDeploy and OnInstanceDelete, webhooks its
	// WebhookLifecycleHandlers, after those of its component.
	onDeploy, onDelete []sluice.LifecycleFunc
	webhooks           []*sluice.WebhookLifecycleHandlers
	// isSecretHeader tells which headers only the trigger may see, by lower-case name.
	isSecretHeader func(name string) bool
	// isSecretParameter tells which parameters of the URL only the trigger may see.
	isSecretParameter func(name string) bool
	// checkInput refuses bodies that do not fit the flow.
	checkInput func(*sluice.TriggerPayload) error
	// dedupe is the field that names a request, unique the one that names what it is about;
	// nil is none.
	dedupe, unique *sluice.FieldPath
	// lane is that of its executions. With blockOnRetry they keep their seat in it until the
	// next attempt.
	lane         store.Lane
	blockOnRetry bool
	// acknowledgement is the configured response to callers that do not wait; nil is none.
	acknowledgement *sluice.HTTPResponse
	// organizationKeys are the hashes of OrganizationAPIKeys.
	organizationKeys []keyHash
	// dedupeWindow is how long a duplicate is recognized.
	dedupeWindow time.Duration
}

func newFlow(definition *sluice.Flow) (*Flow, error) {
	check, err := definition.InputCheck()
	if err != nil {
		return nil, err
	}
	flow := &Flow{
		Flow: definition, trigger: variant.Of(definition.Trigger), checkInput: check,
		organizationKeys: hashKeys(definition.OrganizationAPIKeys),
		isSecretHeader:   isSecretHeader, dedupeWindow: dedupeWindow,
		isSecretParameter: func(string) bool { return false },
	}
	flow.lane, flow.blockOnRetry = laneOf(definition)
	switch trigger := flow.trigger.(type) {
	case sluice.HMACTrigger:
		flow.isSecretHeader = func(name string) bool { return isSecretHeader(name) || trigger.Signature.IsSecretHeader(name) }
		flow.isSecretParameter = trigger.Signature.IsSecretParameter
		flow.dedupeWindow = max(dedupeWindow, trigger.ReplayWindow())
		flow.acknowledgement, err = checkResponse(trigger.Response)
	case sluice.WebhookTrigger:
		response := sluice.HTTPResponse(trigger)
		flow.acknowledgement, err = checkResponse(&response)
	}
	if err != nil {
		return nil, fmt.Errorf("trigger: %w", err)
	}
	if flow.dedupe, err = parseField(sluice.DedupeIDField(definition.QueueConfig)); err != nil {
		return nil, err
	}
	if definition.RetryConfig != nil {
		flow.unique, err = parseField(definition.RetryConfig.UniqueRequestIDField)
	}
	return flow, err
}

// parseField parses a field path; empty is none.
func parseField(path string) (*sluice.FieldPath, error) {
	if path == "" {
		return nil, nil
	}
	field, err := sluice.ParseFieldPath(path)
	return &field, err
}

// laneOf is the lane of a flow's executions, and whether they keep their seat in it until
// their next attempt (behaviour of the platform: throttled without a limit is one after the
// other; a limit without an order does not count).
func laneOf(flow *sluice.Flow) (lane store.Lane, blockOnRetry bool) {
	lane.Key = flow.StableKey
	switch queue := variant.Of(flow.QueueConfig).(type) {
	case sluice.SequentialQueueConfig:
		lane.Limit, blockOnRetry = 1, queue.BlockOnRetry
	case sluice.ThrottledQueueConfig:
		lane.Limit, blockOnRetry = max(1, queue.ConcurrencyLimit), queue.BlockOnRetry
	case sluice.StandardQueueConfig:
		if queue.UsesFIFOQueue {
			lane.Limit = 1
		}
		if queue.UsesFIFOQueue && queue.ConcurrencyLimit != nil {
			lane.Limit = *queue.ConcurrencyLimit
		}
	}
	return lane, blockOnRetry
}

// shownOrganizationKeys are the organization's keys that callers of the flow owe.
func (f *Flow) shownOrganizationKeys() []string {
	if f.EndpointSecurityType != sluice.EndpointSecurityOrganization {
		return []string{}
	}
	return slices.Concat([]string{}, f.OrganizationAPIKeys)
}

func newDefinitions(integrations []*sluice.Integration, list []sluice.Component) (map[string]*definition, error) {
	if len(integrations) == 0 {
		return nil, errors.New("no integration to serve: Options.Integrations is empty")
	}
	components, err := newComponents(list)
	faults := []error{err}
	definitions := make(map[string]*definition, len(integrations))
	for i, integration := range integrations {
		if err := integration.Validate(); err != nil {
			return nil, fmt.Errorf("the integration at index %d: %w", i, err)
		}
		if _, twice := definitions[integration.Name]; twice {
			return nil, fmt.Errorf("the integration at index %d: the name %q is registered already", i, integration.Name)
		}
		d := &definition{
			integration: integration,
			flows:       make(map[string]*Flow, len(integration.Flows)),
			apiKeys:     make(map[string][]string, len(integration.Flows)),
			refusals:    newRefusals(),
		}
		for j := range integration.Flows {
			flow, err := newFlow(&integration.Flows[j])
			if err != nil {
				return nil, fmt.Errorf("the integration at index %d: flows[%d]: %w", i, j, err)
			}
			d.flows[flow.StableKey] = flow
			d.ordered = append(d.ordered, flow)
			d.apiKeys[flow.Name] = flow.shownOrganizationKeys()
		}
		if d.routing, err = newRouting(d); err != nil {
			return nil, fmt.Errorf("the integration at index %d: %w", i, err)
		}
		if err := d.resolve(components); err != nil {
			faults = append(faults, fmt.Errorf("the integration at index %d: %w", i, err))
		}
		definitions[integration.Name] = d
	}
	return definitions, errors.Join(faults...)
}

// versionsOf are the registered versions, in an order of their own.
func versionsOf(definitions map[string]*definition) []store.IntegrationVersion {
	var versions []store.IntegrationVersion
	for name, d := range definitions {
		versions = append(versions, store.IntegrationVersion{Integration: name, Version: d.integration.Version})
	}
	return versions
}

// definition returns the integration with the name; an empty name is the only one.
func (e *Engine) definition(name string) (*definition, error) {
	if name == "" && len(e.definitions) == 1 {
		for _, d := range e.definitions {
			return d, nil
		}
	}
	d, ok := e.definitions[name]
	switch {
	case ok:
		return d, nil
	case name == "":
		return nil, fmt.Errorf("which integration? %d are registered: name one", len(e.definitions))
	default:
		return nil, fmt.Errorf("integration %q is %w", name, ErrNotServed)
	}
}
