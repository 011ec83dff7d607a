package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/store"
)

// Route finds the targets of a request to an endpoint that several flows share: one, or as
// many as the preprocess flow names. Nothing is durable yet. Instead of targets it returns
// a Fired when the preprocess flow's trigger answers the request and stops, and with every
// error that is the request's or the flow's: it can be recorded as refused. See
// [RouteError].
func (e *Engine) Route(
	ctx context.Context, target Target, method string, payload *sluice.TriggerPayload,
) ([]Target, *Fired, error) {
	routing := target.definition.routing
	if routing.preprocess != nil {
		return e.preprocess(ctx, target, method, payload)
	}
	found, err := routing.read(payload.Lookup)
	if err == nil {
		var routed Target
		if routed, err = e.follow(ctx, target, found); err == nil {
			return []Target{routed}, nil, nil
		}
	}
	x, newErr := e.newExecution(target, sluice.InvokeWebhook)
	if newErr != nil {
		return nil, nil, newErr
	}
	x.payload = payload
	payload.StartedAt = x.started
	return nil, &Fired{execution: x}, err
}

// follow finds what a route names.
func (e *Engine) follow(ctx context.Context, from Target, to route) (Target, error) {
	flow, err := from.definition.routing.target(to.flow)
	if err != nil {
		return Target{}, err
	}
	target := Target{Instance: from.Instance, Flow: flow, definition: from.definition, user: to.user}
	if target.Instance != nil {
		return target, nil
	}
	target.Instance, err = e.instanceOfCustomer(ctx, from.definition, to.customer)
	if unrouted, ok := errors.AsType[*RouteError](err); ok {
		return Target{}, &RouteError{Err: unrouted.Err, UnknownCustomer: unrouted.UnknownCustomer, to: target}
	}
	return target, err
}

// instanceOfCustomer finds the one instance that is deployed for a customer.
func (e *Engine) instanceOfCustomer(ctx context.Context, d *definition, externalID string) (*Instance, error) {
	unknown := func(format string, args ...any) error {
		return &RouteError{Err: fmt.Errorf(format, args...), UnknownCustomer: true}
	}
	if externalID == "" {
		return nil, unknown("no customer is named: %s is missing", d.routing.customer)
	}
	name := d.integration.Name
	return e.load(ctx, byCustomer(name, externalID), func(ctx context.Context, _ string) (*store.Instance, error) {
		found, err := e.options.Store.InstancesOfCustomer(ctx, name, externalID)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNotAccepted, err)
		}
		found = slices.DeleteFunc(found, func(record *store.Instance) bool { return !isDeployed(record) })
		switch len(found) {
		case 0:
			return nil, unknown("no instance is deployed for a customer with the external id %.100q", externalID)
		case 1:
			return found[0], nil
		default:
			return nil, unknown("customer %.100q has %d deployed instances: on a shared endpoint it must be one", externalID, len(found))
		}
	})
}
