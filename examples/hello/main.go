// Hello is the program of the README: one flow, started by a webhook.
package main

import (
	"context"
	"log"
	"net/http"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
)

type Order struct {
	ID string `json:"id"`
}

type Receipt struct {
	Invoice string `json:"invoice"`
}

var newOrder = sluice.Define(sluice.Flow{Name: "New order", StableKey: "new-order"},
	func(ctx context.Context, run *sluice.Run, order Order) (Receipt, error) {
		invoice, err := sluice.Step(ctx, "write invoice", func(context.Context) (string, error) {
			return "INV-" + order.ID, nil // Runs once; a retry gets the recorded result.
		})
		return Receipt{Invoice: invoice}, err
	})

var orders = &sluice.Integration{Name: "Orders", Flows: []sluice.Flow{newOrder.Flow}}

func main() {
	ctx := context.Background()
	rt, err := runtime.New(ctx, runtime.Options{Integrations: []*sluice.Integration{orders}})
	if err != nil {
		log.Fatal(err) // It lists every fault of the definition.
	}
	if err := rt.Start(ctx); err != nil {
		log.Fatal(err)
	}
	instance, err := rt.Deploy(ctx, runtime.Deployment{})
	if err != nil {
		log.Fatal(err)
	}
	log.Println(instance.WebhookURLs["New order"])
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", rt.Handler()))
}
