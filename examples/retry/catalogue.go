package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/sluice-go/sluice"
)

// Product is what the caller sends; Price is in cents.
type Product struct {
	ProductID string `json:"productId"`
	Price     int    `json:"price"`
}

// shop stands for a system that does not always answer.
type shop struct {
	downUntil time.Time

	mu     sync.Mutex
	prices map[string]int
}

var errDown = errors.New("the shop is down")

func (s *shop) update(p Product) error {
	if p.Price < 0 {
		return sluice.Permanent(errors.New("a price is negative")) // Trying again will not help.
	}
	if time.Now().Before(s.downUntil) {
		return errDown
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.prices == nil {
		s.prices = map[string]int{}
	}
	s.prices[p.ProductID] = p.Price
	return nil
}

// catalogue is the integration. A failed update is tried again after 1, 2, 4 and 8 minutes,
// unless there is a newer one of the same product.
func catalogue(s *shop) *sluice.Integration {
	update := sluice.Define(sluice.Flow{
		Name:      "Update product",
		StableKey: "update-product",
		RetryConfig: &sluice.RetryConfig{
			MaxAttempts:            4,
			DelayMinutes:           1,
			UsesExponentialBackoff: true,
			UniqueRequestIDField:   "body.data.productId",
		},
	}, func(ctx context.Context, run *sluice.Run, p Product) (string, error) {
		run.Logger.InfoContext(ctx, "updating", "product", p.ProductID, "price", p.Price, "attempt", run.Attempt)
		return p.ProductID, s.update(p)
	})
	return &sluice.Integration{Name: "Catalogue", Flows: []sluice.Flow{update.Flow}}
}
