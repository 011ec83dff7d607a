package engine

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/store"
)

// batches asks for an execution a batch to be accepted.
func (x *execution) batches(items []json.RawMessage) ([]*store.Acceptance, error) {
	size := x.target.Flow.batchSize()
	var acceptances []*store.Acceptance
	for batch := range slices.Chunk(items, size) {
		body, err := batchBody(batch, size)
		if err != nil {
			return nil, err
		}
		acceptance, err := x.batch(batchMark{Page: x.marks.Page.Number, Index: len(acceptances)}, body)
		if err != nil {
			return nil, err
		}
		acceptances = append(acceptances, acceptance)
	}
	return acceptances, nil
}

// batchBody is the item if batches have one, else the list of items.
func batchBody(batch []json.RawMessage, size int) ([]byte, error) {
	if size == 1 {
		return batch[0], nil
	}
	return json.Marshal(batch)
}

// batch asks for the execution that receives the body.
func (x *execution) batch(mark batchMark, body []byte) (*store.Acceptance, error) {
	payload := copyPayload(x.payload)
	payload.Body, payload.RawBody, payload.PaginationState = sluice.StoredBody(jsonType, body), sluice.RawBody{}, nil
	encoded, err := encodePayload(payload, payloadMarks{Batch: &mark})
	if err != nil {
		return nil, err
	}
	record := *x.record
	record.ID = deriveID(x.record.ID, fmt.Sprintf("batch %d", mark.Index))
	record.InvokeType = string(sluice.InvokeBatch)
	record.Parent, record.Depth, record.Original, record.UniqueKey = x.record.ID, x.record.Depth+1, "", ""
	record.Lane, record.AcceptedAt = x.target.Flow.batchLane(), time.Now().UTC()
	record.Payload, record.Logs = encoded, nil
	return &store.Acceptance{Execution: &record}, nil
}

// batchSize is how many items a batch of the flow has.
func (f *Flow) batchSize() int {
	if f.BatchConfig == nil {
		return 1
	}
	return max(1, f.BatchConfig.BatchSize)
}

// batchLane is the lane of the flow's batches, which keeps the limits of its queue and of its
// batches.
func (f *Flow) batchLane() store.Lane {
	lane := f.lane
	if f.BatchConfig == nil || f.BatchConfig.ConcurrentBatchLimit == nil {
		return lane
	}
	limit := *f.BatchConfig.ConcurrentBatchLimit
	if lane.Limit == 0 || limit < lane.Limit {
		lane.Limit = limit
	}
	return lane
}

// batchOf tells user code of the batch that the execution receives.
func (x *execution) batchOf() sluice.BatchAttributes {
	if x.target.Flow == nil || x.marks.Batch == nil {
		return sluice.BatchAttributes{}
	}
	return sluice.BatchAttributes{
		Enabled: true, BatchSize: x.target.Flow.batchSize(), Page: x.marks.Batch.Page, Index: x.marks.Batch.Index,
	}
}
