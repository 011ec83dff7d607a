package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/store"
)

// pageMark says that an execution spreads a page of a [sluice.BatchTrigger]: its body is the
// items, its PaginationState the cursor of the page after it.
type pageMark struct {
	// Number counts the pages from 1; 0 is none yet, before the first one.
	Number int `json:"number"`
	// Deploy says that they are those of OnDeploy.
	Deploy bool `json:"deploy,omitempty"`
	// Origin is the id of the execution with the first page; empty is this one.
	Origin string `json:"origin,omitempty"`
}

// batchMark tells which batch of which page an execution receives.
type batchMark struct {
	Page  int `json:"page"`
	Index int `json:"index"`
}

// fetchPage has the flow's batch trigger fetch a page, which becomes the execution's payload.
// The payload before has the cursor.
func (x *execution) fetchPage(ctx context.Context, fired *Fired, batcher sluice.Batcher, mark pageMark) error {
	if err := x.findDedupeKey(); err != nil { // Of what was requested: the page has other fields.
		return err
	}
	key := x.dedupeKey
	err := x.callTrigger(ctx, fired, func(ctx context.Context, run *sluice.Run, payload *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
		page, err := batcher.Fetch(ctx, run, payload, mark.Deploy)
		if err != nil {
			return nil, err
		}
		return pageResult(page, payload, mark.Number == 1)
	})
	if err != nil || x.skip != "" {
		return err
	}
	x.dedupeKey, x.marks.Page, x.record.Lane = key, &mark, store.Lane{}
	return nil
}

// pageResult is a page as a trigger's result.
func pageResult(page *sluice.BatchPage[json.RawMessage, json.RawMessage], payload *sluice.TriggerPayload, first bool) (*sluice.TriggerResult, error) {
	if page == nil {
		page = &sluice.BatchPage[json.RawMessage, json.RawMessage]{}
	}
	items, err := json.Marshal(append([]json.RawMessage{}, page.Items...))
	if err != nil {
		return nil, fmt.Errorf("the page: %w", err)
	}
	next := copyPayload(payload)
	next.Body, next.PaginationState = sluice.StoredBody(jsonType, items), nil
	if page.PaginationState != nil {
		next.PaginationState = *page.PaginationState
	}
	return &sluice.TriggerResult{
		Payload: next, Response: page.Response, PolledNoChanges: first && page.PolledNoChanges,
	}, nil
}

// spread accepts a batch each for the items of the execution's page, then the execution that
// spreads the next page. Run again, it accepts nothing twice: what it accepts has ids that
// are derived from its own.
func (x *execution) spread(ctx context.Context) (*Reply, error) {
	if err := x.ensureAccepted(context.WithoutCancel(ctx)); err != nil {
		return nil, err
	}
	spread := struct {
		Page     int    `json:"page"`
		Items    int    `json:"items"`
		Batches  int    `json:"batches"`
		NextPage string `json:"nextPage,omitempty"`
	}{Page: x.marks.Page.Number}
	if spread.Page > 0 {
		var items []json.RawMessage
		if err := x.payload.Body.Decode(&items); err != nil {
			return nil, sluice.Permanent(fmt.Errorf("the items of page %d: %w", spread.Page, err))
		}
		batches, err := x.batches(items)
		if err != nil {
			return nil, err
		}
		if err := x.acceptBatches(ctx, batches); err != nil {
			return nil, fmt.Errorf("the batches of page %d: %w", spread.Page, err)
		}
		spread.Items, spread.Batches = len(items), len(batches)
	}
	if spread.Page == 0 || len(x.payload.PaginationState) > 0 {
		next, err := x.acceptNextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("page %d: %w", spread.Page+1, err)
		}
		spread.NextPage = next
	}
	return newReply(&sluice.Result{Data: spread})
}

// acceptBatches accepts batches in one commit, when there is room for them.
func (x *execution) acceptBatches(ctx context.Context, batches []*store.Acceptance) error {
	if len(batches) == 0 {
		return nil
	}
	backlog, instance := x.engine.backlog, x.record.Instance
	var load store.Load
	for _, batch := range batches {
		load = load.Add(loadOf(batch.Execution))
	}
	for !backlog.enter(ctx, instance, load, true) {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		pause(ctx, claimPause)
	}
	_, err := x.engine.options.Store.AcceptAll(context.WithoutCancel(ctx), batches)
	if err != nil {
		backlog.leave(instance, load)
	} else {
		backlog.settle(instance, load)
	}
	if errors.Is(err, store.ErrConflict) {
		return nil // An earlier run has accepted them.
	}
	return err
}

// acceptNextPage fetches the next page, accepts the execution that spreads it, and returns
// its id. A cursor that was given before is an error: the pages would never end.
func (x *execution) acceptNextPage(ctx context.Context) (id string, err error) {
	batcher, ok := x.target.Flow.trigger.(sluice.Batcher)
	if !ok {
		return "", sluice.Permanent(errors.New("the flow has no BatchTrigger any more"))
	}
	mark := pageMark{Number: x.marks.Page.Number + 1, Deploy: x.marks.Page.Deploy, Origin: x.pageOrigin()}
	cursor := string(x.payload.PaginationState)
	id = deriveID(mark.Origin, "page after "+cursor)
	switch known, err := x.engine.options.Store.Execution(ctx, id); {
	case err == nil && known.Parent == x.record.ID:
		return id, nil // An earlier run has accepted it.
	case err == nil:
		return "", sluice.Permanent(fmt.Errorf("the cursor %s leads back to a page that was fetched before (execution %s): the pages would never end", cursor, id))
	case !errors.Is(err, store.ErrNotFound):
		return "", err
	}
	next, err := x.engine.newExecution(x.target, sluice.InvokeType(x.record.InvokeType))
	if err != nil {
		return "", err
	}
	next.record.ID, next.record.Parent, next.record.Depth = id, x.record.ID, x.record.Depth
	next.record.User, next.marks.Page = x.record.User, &mark
	if next.payload, err = x.requested(); err != nil {
		return "", err
	}
	fired := &Fired{execution: next}
	err = next.fetchPage(ctx, fired, batcher, mark)
	next.sealLogs()
	if err != nil {
		return "", err
	}
	next.dedupeKey = "" // That of the request is taken.
	return id, x.engine.acceptWhenRoom(ctx, fired)
}

// acceptWhenRoom is Accept for what may wait until there is room in the backlog.
func (e *Engine) acceptWhenRoom(ctx context.Context, fired *Fired) error {
	for {
		_, err := e.Accept(ctx, fired)
		if !errors.Is(err, ErrQueueFull) {
			return err
		}
		pause(ctx, claimPause)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}

// pageOrigin is the id of the execution with the first page. A replay begins anew.
func (x *execution) pageOrigin() string {
	if origin := x.marks.Page.Origin; origin != "" && x.record.Original == "" {
		return origin
	}
	return x.record.ID
}

// requested is the payload that brought the pages about, with the next page's cursor.
func (x *execution) requested() (*sluice.TriggerPayload, error) {
	payload := copyPayload(x.payload)
	var err error
	payload.Body, err = sluice.ParseBody(payload.RawBody.ContentType, payload.RawBody.Data)
	return payload, err
}
