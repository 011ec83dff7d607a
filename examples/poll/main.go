// Poll serves an integration that asks a shop for new orders every minute, copies all of its
// customers each night in batches, and sends a report at the time that each customer chooses.
// The shop is part of the program.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
)

func main() {
	db := flag.String("db", "poll.db", "path of the SQLite file")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx, *db, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// stopTime is how long running executions have to end when the program stops.
const stopTime = 10 * time.Second

// serve runs the integration until ctx ends.
func serve(ctx context.Context, db string, out io.Writer) error {
	rt, err := runtime.New(ctx, runtime.Options{Integrations: []*sluice.Integration{integration(newShop())}, Database: db})
	if err != nil {
		return err
	}
	if err := rt.Start(ctx); err != nil {
		return errors.Join(err, rt.Stop(ctx))
	}
	if _, err := rt.Deploy(ctx, runtime.Deployment{}); err != nil {
		return errors.Join(err, rt.Stop(ctx))
	}
	fmt.Fprintln(out, "Asking the shop for new orders every minute. Stop with Ctrl-C; at the next start it goes on where it was.")
	<-ctx.Done()
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	return rt.Stop(limited)
}
