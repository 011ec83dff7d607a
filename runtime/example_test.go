package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
)

var greeting = sluice.StringVar{Key: "Greeting", StableKey: "greeting", Default: "Hello"}

// greet answers its caller.
var greet = sluice.Define(
	sluice.Flow{Name: "Greet", StableKey: "greet", IsSynchronous: true},
	func(_ context.Context, run *sluice.Run, name string) (string, error) {
		return fmt.Sprintf("%s, %s", greeting.Get(run), name), nil
	})

var greetings = &sluice.Integration{
	Name:        "Greetings",
	Flows:       []sluice.Flow{greet.Flow},
	ConfigPages: []sluice.ConfigPage{{Name: "Setup", Elements: []sluice.ConfigElement{greeting}}},
}

// From a definition to an answer.
func Example() {
	ctx := context.Background()
	rt, err := runtime.New(ctx, runtime.Options{Integrations: []*sluice.Integration{greetings}, Database: ":memory:"})
	if err != nil {
		log.Fatal(err)
	}
	defer rt.Stop(ctx) //nolint:errcheck // The example ends here.
	if err := rt.Start(ctx); err != nil {
		log.Fatal(err)
	}
	instance, err := rt.Deploy(ctx, runtime.Deployment{
		Customer: runtime.Customer{ExternalID: "acme"},
		Config:   map[string]any{"Greeting": "Servus"},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(postExample(rt.Handler(), instance.WebhookURLs["Greet"], `"Ada"`))
	// Output: 200 "Servus, Ada"
}

// New reports everything that is wrong at once.
func ExampleNew() {
	integration := &sluice.Integration{Name: "Orders", Flows: []sluice.Flow{
		{Name: "Nightly", StableKey: "nightly", Schedule: &sluice.Schedule{Value: "0 25 * * *"}},
	}}
	_, err := runtime.New(context.Background(), runtime.Options{Integrations: []*sluice.Integration{integration}, Database: ":memory:"})
	fmt.Println(strings.Contains(err.Error(), "onExecution"), strings.Contains(err.Error(), "schedule.value"))
	// Output: true true
}

// The handler stands below a path of your service.
func ExampleRuntime_Handler() {
	ctx := context.Background()
	rt, instance := startExample(ctx, runtime.Options{
		Integrations: []*sluice.Integration{greetings},
		Database:     ":memory:",
		BaseURL:      "https://example.com/hooks", // As the outside sees it.
	})
	defer rt.Stop(ctx) //nolint:errcheck // The example ends here.
	mux := http.NewServeMux()
	mux.Handle("/hooks/", http.StripPrefix("/hooks", rt.Handler()))
	fmt.Println(strings.HasPrefix(instance.WebhookURLs["Greet"], "https://example.com/hooks/trigger/"))
	fmt.Println(postExample(mux, instance.WebhookURLs["Greet"], `"Ada"`))
	// Output:
	// true
	// 200 "Hello, Ada"
}

// Deploy validates the configuration, and runs hooks only if something changed.
func ExampleRuntime_Deploy() {
	ctx := context.Background()
	hooked := *greetings
	hooked.Flows = []sluice.Flow{greet.Flow}
	hooked.Flows[0].OnInstanceDeploy = func(_ context.Context, run *sluice.Run) (*sluice.LifecycleResult, error) {
		fmt.Println(run.Deployment.Reason)
		return nil, nil
	}
	rt, _ := startExample(ctx, runtime.Options{Integrations: []*sluice.Integration{&hooked}, Database: ":memory:"})
	defer rt.Stop(ctx) //nolint:errcheck // The example ends here.
	for _, config := range []map[string]any{nil, {"Greeting": "Servus"}, {"Greeting": 7}} {
		if _, err := rt.Deploy(ctx, runtime.Deployment{Config: config}); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// deployed
	// configured
	// runtime: deploy: sluice: the configuration of integration "Greetings" is not valid:
	//   Greeting: expected a string, got a number
}

// A paused instance answers no requests, and keeps its URLs.
func ExampleRuntime_Pause() {
	ctx := context.Background()
	rt, instance := startExample(ctx, runtime.Options{Integrations: []*sluice.Integration{greetings}, Database: ":memory:"})
	defer rt.Stop(ctx) //nolint:errcheck // The example ends here.
	fmt.Println(rt.Pause(ctx, instance.ID))
	fmt.Println(postExample(rt.Handler(), instance.WebhookURLs["Greet"], `"Ada"`)[:3])
	fmt.Println(rt.Resume(ctx, instance.ID))
	fmt.Println(postExample(rt.Handler(), instance.WebhookURLs["Greet"], `"Ada"`)[:3])
	// Output:
	// <nil>
	// 404
	// <nil>
	// 200
}

// What runs hears of its cancellation by its context.
func ExampleRuntime_CancelExecution() {
	started, ended := make(chan string), make(chan error)
	endless := sluice.Flow{
		Name: "Endless", StableKey: "endless",
		OnExecution: func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
			started <- run.ExecutionID
			<-ctx.Done()
			ended <- context.Cause(ctx)
			return nil, ctx.Err()
		},
	}
	ctx := context.Background()
	rt, instance := startExample(ctx, quiet(endless))
	defer rt.Stop(ctx) //nolint:errcheck // The example ends here.
	postExample(rt.Handler(), instance.WebhookURLs["Endless"], `{}`)
	fmt.Println(rt.CancelExecution(ctx, <-started, "no longer needed"))
	fmt.Println(<-ended)
	// Output:
	// <nil>
	// sluice: the execution was canceled: no longer needed
}

// A replay is a new execution of what a failed one was for.
func ExampleRuntime_Replay() {
	broken, runs := true, make(chan string, 2)
	book := sluice.Define(
		sluice.Flow{Name: "Book", StableKey: "book", IsSynchronous: true},
		func(_ context.Context, _ *sluice.Run, order string) (string, error) {
			runs <- order
			if broken {
				return "", errors.New("the ledger is down")
			}
			return "booked", nil
		})
	ctx := context.Background()
	rt, instance := startExample(ctx, quiet(book.Flow))
	defer rt.Stop(ctx) //nolint:errcheck // The example ends here.
	fmt.Println(postExample(rt.Handler(), instance.WebhookURLs["Book"], `"A-17"`), <-runs)

	broken = false
	failed, err := rt.Executions(ctx, store.Filter{Status: store.StatusFailed}, "", 10)
	if err != nil {
		log.Fatal(err)
	}
	_, err = rt.Replay(ctx, failed[0].ID, runtime.ReplayOptions{})
	fmt.Println(err, <-runs)
	// Output:
	// 400 {"error":"the ledger is down"} A-17
	// <nil> A-17
}

// quiet are options for one flow, without a log.
func quiet(flow sluice.Flow) runtime.Options {
	return runtime.Options{
		Integrations: []*sluice.Integration{{Name: "Orders", Flows: []sluice.Flow{flow}}},
		Database:     ":memory:",
		Logger:       slog.New(slog.DiscardHandler),
	}
}

// postExample sends JSON to a webhook URL and returns the answer.
func postExample(handler http.Handler, webhookURL, body string) string {
	webhook, err := url.Parse(webhookURL)
	if err != nil {
		log.Fatal(err)
	}
	request := httptest.NewRequestWithContext(context.Background(), http.MethodPost, webhook.Path, strings.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	response := httptest.NewRecorder()
	handler.ServeHTTP(response, request)
	return fmt.Sprint(response.Code, " ", response.Body)
}
