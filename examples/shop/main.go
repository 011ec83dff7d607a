// Shop serves the integration of the guide "First integration".
package main

import (
	"context"
	"log"
	"net/http"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/api"
	"github.com/sluice-go/sluice/runtime"
)

func main() {
	ctx := context.Background()
	rt, err := runtime.New(ctx, runtime.Options{Integrations: []*sluice.Integration{orders}})
	if err != nil {
		log.Fatal(err)
	}
	if err := rt.Start(ctx); err != nil {
		log.Fatal(err)
	}
	instance, err := rt.Deploy(ctx, runtime.Deployment{})
	if err != nil {
		log.Fatal(err)
	}
	log.Println(instance.WebhookURLs["New order"])
	mux := http.NewServeMux()
	mux.Handle("/trigger/", rt.Handler())
	mux.Handle("/api/v1/", api.New(rt)) // For your eyes only: it asks for no credentials.
	mux.HandleFunc("POST /ledger", func(http.ResponseWriter, *http.Request) {})
	log.Fatal(http.ListenAndServe("127.0.0.1:8080", mux))
}
