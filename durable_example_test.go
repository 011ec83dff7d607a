package sluice_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
)

// serve runs flows for an example. What it returns posts JSON to a flow, by name, and returns
// the answer.
func serve(config map[string]any, integration *sluice.Integration, components ...sluice.Component) (post func(flow, body string) string, stop func()) {
	ctx := context.Background()
	rt, err := runtime.New(ctx, runtime.Options{
		Integrations: []*sluice.Integration{integration}, Components: components,
		Database: ":memory:", Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := rt.Start(ctx); err != nil {
		log.Fatal(err)
	}
	instance, err := rt.Deploy(ctx, runtime.Deployment{Config: config})
	if err != nil {
		log.Fatal(err)
	}
	post = func(flow, body string) string {
		webhook, err := url.Parse(instance.WebhookURLs[flow])
		if err != nil {
			log.Fatal(err)
		}
		request := httptest.NewRequestWithContext(ctx, "POST", webhook.Path, strings.NewReader(body))
		request.Header.Set("Content-Type", "application/json")
		response := httptest.NewRecorder()
		rt.Handler().ServeHTTP(response, request)
		return fmt.Sprint(response.Code, " ", response.Body)
	}
	return post, func() { rt.Stop(ctx) } //nolint:errcheck // The example ends here.
}

// A step that is on record does not run again, whatever happens to the execution.
func ExampleStep() {
	charge := sluice.Define(
		sluice.Flow{Name: "Charge", StableKey: "charge", IsSynchronous: true},
		func(ctx context.Context, run *sluice.Run, cents int) (string, error) {
			payment, err := sluice.Step(ctx, "charge card", func(context.Context) (int, error) {
				return cents, nil // Calls the bank, with run.ExecutionID against repetitions.
			}, sluice.WithTimeout(30*time.Second))
			if err != nil {
				return "", err
			}
			return sluice.Step(ctx, "send receipt", func(context.Context) (string, error) {
				return fmt.Sprintf("receipt for %d cents", payment), nil
			})
		})
	post, stop := serve(nil, &sluice.Integration{Name: "Shop", Flows: []sluice.Flow{charge.Flow}})
	defer stop()
	fmt.Println(post("Charge", `450`))
	// Output: 200 "receipt for 450 cents"
}

func ExampleForEach() {
	ship := sluice.Define(
		sluice.Flow{Name: "Ship", StableKey: "ship", IsSynchronous: true},
		func(ctx context.Context, _ *sluice.Run, orders []string) ([]string, error) {
			return sluice.ForEach(ctx, "print label", orders, func(_ context.Context, order string, index int) (string, error) {
				return fmt.Sprintf("label %d for %s", index+1, order), nil
			}, sluice.WithConcurrency(2))
		})
	post, stop := serve(nil, &sluice.Integration{Name: "Shop", Flows: []sluice.Flow{ship.Flow}})
	defer stop()
	fmt.Println(post("Ship", `["A-17", "A-18"]`))
	// Output: 200 ["label 1 for A-17","label 2 for A-18"]
}

func ExampleGetState() {
	count := sluice.Flow{
		Name: "Count", StableKey: "count", IsSynchronous: true,
		OnExecution: func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
			state := run.InstanceState()
			seen, _, err := sluice.GetState[int](ctx, state, "seen")
			if err != nil {
				return nil, err
			}
			return &sluice.Result{Data: seen}, state.Set(ctx, "seen", seen+1) // Saved if the execution succeeds.
		},
	}
	post, stop := serve(nil, &sluice.Integration{Name: "Shop", Flows: []sluice.Flow{count}})
	defer stop()
	fmt.Println(post("Count", `{}`))
	fmt.Println(post("Count", `{}`))
	// Output:
	// 200 0
	// 200 1
}

func ExampleDeDuplicate() {
	fresh := sluice.Define(
		sluice.Flow{Name: "News", StableKey: "news", IsSynchronous: true},
		func(ctx context.Context, run *sluice.Run, newestFirst []int) ([]int, error) {
			return sluice.DeDuplicate(ctx, run.InstanceState(), "orders", newestFirst, func(id int) int { return id })
		})
	post, stop := serve(nil, &sluice.Integration{Name: "Shop", Flows: []sluice.Flow{fresh.Flow}})
	defer stop()
	fmt.Println(post("News", `[123, 122]`))
	fmt.Println(post("News", `[125, 124, 123, 122]`))
	// Output:
	// 200 [123,122]
	// 200 [125,124]
}

// A reference calls a flow of the same integration, with its types.
func ExampleFlowRef_Invoke() {
	const priceRef = sluice.FlowRef[string, int]("price")
	price := sluice.Define(
		sluice.Flow{Name: "Price", StableKey: "price"},
		func(_ context.Context, _ *sluice.Run, item string) (int, error) {
			if item != "tea" {
				return 0, sluice.Permanent(errors.New("no such item"))
			}
			return 450, nil
		})
	quote := sluice.Define(
		sluice.Flow{Name: "Quote", StableKey: "quote", IsSynchronous: true},
		func(ctx context.Context, _ *sluice.Run, item string) (string, error) {
			cents, err := priceRef.Invoke(ctx, item)
			if failed, ok := errors.AsType[*sluice.InvokeError](err); ok {
				return "", sluice.Reject(404, failed.Message)
			}
			return fmt.Sprintf("%s: %d cents", item, cents), err
		})
	post, stop := serve(nil, &sluice.Integration{Name: "Shop", Flows: []sluice.Flow{price.Flow, quote.Flow}})
	defer stop()
	fmt.Println(post("Quote", `"tea"`))
	fmt.Println(post("Quote", `"milk"`))
	// Output:
	// 200 "tea: 450 cents"
	// 404 {"error":"no such item"}
}

// A component is code that an integration refers to by its description.
func ExampleComponent() {
	shop := sluice.Component{Key: "acme-shop", Actions: map[string]sluice.ActionFunc{
		"price": func(_ context.Context, _ *sluice.Run, inputs sluice.Inputs) (any, error) {
			return fmt.Sprintf("the price of %v in %v", inputs["item"], inputs["currency"]), nil
		},
	}}
	manifest := sluice.ComponentManifest{Name: "shop", Key: "acme-shop", Actions: []sluice.ComponentAction{{
		ComponentEntry: sluice.ComponentEntry{Key: "price", Inputs: []sluice.ComponentInput{
			{Key: "item", InputType: "string", Required: true},
			{Key: "currency", InputType: "string", Default: "EUR"},
		}},
	}}}
	price := sluice.Flow{
		Name: "Price", StableKey: "price", IsSynchronous: true,
		OnExecution: func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
			answer, err := run.CallAction(ctx, "shop", "price", sluice.Inputs{"item": "tea"})
			return &sluice.Result{Data: answer}, err
		},
	}
	post, stop := serve(nil, &sluice.Integration{
		Name: "Shop", Flows: []sluice.Flow{price}, ComponentRegistry: []sluice.ComponentManifest{manifest},
	}, shop)
	defer stop()
	fmt.Println(post("Price", `{}`))
	// Output: 200 "the price of tea in EUR"
}

func ExampleConnectionVar() {
	shop := sluice.ConnectionVar{Key: "Shop", StableKey: "shop", Connection: sluice.BasicConnection{
		Inputs: []sluice.ConnectionInput{
			{Key: "user", Label: "User", Type: sluice.InputTypeString, Required: true},
			{Key: "password", Label: "Password", Type: sluice.InputTypePassword, Required: true},
		},
	}}
	hello := sluice.Flow{
		Name: "Hello", StableKey: "hello", IsSynchronous: true,
		OnExecution: func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
			return &sluice.Result{Data: "Hello, " + shop.Get(run).Field("user")}, nil
		},
	}
	integration := &sluice.Integration{
		Name: "Shop", Flows: []sluice.Flow{hello},
		ConfigPages: []sluice.ConfigPage{{Name: "Shop", Elements: []sluice.ConfigElement{shop}}},
	}
	config := map[string]any{"Shop": sluice.Connection{Fields: map[string]any{"user": "ada", "password": "secret"}}}
	post, stop := serve(config, integration)
	defer stop()
	fmt.Println(post("Hello", `{}`))
	// Output: 200 "Hello, ada"
}

// Requests that are not signed are refused before anything of the flow runs.
func ExampleHMACTrigger() {
	push := sluice.Flow{
		Name: "Push", StableKey: "push", IsSynchronous: true,
		Trigger:     sluice.HMACTrigger{Signature: sluice.GitHub(), Secrets: []string{"the secret of the webhook"}},
		OnExecution: func(context.Context, *sluice.Run) (*sluice.Result, error) { return nil, nil },
	}
	post, stop := serve(nil, &sluice.Integration{Name: "Repository", Flows: []sluice.Flow{push}})
	defer stop()
	fmt.Println(post("Push", `{"ref":"refs/heads/main"}`))
	// Output: 401 {"error":"The request is not signed as this endpoint requires."}
}
