// Retry serves a flow that brings products into a shop which is down for a while: failed
// executions are retried, newer ones supersede them, and what failed for good is replayed.
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
	"github.com/sluice-go/sluice/store"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "address to listen on")
	db := flag.String("db", "retry.db", "path of the SQLite file")
	down := flag.Duration("down", 90*time.Second, "how long the shop is down")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx, *addr, *db, time.Now().Add(*down), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// stopTime is how long running executions have to end when the program stops.
const stopTime = 10 * time.Second

// serve runs the integration until ctx ends.
func serve(ctx context.Context, addr, db string, downUntil time.Time, out io.Writer) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	base := "http://" + listener.Addr().String()
	rt, err := runtime.New(ctx, runtime.Options{
		Integrations: []*sluice.Integration{catalogue(&shop{downUntil: downUntil})},
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
	mux.HandleFunc("POST /replay", func(w http.ResponseWriter, r *http.Request) {
		if err := replayFailed(r.Context(), rt, w); err != nil {
			fmt.Fprintln(w, err)
		}
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	fmt.Fprintf(out, "A product for a shop that is down until %s; sent again, it supersedes its older self:\n", downUntil.Format(time.TimeOnly))
	fmt.Fprintf(out, "curl -s -H 'Content-Type: application/json' -d '{\"productId\":\"P-1\",\"price\":450}' %s\n", instance.WebhookURLs["Update product"])
	fmt.Fprintf(out, "What became of it, with the id that was answered:\ncurl -s %s/api/v1/executions/<executionId>\n", base)
	fmt.Fprintf(out, "Everything that failed for good, once more:\ncurl -s -X POST %s/replay\n", base)
	select {
	case err = <-served:
	case <-ctx.Done():
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	return errors.Join(err, server.Shutdown(limited), rt.Stop(limited))
}

// replayFailed replays what failed, oldest first, and tells of each.
func replayFailed(ctx context.Context, rt *runtime.Runtime, out io.Writer) error {
	for replayed, err := range rt.ReplayAll(ctx, store.Filter{Status: store.StatusFailed}, runtime.ReplayOptions{}) {
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s is replayed by %s\n", replayed.Original, replayed.ID)
	}
	return nil
}
