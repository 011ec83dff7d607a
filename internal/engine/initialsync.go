package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/store"
)

// startSyncs starts the initial syncs of an instance that is deployed for the first time:
// what flows make of what was there before. What was started before is not started again.
func (l *lifecycle) startSyncs(ctx context.Context) error {
	for _, flow := range l.instance.definition.ordered {
		if err := l.startSync(ctx, flow); err != nil {
			return fmt.Errorf("flow %q: initial sync: %w", flow.Name, err)
		}
	}
	return nil
}

func (l *lifecycle) startSync(ctx context.Context, flow *Flow) error {
	batcher, batched := flow.trigger.(sluice.Batcher)
	if batched {
		_, batched = batcher.Has()
	}
	sync := flow.initialSync()
	if !batched && sync == nil {
		return nil
	}
	x, err := l.newExecution(flow, sluice.InvokeDeploy)
	if err != nil {
		return err
	}
	x.record.ID = deriveID(l.instance.record.ID, "initial sync "+flow.StableKey) // Once, also if the first deployment fails.
	if batched {
		x.marks.Page, x.record.Lane = &pageMark{Deploy: true}, store.Lane{}
		return l.engine.enqueue(ctx, x)
	}
	if _, err := l.engine.options.Store.Execution(ctx, x.record.ID); !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err := x.fireDeploy(ctx, sync); err != nil {
		x.refused(err) // It fails as an execution does, not the deployment.
		return nil
	}
	return l.engine.enqueue(ctx, x)
}

// fireDeploy lets the trigger for deployments see the deployment.
func (x *execution) fireDeploy(ctx context.Context, trigger sluice.TriggerFunc) error {
	defer x.sealLogs()
	fired := &Fired{execution: x}
	if err := x.callTrigger(ctx, fired, trigger); err != nil {
		return err
	}
	if fired.Stop {
		x.skip = stoppedByTrigger
	}
	return x.checkFired()
}
