package sluice_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
)

// Order is the body of the requests, Receipt the answer.
type (
	Order struct {
		ID string `json:"id"`
	}
	Receipt struct {
		Invoice string `json:"invoice"`
	}
)

// prefix is asked of every customer.
var prefix = sluice.StringVar{Key: "Prefix", StableKey: "prefix", Default: "INV-"}

// newOrder writes an invoice, whose caller waits for it.
var newOrder = sluice.Define(
	sluice.Flow{Name: "New order", StableKey: "new-order", IsSynchronous: true},
	func(ctx context.Context, run *sluice.Run, order Order) (Receipt, error) {
		invoice, err := sluice.Step(ctx, "write invoice", func(context.Context) (string, error) {
			return prefix.Get(run) + order.ID, nil
		})
		return Receipt{Invoice: invoice}, err
	})

var orders = &sluice.Integration{
	Name:        "Orders",
	Flows:       []sluice.Flow{newOrder.Flow},
	ConfigPages: []sluice.ConfigPage{{Name: "Invoices", Elements: []sluice.ConfigElement{prefix}}},
}

// From a definition to an answer.
func Example() {
	ctx := context.Background()
	rt, err := runtime.New(ctx, runtime.Options{Integrations: []*sluice.Integration{orders}, Database: ":memory:"})
	if err != nil {
		log.Fatal(err)
	}
	defer rt.Stop(ctx) //nolint:errcheck // The example ends here.
	if err := rt.Start(ctx); err != nil {
		log.Fatal(err)
	}
	instance, err := rt.Deploy(ctx, runtime.Deployment{
		Customer: runtime.Customer{ExternalID: "acme"},
		Config:   map[string]any{"Prefix": "ACME-"},
	})
	if err != nil {
		log.Fatal(err)
	}

	request := httptest.NewRequestWithContext(ctx, http.MethodPost, instance.WebhookURLs["New order"], strings.NewReader(`{"id":"A-17"}`))
	request.Header.Set("Content-Type", "application/json")
	response := httptest.NewRecorder()
	rt.Handler().ServeHTTP(response, request)
	fmt.Println(response.Code, response.Body)
	// Output: 200 {"invoice":"ACME-A-17"}
}
