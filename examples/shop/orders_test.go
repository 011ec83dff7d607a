package main

import (
	"net/http"
	"testing"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	sluicetest "github.com/sluice-go/sluice/testing"
)

func TestNewOrder(t *testing.T) {
	t.Parallel()
	requests := 0
	ledger := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests++
		if requests <= 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	options := sluicetest.Options{Runtime: runtime.Options{
		Integrations: []*sluice.Integration{orders},
		Transport:    sluicetest.Hosts{"ledger.test": ledger},
	}}
	sluicetest.RunOptions(t, options, func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{Config: map[string]any{"Ledger URL": "https://ledger.test"}})
		h.Post("New order", `{"id":17}`).RequireStatus(400)
		response := h.Post("New order", `{"id":"A-17","total":900}`).RequireStatus(200)
		h.Drain() // 70 minutes of retries pass at once.
		response.Execution().
			RequireSucceeded().
			RequireAttempts(4).
			RequireSteps("write", "book").
			RequireResult(Invoice{Number: "INV-A-17", Total: 900})
	})
}
