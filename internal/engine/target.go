package engine

import (
	"slices"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/store"
)

// Target is what a request or an event is for: a flow of an instance. A request to an
// endpoint that several flows share has no Flow until it is routed, and no Instance either
// if all instances share the endpoint.
type Target struct {
	Instance *Instance
	Flow     *Flow

	definition *definition
	// user is the external id of the customer's user whom the request concerns, if any.
	user string
	// prelude is what the preprocess flow leaves to the execution; nil if there is none.
	prelude *prelude
}

// NeedsRoute tells whether the flow is still to be found: see [Engine.Route].
func (t Target) NeedsRoute() bool { return t.Flow == nil }

// refusals bounds the refused requests that are recorded.
func (t Target) refusals() *refusals {
	if t.Instance != nil {
		return t.Instance.refusals
	}
	return t.definition.refusals
}

// isSecretHeader tells which headers only the triggers may see: that of the flow, and on an
// endpoint that several flows share those of all of them. A request may go to several, or
// nowhere.
func (t Target) isSecretHeader(name string) bool {
	if t.definition.routing == nil {
		return t.Flow.isSecretHeader(name)
	}
	return slices.ContainsFunc(t.definition.ordered, func(f *Flow) bool { return f.isSecretHeader(name) })
}

// isSecretParameter is isSecretHeader for the parameters of the URL.
func (t Target) isSecretParameter(name string) bool {
	if t.definition.routing == nil {
		return t.Flow.isSecretParameter(name)
	}
	return slices.ContainsFunc(t.definition.ordered, func(f *Flow) bool { return f.isSecretParameter(name) })
}

func (t Target) webhookURLs() map[string]string {
	if t.Instance != nil {
		return t.Instance.webhookURLs
	}
	return t.definition.webhookURLs
}

func (t Target) apiKeys() map[string][]string {
	if t.Instance != nil {
		return t.Instance.apiKeys
	}
	return t.definition.apiKeys
}

func (t Target) customer() sluice.CustomerAttributes {
	if t.Instance == nil {
		return sluice.CustomerAttributes{}
	}
	return sluice.CustomerAttributes(t.Instance.record.Customer)
}

func (t Target) instance() sluice.InstanceAttributes {
	if t.Instance == nil {
		return sluice.InstanceAttributes{}
	}
	return sluice.InstanceAttributes{ID: t.Instance.record.ID, Name: t.Instance.record.Name}
}

func (t Target) integration() sluice.IntegrationAttributes {
	name := t.definition.integration.Name
	return sluice.IntegrationAttributes{
		ID: name, Name: name, VersionSequenceID: t.version(), ExternalVersion: t.version(),
	}
}

// version is the deployed one, or without an instance the registered one.
func (t Target) version() string {
	if t.Instance != nil {
		return t.Instance.record.Version
	}
	return t.definition.integration.Version
}

// lane is that of the flow's executions.
func (t Target) lane() store.Lane {
	if t.Flow == nil {
		return store.Lane{}
	}
	return t.Flow.lane
}

func (t Target) flow() sluice.FlowAttributes {
	if t.Flow == nil {
		return sluice.FlowAttributes{}
	}
	return sluice.FlowAttributes{ID: t.Flow.StableKey, Name: t.Flow.Name, StableID: t.Flow.StableKey}
}
