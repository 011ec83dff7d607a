package sluice

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
)

// BatchConfig says how the items of a [BatchTrigger] are split over executions.
type BatchConfig struct {
	// BatchSize is the number of items that one execution receives, at least 1. With 1 the
	// flow's body is the item, otherwise a list of items.
	BatchSize int
	// ConcurrentBatchLimit is how many batches run at once, at least 1; nil means no limit but
	// that of the flow's QueueConfig, which holds as well.
	ConcurrentBatchLimit *int
}

// BatchAttributes tells of the batch that an execution receives.
type BatchAttributes struct {
	// Enabled is set where the execution receives a batch.
	Enabled bool
	// BatchSize is that of the flow's [BatchConfig]; the last batch of a page may be smaller.
	BatchSize int
	// Page is the number of the page, from 1, and Index that of the batch in it, from 0.
	Page, Index int
}

// BatchPage is one page of items and the cursor of the next.
type BatchPage[Item, Cursor any] struct {
	// Items of this page.
	Items []Item
	// PaginationState is the cursor of the next page; nil on the last one.
	PaginationState *Cursor
	// Response answers the request that invoked the flow; nil leaves it to the runtime.
	Response *HTTPResponse
	// PolledNoChanges says that a poll found nothing. It is read from the first page only.
	PolledNoChanges bool
}

// BatchFunc fetches one page. cursor is nil on the first one.
type BatchFunc[Item, Cursor any] func(ctx context.Context, run *Run, payload *TriggerPayload, cursor *Cursor) (*BatchPage[Item, Cursor], error)

// BatchTrigger starts a flow with many items: each page that OnTrigger returns is split
// into batches of [BatchConfig].BatchSize, an execution each. The flow needs a BatchConfig.
type BatchTrigger[Item, Cursor any] struct {
	// OnTrigger fetches a page. It is required.
	OnTrigger BatchFunc[Item, Cursor]
	// OnDeploy fetches the pages of the initial sync, run once when an instance is first
	// deployed; nil means there is none.
	OnDeploy BatchFunc[Item, Cursor]
}

func (BatchTrigger[Item, Cursor]) trigger() {}

// Batcher is a [BatchTrigger] whatever its type parameters.
type Batcher interface {
	Trigger
	// Fetch calls OnTrigger, or OnDeploy when deploy is set, with items and cursors as JSON.
	Fetch(ctx context.Context, run *Run, payload *TriggerPayload, deploy bool) (*BatchPage[json.RawMessage, json.RawMessage], error)
	// Has tells which of the two functions are there.
	Has() (onTrigger, onDeploy bool)
}

// Has implements [Batcher].
func (t BatchTrigger[Item, Cursor]) Has() (onTrigger, onDeploy bool) {
	return t.OnTrigger != nil, t.OnDeploy != nil
}

// Fetch implements [Batcher].
func (t BatchTrigger[Item, Cursor]) Fetch(
	ctx context.Context, run *Run, payload *TriggerPayload, deploy bool,
) (*BatchPage[json.RawMessage, json.RawMessage], error) {
	fetch := t.OnTrigger
	if deploy {
		fetch = t.OnDeploy
	}
	if fetch == nil {
		return nil, errors.New("sluice: the batch trigger has no such function")
	}
	var cursor *Cursor
	if len(payload.PaginationState) > 0 {
		cursor = new(Cursor)
		if err := decodeJSON(payload.PaginationState, cursor); err != nil {
			return nil, fmt.Errorf("sluice: pagination state: %w", err)
		}
	}
	page, err := fetch(ctx, run, payload, cursor)
	if err != nil || page == nil {
		return nil, err
	}
	return page.encode()
}

func (p *BatchPage[Item, Cursor]) encode() (*BatchPage[json.RawMessage, json.RawMessage], error) {
	encoded := &BatchPage[json.RawMessage, json.RawMessage]{Response: p.Response, PolledNoChanges: p.PolledNoChanges}
	for i, item := range p.Items {
		data, err := json.Marshal(item)
		if err != nil {
			return nil, fmt.Errorf("sluice: item %d of the batch: %w", i, err)
		}
		encoded.Items = append(encoded.Items, data)
	}
	if p.PaginationState != nil {
		data, err := json.Marshal(p.PaginationState)
		if err != nil {
			return nil, fmt.Errorf("sluice: pagination state: %w", err)
		}
		raw := json.RawMessage(data)
		encoded.PaginationState = &raw
	}
	return encoded, nil
}
