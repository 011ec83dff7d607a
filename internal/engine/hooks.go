package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/store"
)

// hookTimeout is how long a hook may take (behaviour of the platform: 30 s each).
const hookTimeout = 30 * time.Second

// lifecycle calls what wants to know of a change of an instance.
type lifecycle struct {
	engine     *Engine
	instance   *Instance
	attributes sluice.DeploymentAttributes
	change     string // its ID
	// created are the webhooks that were put up, in that order.
	created []webhook
}

// webhook is what a flow, or the component of its trigger, registers in another system.
type webhook struct {
	flow     *Flow
	handlers *sluice.WebhookLifecycleHandlers
}

// upward are the webhooks of flows in the order in which they are put up, downward that in
// which they are taken down: a component's always before the flow's own.
func upward(flows []*Flow) (webhooks []webhook) {
	for _, flow := range flows {
		for _, handlers := range flow.webhooks {
			webhooks = append(webhooks, webhook{flow, handlers})
		}
	}
	return webhooks
}

func downward(flows []*Flow) []webhook {
	backward := slices.Clone(flows)
	slices.Reverse(backward)
	return upward(backward)
}

// lifecycle calls what wants to know of the change.
func (m *making) lifecycle(instance *Instance, reason sluice.DeploymentReason) *lifecycle {
	l := &lifecycle{
		engine: m.engine, instance: instance, change: m.change.ID, attributes: sluice.DeploymentAttributes{Reason: reason},
	}
	if previous := m.change.Previous; previous != nil {
		l.attributes.PreviousVersion = previous.Version
	}
	return l
}

// deploy calls, flow by flow in their order: OnInstanceDeploy of all, the flows that a
// deployment starts, the initial syncs of a first one, the webhook handlers of all. The end of a pause concerns only the
// handlers; they wait for it.
func (l *lifecycle) deploy(ctx context.Context) error {
	flows := l.instance.definition.ordered
	if l.attributes.Reason != sluice.ReasonResumed {
		for _, flow := range flows {
			for _, hook := range flow.onDeploy {
				if err := l.call(ctx, flow, sluice.InvokeOnInstanceDeploy, hook); err != nil {
					return err
				}
			}
		}
		if _, err := l.startFlows(ctx, sluice.InvokeDeploy); err != nil {
			return err
		}
	}
	if l.attributes.Reason == sluice.ReasonDeployed {
		if err := l.startSyncs(ctx); err != nil {
			return err
		}
	}
	if l.instance.record.Paused {
		return nil
	}
	return l.putUp(ctx, upward(flows))
}

// putUp calls the handlers that put webhooks up.
func (l *lifecycle) putUp(ctx context.Context, webhooks []webhook) error {
	for _, w := range webhooks {
		if err := l.call(ctx, w.flow, sluice.InvokeWebhookCreate, w.handlers.Create); err != nil {
			return err
		}
		l.created = append(l.created, w)
	}
	return nil
}

// takeDown calls the handlers that take webhooks down. One that fails does not keep the others
// from it.
func (l *lifecycle) takeDown(ctx context.Context, webhooks []webhook) error {
	var errs []error
	for _, w := range webhooks {
		errs = append(errs, l.call(ctx, w.flow, sluice.InvokeWebhookDelete, w.handlers.Delete))
	}
	return errors.Join(errs...)
}

// putBack puts the webhooks that were put up and taken down again up for the previous
// deployment, which had them.
func (l *lifecycle) putBack(ctx context.Context, previous *store.Instance) error {
	instance, err := l.engine.newInstance(previous)
	if err != nil {
		return err
	}
	back := &lifecycle{engine: l.engine, instance: instance, attributes: l.attributes}
	return back.putUp(ctx, l.created)
}

// call runs a hook and puts the run on record.
func (l *lifecycle) call(ctx context.Context, flow *Flow, invoke sluice.InvokeType, hook sluice.LifecycleFunc) error {
	x, err := l.newExecution(flow, invoke)
	if err != nil {
		return err
	}
	if err := x.runHook(ctx, hook); err != nil {
		return fmt.Errorf("flow %q: %s: %w", flow.Name, invoke, err)
	}
	return nil
}

// newExecution prepares an execution that the change brings about.
func (l *lifecycle) newExecution(flow *Flow, invoke sluice.InvokeType) (*execution, error) {
	x, err := l.engine.newExecution(l.instance.of(flow), invoke)
	if err != nil {
		return nil, err
	}
	x.payload = &sluice.TriggerPayload{StartedAt: x.started, Body: sluice.NewBody(l.attributes)}
	return x, nil
}

// runHook calls the hook and records how it went, as an execution that is over.
func (x *execution) runHook(ctx context.Context, hook sluice.LifecycleFunc) error {
	ctx, unbind := x.engine.untilStop(ctx)
	defer unbind()
	given, kept := x.payload, *x.payload
	err := x.call(ctx, hookTimeout, func(ctx context.Context) error {
		ctx, run := x.newRun(ctx, given)
		_, err := hook(ctx, run)
		return err
	})
	x.payload = &kept // The hook may still use the other one.
	if err == nil {
		x.keepState()
	}
	return errors.Join(err, x.recordHook(err))
}

// recordHook commits what the hook did with its record.
func (x *execution) recordHook(cause error) error {
	x.marks.Synchronous = true // It is not tried again.
	reply, err := newReply(nil)
	if err != nil {
		return err
	}
	acceptance, err := x.acceptance()
	if err != nil {
		return err
	}
	acceptance.Outcome = x.outcome(reply, cause)
	_, err = x.engine.accept(x.engine.writing, acceptance)
	return err
}

// startFlows starts the flows that the deployment or the removal of an instance starts, as
// executions like any other, and returns their ids: those of a removal in reverse order. What was
// started before is not started again.
func (l *lifecycle) startFlows(ctx context.Context, invoke sluice.InvokeType) (ids []string, err error) {
	flows := slices.Clone(l.instance.definition.ordered)
	if invoke == sluice.InvokeRemove {
		slices.Reverse(flows)
	}
	for _, flow := range flows {
		if flow.startedBy() != invoke {
			continue
		}
		x, err := l.newExecution(flow, invoke)
		if err != nil {
			return nil, err
		}
		x.record.ID = deriveID(l.change, flow.StableKey)
		if err := l.engine.enqueue(ctx, x); err != nil {
			return nil, fmt.Errorf("flow %q: %w", flow.Name, err)
		}
		ids = append(ids, x.record.ID)
	}
	return ids, nil
}

// startedBy is the change of an instance that starts the flow; empty for most.
func (f *Flow) startedBy() sluice.InvokeType {
	switch f.trigger.(type) {
	case sluice.InstanceDeployTrigger:
		return sluice.InvokeDeploy
	case sluice.InstanceRemoveTrigger:
		return sluice.InvokeRemove
	default:
		return ""
	}
}

// enqueue accepts an execution whose id is derived from what brings it about, unless it was
// accepted before. Before the start it is left to it.
func (e *Engine) enqueue(ctx context.Context, x *execution) error {
	switch _, err := e.options.Store.Execution(ctx, x.record.ID); {
	case err == nil:
		return nil
	case !errors.Is(err, store.ErrNotFound):
		return err
	}
	if e.Enter() {
		defer e.Leave()
		_, err := e.Accept(ctx, &Fired{execution: x})
		return err
	}
	acceptance, err := x.acceptance()
	if err != nil {
		return err
	}
	_, err = e.accept(context.WithoutCancel(ctx), acceptance)
	return err
}
