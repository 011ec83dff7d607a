package postgres_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http/httptest"
	"net/url"
	"os"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store/postgres"
)

// childDatabase makes the test binary a process that serves the database until it is killed.
const childDatabase = "SLUICE_CHILD_DATABASE"

// childFlow has a step, and ends when work does.
func childFlow(work func(ctx context.Context) (string, error), says func(string)) sluice.Flow {
	return sluice.Flow{
		Name: "Work", StableKey: "work",
		OnExecution: func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
			if _, err := sluice.Step(ctx, "once", func(context.Context) (int, error) {
				says("step")
				return 1, nil
			}); err != nil {
				return nil, err
			}
			data, err := work(ctx)
			return &sluice.Result{Data: data}, err
		},
	}
}

// serveAsChild prints its webhook URL, and when something begins and ends. Each line of input
// lets one execution end.
func serveAsChild(database string) error {
	ctx := context.Background()
	db, err := postgres.Open(ctx, database)
	if err != nil {
		return err
	}
	say := func(text string) { _, _ = fmt.Fprintln(os.Stdout, text) }
	input := bufio.NewScanner(os.Stdin)
	flow := childFlow(func(context.Context) (string, error) {
		say("started")
		input.Scan()
		say("ended")
		return "child", nil
	}, say)
	rt, err := runtime.New(ctx, runtime.Options{
		Integrations: []*sluice.Integration{{Name: "Orders", Flows: []sluice.Flow{flow}}}, Store: db, Lease: lease,
	})
	if err != nil {
		return err
	}
	if err := rt.Start(ctx); err != nil {
		return err
	}
	instance, err := rt.Deploy(ctx, runtime.Deployment{})
	if err != nil {
		return err
	}
	endpoint, err := url.Parse(instance.WebhookURLs["Work"])
	if err != nil {
		return err
	}
	say(httptest.NewServer(rt.Handler()).URL + endpoint.Path)
	select {}
}
