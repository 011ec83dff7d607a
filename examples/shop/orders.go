package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/sluice-go/sluice"
)

// Order is what the shop sends; Total is in cents.
type Order struct {
	ID    string `json:"id"`
	Total int    `json:"total"`
}

// Invoice is what the flow writes, and what the ledger gets.
type Invoice struct {
	Number string `json:"number"`
	Total  int    `json:"total"`
}

// ledgerURL is asked of every customer.
var ledgerURL = sluice.StringVar{Key: "Ledger URL", StableKey: "ledger-url", Default: "http://127.0.0.1:8080/ledger"}

// newOrder writes an invoice for an order and books it. What fails is tried again after 10, 20
// and 40 minutes.
var newOrder = sluice.Define(sluice.Flow{
	Name:        "New order",
	StableKey:   "new-order",
	RetryConfig: &sluice.RetryConfig{MaxAttempts: 3, DelayMinutes: 10, UsesExponentialBackoff: true},
}, func(ctx context.Context, run *sluice.Run, order Order) (Invoice, error) {
	invoice, err := sluice.Step(ctx, "write", func(context.Context) (Invoice, error) {
		return Invoice{Number: "INV-" + order.ID, Total: order.Total}, nil
	})
	if err != nil {
		return Invoice{}, err
	}
	return sluice.Step(ctx, "book", func(ctx context.Context) (Invoice, error) {
		return invoice, book(ctx, run, invoice)
	})
})

// orders is the whole integration.
var orders = &sluice.Integration{
	Name:        "Orders",
	Flows:       []sluice.Flow{newOrder.Flow},
	ConfigPages: []sluice.ConfigPage{{Name: "Ledger", Elements: []sluice.ConfigElement{ledgerURL}}},
}

// book sends an invoice to the customer's ledger.
func book(ctx context.Context, run *sluice.Run, invoice Invoice) error {
	body, err := json.Marshal(invoice)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, ledgerURL.Get(run), bytes.NewReader(body))
	if err != nil {
		return err
	}
	response, err := run.HTTPClient().Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the ledger answers %s", response.Status)
	}
	run.Logger.InfoContext(ctx, "booked", "invoice", invoice.Number)
	return nil
}
