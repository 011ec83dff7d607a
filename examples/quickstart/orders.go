package main

import (
	"context"
	"errors"
	"time"

	"github.com/sluice-go/sluice"
)

// Order is what the shop sends.
type Order struct {
	ID    string `json:"id"`
	Items []Item `json:"items"`
}

// Item is a line of an order; Price is in cents.
type Item struct {
	SKU      string `json:"sku"`
	Quantity int    `json:"quantity"`
	Price    int    `json:"price"`
}

// Receipt is what the flow hands back; Total is in cents.
type Receipt struct {
	Order   string `json:"order"`
	Total   int    `json:"total"`
	Invoice string `json:"invoice"`
}

// Quote answers a synchronous caller; Total is in cents.
type Quote struct {
	Total int `json:"total"`
}

// newOrder takes an order in and writes its invoice. Callers get an execution id at once.
var newOrder = sluice.Define(sluice.Flow{
	Name:        "New order",
	StableKey:   "new-order",
	Description: "Takes an order in and writes its invoice.",
}, func(ctx context.Context, run *sluice.Run, order Order) (Receipt, error) {
	run.Logger.InfoContext(ctx, "order received", "order", order.ID, "items", len(order.Items))
	total, err := sluice.Step(ctx, "add up", func(context.Context) (int, error) {
		return total(order)
	})
	if err != nil {
		return Receipt{}, err
	}
	invoice, err := sluice.Step(ctx, "write invoice", func(ctx context.Context) (string, error) {
		return writeInvoice(ctx, order)
	})
	if err != nil {
		return Receipt{}, err
	}
	run.Logger.InfoContext(ctx, "invoice written", "invoice", invoice)
	return Receipt{Order: order.ID, Total: total, Invoice: invoice}, nil
})

// quote answers with the price of an order. Callers wait for it.
var quote = sluice.Define(sluice.Flow{
	Name:          "Quote",
	StableKey:     "quote",
	Description:   "Answers with the price of an order.",
	IsSynchronous: true,
}, func(_ context.Context, _ *sluice.Run, order Order) (Quote, error) {
	sum, err := total(order)
	return Quote{Total: sum}, err
})

// orders is the whole integration.
var orders = &sluice.Integration{
	Name:        "Orders",
	Description: "Takes orders from a shop.",
	Flows:       []sluice.Flow{newOrder.Flow, quote.Flow},
}

// total adds an order up. An order that makes no sense is not tried again.
func total(order Order) (int, error) {
	if order.ID == "" || len(order.Items) == 0 {
		return 0, sluice.Reject(422, "An order needs an id and at least one item.")
	}
	sum := 0
	for _, item := range order.Items {
		if item.Quantity < 1 || item.Price < 0 {
			return 0, sluice.Permanent(errors.New("an item has no quantity, or a negative price"))
		}
		sum += item.Quantity * item.Price
	}
	return sum, nil
}

// invoiceTime is how long an invoice takes: long enough to kill the process meanwhile.
const invoiceTime = 3 * time.Second

// writeInvoice stands for a call of a slow system.
func writeInvoice(ctx context.Context, order Order) (string, error) {
	timer := time.NewTimer(invoiceTime)
	defer timer.Stop()
	select {
	case <-timer.C:
		return "INV-" + order.ID, nil
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}
