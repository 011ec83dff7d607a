// Steps shows what a crash costs: nothing that was done. It runs one execution of ten steps,
// each of which writes a line to a file. Kill it in the middle, as hard as you like, and start
// it again: it goes on with the step that it was killed in.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
)

func main() {
	db := flag.String("db", "steps.db", "path of the SQLite file")
	lines := flag.String("lines", "steps.txt", "file that each step writes a line to")
	pace := flag.Duration("pace", time.Second, "how long a step takes")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *db, *lines, *pace, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run goes on with the execution that is in the database, or begins one, and waits for its end.
func run(ctx context.Context, db, lines string, pace time.Duration, out io.Writer) error {
	file, err := os.OpenFile(lines, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	rt, err := runtime.New(ctx, runtime.Options{
		Integrations: []*sluice.Integration{tenSteps(io.MultiWriter(file, out), pace)},
		Database:     db,
		BaseURL:      "http://" + listener.Addr().String(),
		Logger:       slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	server := &http.Server{Handler: rt.Handler(), ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(listener) }() // Close ends it.
	err = finish(ctx, rt, out)
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	return errors.Join(err, server.Close(), rt.Stop(limited))
}

// finish brings the latest execution to its end.
func finish(ctx context.Context, rt *runtime.Runtime, out io.Writer) error {
	if err := rt.Start(ctx); err != nil {
		return err
	}
	instance, err := rt.Deploy(ctx, runtime.Deployment{})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "This is process %d: kill it.\n", os.Getpid())
	latest, err := rt.Executions(ctx, store.Filter{}, "", 1)
	if err != nil {
		return err
	}
	if len(latest) == 0 || latest[0].Status.Final() {
		if err := post(ctx, instance.WebhookURLs["Ten steps"]); err != nil {
			return err
		}
	}
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for {
		latest, err = rt.Executions(ctx, store.Filter{}, "", 1)
		if err != nil {
			return err
		}
		if status := latest[0].Status; status.Final() {
			fmt.Fprintf(out, "The execution has %s after %d steps.\n", status, len(latest[0].Steps))
			return nil
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// tenSteps is the integration: one flow, whose steps are journalled one by one.
func tenSteps(lines io.Writer, pace time.Duration) *sluice.Integration {
	return &sluice.Integration{Name: "Steps", Flows: []sluice.Flow{{
		Name: "Ten steps", StableKey: "ten-steps",
		OnExecution: func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
			for n := 1; n <= 10; n++ {
				_, err := sluice.Step(ctx, fmt.Sprintf("step %d", n), func(ctx context.Context) (int, error) {
					if _, err := fmt.Fprintln(lines, n); err != nil {
						return 0, err
					}
					return n, sluice.Sleep(ctx, "work", pace)
				})
				if err != nil {
					return nil, err
				}
			}
			return &sluice.Result{Data: "ten steps, each journalled once"}, nil
		},
	}}}
}

func post(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(`{}`))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the request was answered with %s", response.Status)
	}
	return nil
}
