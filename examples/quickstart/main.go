// Quickstart serves an integration with an asynchronous and a synchronous flow, from one
// SQLite file, and prints the requests to try.
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
	"github.com/sluice-go/sluice/api"
	"github.com/sluice-go/sluice/runtime"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "address to listen on")
	db := flag.String("db", "quickstart.db", "path of the SQLite file")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx, *addr, *db, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// stopTime is how long running executions have to end when the program stops.
const stopTime = 10 * time.Second

// serve runs the integration until ctx ends.
func serve(ctx context.Context, addr, db string, out io.Writer) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	base := "http://" + listener.Addr().String()
	rt, err := runtime.New(ctx, runtime.Options{
		Integrations: []*sluice.Integration{orders},
		Database:     db,
		BaseURL:      base,
	})
	if err != nil {
		return err
	}
	if err := rt.Start(ctx); err != nil {
		return errors.Join(err, rt.Stop(ctx))
	}
	instance, err := rt.Deploy(ctx, runtime.Deployment{})
	if err != nil {
		return errors.Join(err, rt.Stop(ctx))
	}
	mux := http.NewServeMux()
	mux.Handle("/trigger/", rt.Handler())
	mux.Handle("/api/v1/", api.New(rt))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	printRequests(out, base, instance)
	select {
	case err = <-served:
	case <-ctx.Done():
	}
	fmt.Fprintln(out, "\nStopping: what is unfinished goes on at the next start.")
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	return errors.Join(err, server.Shutdown(limited), rt.Stop(limited))
}

// printRequests tells a newcomer what to type.
func printRequests(out io.Writer, base string, instance *runtime.Instance) {
	const order = `{"id":"A-17","items":[{"sku":"tea","quantity":2,"price":450}]}`
	fmt.Fprintf(out, "Serving %q on %s (process %d)\n", instance.Integration, base, os.Getpid())
	fmt.Fprintln(out, "\nAn order, taken in at once and executed in the background:")
	fmt.Fprintf(out, "curl -s -H 'Content-Type: application/json' -d '%s' %s\n", order, instance.WebhookURLs[newOrder.Name])
	fmt.Fprintln(out, "\nWhat became of it, with the id that was answered:")
	fmt.Fprintf(out, "curl -s %s/api/v1/executions/<executionId>\n", base)
	fmt.Fprintln(out, "\nA quote, which the caller waits for:")
	fmt.Fprintf(out, "curl -s -H 'Content-Type: application/json' -d '%s' %s\n", order, instance.WebhookURLs[quote.Name])
}
