package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// batch is the statements of writes that share a round trip. Writes of a kind share one
// statement where they can: to begin one takes a server longer than the rows of most.
type batch struct {
	pgx.Batch
	accepts  []*accept
	finishes []*finish
	records  []*record
}

// send runs the statements.
func (b *batch) send(ctx context.Context, tx *transaction) error {
	together(b, b.accepts, acceptTogether)
	together(b, b.finishes, finishTogether)
	together(b, b.records, recordTogether)
	if b.Len() == 0 {
		return nil
	}
	return tx.SendBatch(ctx, &b.Batch)
}

// together queues writes of a kind. A lone one has a statement that takes less time.
func together[W interface{ queueAlone(b *batch) }](b *batch, writes []W, queue func(b *batch, writes []W)) {
	switch len(writes) {
	case 0:
	case 1:
		writes[0].queueAlone(b)
	default:
		queue(b, writes)
	}
}

// columns turns the arguments of writes around: one list for each argument.
func columns[W any](writes []W, args func(W) []any) []any {
	var lists [][]any
	for _, w := range writes {
		row := args(w)
		if lists == nil {
			lists = make([][]any, len(row))
		}
		for i, arg := range row {
			lists[i] = append(lists[i], arg)
		}
	}
	columns := make([]any, len(lists))
	for i, list := range lists {
		columns[i] = list
	}
	return columns
}
