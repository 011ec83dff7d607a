// Cluster serves one integration from as many processes as are started, on one PostgreSQL
// database. Start it twice, on two addresses, and kill one of them while it counts: the
// other goes on.
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
	"github.com/sluice-go/sluice/store/postgres"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "address to listen on")
	dsn := flag.String("dsn", "postgres://postgres@127.0.0.1:5432/postgres", "address of the database")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx, *addr, *dsn, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

const (
	// stopTime is how long running executions have to end when the program stops.
	stopTime = 10 * time.Second
	// lease is short, so that nobody has to wait long for the other process.
	lease = 2 * time.Second
)

// serve runs the integration until ctx ends, and prints what it does.
func serve(ctx context.Context, addr, dsn string, out io.Writer) (err error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	db, err := postgres.Open(ctx, dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }() //nolint:contextcheck // Close has to do its work after ctx.
	rt, err := runtime.New(ctx, runtime.Options{
		Integrations: []*sluice.Integration{counting(out)}, Store: db, Lease: lease,
		BaseURL: "http://" + listener.Addr().String(),
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
	fmt.Fprintf(out, "curl -X POST %s\n", instance.WebhookURLs["Count"])
	server := &http.Server{Handler: rt.Handler(), ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err = <-served:
	case <-ctx.Done():
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	return errors.Join(err, server.Shutdown(limited), rt.Stop(limited))
}
