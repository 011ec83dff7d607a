// Lifecycle deploys an instance that registers a webhook at a shop, hears of an order, is
// paused and resumed, and takes the webhook down when it is deleted. The shop is a fake in
// the same process.
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
	"time"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
)

func main() {
	db := flag.String("db", "lifecycle.db", "path of the SQLite file")
	flag.Parse()
	if err := run(context.Background(), *db, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run lives a life, from the deployment to the removal.
func run(ctx context.Context, db string, out io.Writer) (err error) {
	mux := http.NewServeMux()
	base, stop, err := serve(ctx, mux)
	if err != nil {
		return err
	}
	defer stop()
	shopProvider := newProvider(http.DefaultClient)
	mux.Handle("/shop/", http.StripPrefix("/shop", shopProvider))
	rt, err := runtime.New(ctx, runtime.Options{
		Integrations: []*sluice.Integration{shop},
		Components:   []sluice.Component{shopComponent},
		Database:     db,
		BaseURL:      base,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rt.Stop(ctx)) }()
	if err := rt.Start(ctx); err != nil {
		return err
	}
	mux.Handle("/trigger/", rt.Handler())
	return live(ctx, rt, shopProvider, base+"/shop", out)
}

// live deploys, pauses, resumes and deletes an instance, and has the shop sell in between.
func live(ctx context.Context, rt *runtime.Runtime, shopProvider *provider, url string, out io.Writer) error {
	instance, err := rt.Deploy(ctx, runtime.Deployment{Config: map[string]any{"Shop URL": url}})
	if err != nil {
		return err
	}
	for _, stage := range []struct {
		name string
		do   func(ctx context.Context, instanceID string) error
	}{
		{"deployed", func(context.Context, string) error { return nil }},
		{"paused", rt.Pause},
		{"resumed", rt.Resume},
		{"deleted", rt.Delete},
	} {
		if err := stage.do(ctx, instance.ID); err != nil {
			return err
		}
		told, err := shopProvider.sell(ctx, Order{ID: "A-3", Total: 900})
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s: %d webhooks at the shop, which answered %v\n", stage.name, len(shopProvider.registered()), told)
	}
	return nil
}

// serve serves the handler on a free port until stop is called.
func serve(ctx context.Context, handler http.Handler) (base string, stop func(), err error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(listener) // It ends with stop.
	}()
	return "http://" + listener.Addr().String(), func() {
		_ = server.Close()
		<-served
	}, nil
}
