// Fifo serves a flow whose executions run one after the other, in the order in which its
// requests were taken in, from one SQLite file, and prints what to try.
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
	db := flag.String("db", "fifo.db", "path of the SQLite file")
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
		Integrations: []*sluice.Integration{warehouse(newStock(out))},
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
	fmt.Fprintln(out, "Five movements, taken in at once and booked one after the other; the last repeats the first:")
	fmt.Fprintf(out, `for n in 1 2 3 4 1; do curl -s -H 'Content-Type: application/json' -d '{"id":"M-'$n'","item":"tea","change":'$n'}' %s; echo; done`+"\n",
		instance.WebhookURLs["Book movement"])
	select {
	case err = <-served:
	case <-ctx.Done():
	}
	fmt.Fprintln(out, "Stopping: what is unfinished goes on at the next start, in its order.")
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	return errors.Join(err, server.Shutdown(limited), rt.Stop(limited))
}
