package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/sluice-go/sluice"
)

// Movement of goods in or out of the warehouse.
type Movement struct {
	ID     string `json:"id"`
	Item   string `json:"item"`
	Change int    `json:"change"`
}

// stock stands for a system that must be told of movements one at a time, in their order.
type stock struct {
	out io.Writer

	mu     sync.Mutex
	booked []string
}

func newStock(out io.Writer) *stock { return &stock{out: out} }

// bookingTime is how long a booking takes.
const bookingTime = time.Second

func (s *stock) book(ctx context.Context, m Movement) error {
	timer := time.NewTimer(bookingTime)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.booked = append(s.booked, m.ID)
	fmt.Fprintf(s.out, "booked %s: %+d %s\n", m.ID, m.Change, m.Item)
	return nil
}

// warehouse is the integration. Movements are booked in the order of their requests; a request
// that was sent twice is booked once.
func warehouse(s *stock) *sluice.Integration {
	book := sluice.Define(sluice.Flow{
		Name:      "Book movement",
		StableKey: "book-movement",
		QueueConfig: sluice.SequentialQueueConfig{
			DedupeIDField: "body.data.id",
			BlockOnRetry:  true,
		},
		RetryConfig: &sluice.RetryConfig{MaxAttempts: 3, DelayMinutes: 1},
	}, func(ctx context.Context, _ *sluice.Run, m Movement) (string, error) {
		return m.ID, s.book(ctx, m)
	})
	return &sluice.Integration{Name: "Warehouse", Flows: []sluice.Flow{book.Flow}}
}
