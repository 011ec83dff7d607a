// Router serves an integration whose customers share one endpoint: a marketplace tells one
// URL of the orders of all merchants. It shows
//
//   - a preprocess flow, which finds out from the body for which flow of which customer a
//     request is, or for which ones: several may have a part in one order;
//   - what becomes of customers that nobody knows;
//   - an endpoint that only the marketplace may call, with a key of the organization's;
//   - flows with the customer's own configuration, and a queue that leaves out what was sent
//     twice.
//
// The marketplace is a fake in the same process, below /marketplace: nothing leaves your
// machine. It forgets everything when the program ends, so the runtime's database is in memory
// as well.
//
//	$ go run ./examples/router
//
// There are two merchants, acme with a warehouse in Hamburg and globex with one in Rotterdam.
// Somebody buys from both, and both get the order; it is one request, so there is one answer:
//
//	$ curl -s -X POST 'http://127.0.0.1:8080/marketplace/buy?acme=tea&acme=honey&globex=cups'
//	the webhook answered 200 {"executionId":"…","executionIds":["…","…"]}
//	$ curl -s http://127.0.0.1:8080/marketplace/notices
//	acme ships tea and honey in Hamburg
//	globex ships cups in Rotterdam
//
// Nobody has deployed the integration for initech, so nobody gets an order that initech has a
// part in:
//
//	$ curl -s -X POST 'http://127.0.0.1:8080/marketplace/buy?acme=tea&initech=staplers'
//	the webhook answered 404 {"error":"…"}
//
// Another type of event goes to another flow:
//
//	$ curl -s -X POST http://127.0.0.1:8080/marketplace/cancel?order=A-1
//	the webhook answered 200 {"executionId":"…","executionIds":["…","…"]}
//	$ curl -s http://127.0.0.1:8080/marketplace/notices
//	acme keeps tea and honey in Hamburg
//	acme ships tea and honey in Hamburg
//	globex keeps cups in Rotterdam
//	globex ships cups in Rotterdam
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "address to listen on")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx, *addr, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// stopTime is how long running executions have to end when the program stops.
const stopTime = 10 * time.Second

// serve runs the integration, and the marketplace, until ctx ends.
func serve(ctx context.Context, addr string, out io.Writer) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	base := "http://" + listener.Addr().String()
	fake := newMarketplace(http.DefaultClient)
	rt, err := runtime.New(ctx, runtime.Options{
		Integrations: []*sluice.Integration{orders(base+"/marketplace/api", fake.key)},
		Database:     ":memory:",
		BaseURL:      base,
	})
	if err != nil {
		return err
	}
	if err := rt.Start(ctx); err != nil {
		return errors.Join(err, rt.Stop(ctx))
	}
	for _, merchant := range merchants {
		instance, err := rt.Deploy(ctx, merchant)
		if err != nil {
			return errors.Join(err, rt.Stop(ctx))
		}
		fake.register(instance.WebhookURLs["Route"]) // All have the same.
	}
	mux := http.NewServeMux()
	mux.Handle("/trigger/", rt.Handler())
	mux.Handle("/marketplace/", http.StripPrefix("/marketplace", fake.handler()))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	fmt.Fprintf(out, "The marketplace is at %s/marketplace. See main.go for what to try.\n", base)
	select {
	case err = <-served:
	case <-ctx.Done():
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	return errors.Join(err, server.Shutdown(limited), rt.Stop(limited))
}

// merchants are the customers of the program.
var merchants = []runtime.Deployment{
	{Customer: runtime.Customer{ExternalID: "acme"}},
	{Customer: runtime.Customer{ExternalID: "globex"}, Config: map[string]any{warehouse.Key: "Rotterdam"}},
}
