//go:build unix

// Command chaos kills processes of Sluice while they work, and counts from outside what became
// of what they had acknowledged: one process on SQLite, then three on one PostgreSQL, of which
// some are also paused past their lease. It ends with one line for each count, and fails if
// anything was lost, done twice or out of order.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if len(os.Args) > 1 && os.Args[1] == "worker" {
		exit(work(ctx, os.Args[2:]))
		return
	}
	for_ := flag.Duration("for", 25*time.Second, "how long each of the two runs under load")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "what is killed when")
	postgres := flag.String("postgres", "", "the URL of an empty PostgreSQL database; empty starts a server of its own")
	flag.Parse()
	exit(run(ctx, *for_, *seed, *postgres))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}
