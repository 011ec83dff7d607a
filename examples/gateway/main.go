// Gateway serves one endpoint of each kind: open, with API keys, signed, shared by customers,
// synchronous and not. It writes their paths, keys and limits to a JSON file, for whoever
// wants to try them or to break in.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
)

// settings of the program.
type settings struct {
	addr, db, urls string
	rate           int
	maxBody        int64
}

func main() {
	var s settings
	flag.StringVar(&s.addr, "addr", "127.0.0.1:8081", "address to listen on")
	flag.StringVar(&s.db, "db", "gateway.db", "path of the SQLite file")
	flag.StringVar(&s.urls, "urls", "gateway-urls.json", "path of the JSON file to write the endpoints to")
	flag.IntVar(&s.rate, "rate", 50, "requests a second that an endpoint takes; 0 is no limit")
	flag.Int64Var(&s.maxBody, "max-body", 6_000_000, "largest body of a request, in bytes")
	flag.Parse()
	if s.maxBody < 1 {
		fmt.Fprintln(os.Stderr, "-max-body must be at least 1")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx, s); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// stopTime is how long running executions have to end when the program stops.
const stopTime = 10 * time.Second

// serve runs the integrations until ctx ends.
func serve(ctx context.Context, s settings) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	signingSecret := newSecret()
	rt, err := runtime.New(ctx, runtime.Options{
		Integrations: []*sluice.Integration{endpoints(signingSecret), invoices},
		BaseURL:      "http://" + listener.Addr().String(),
		Database:     s.db,
		MaxBodyBytes: s.maxBody,
		RateLimit:    rateLimit(s.rate),
	})
	if err != nil {
		return err
	}
	if err := rt.Start(ctx); err != nil {
		return errors.Join(err, rt.Stop(ctx))
	}
	deployed, err := deploy(ctx, rt)
	if err != nil {
		return errors.Join(err, rt.Stop(ctx))
	}
	server := &http.Server{
		Handler:           rt.Handler(),
		ReadHeaderTimeout: 5 * time.Second,
		WriteTimeout:      time.Minute, // Longer than Options.SyncTimeout, or synchronous callers are cut off.
		IdleTimeout:       2 * time.Minute,
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	err = writeURLs(s.urls, deployed.urls(signingSecret, s.maxBody))
	if err == nil {
		fmt.Printf("Serving on http://%s; the endpoints stand in %s\n", listener.Addr(), s.urls)
		select {
		case err = <-served:
		case <-ctx.Done():
		}
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	return errors.Join(err, server.Shutdown(limited), rt.Stop(limited))
}

// rateLimit is the runtime's option for what the flag says.
func rateLimit(rate int) int {
	if rate == 0 {
		return -1
	}
	return rate
}
