package runtime_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log"
	"net/http/httptest"
	"net/url"
	"os"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
)

// register hands the key of a sibling flow to another system.
func register(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
	url, keys := run.WebhookURLs["New order"], run.WebhookAPIKeys["New order"]
	if len(keys) == 0 {
		return nil, errors.New("create an API key for New order first")
	}
	return nil, createWebhook(ctx, url, keys[0])
}

// createWebhook stands for the other system.
func createWebhook(_ context.Context, _, key string) error {
	fmt.Println("registered with a key of", len(key), "characters")
	return nil
}

var ordersWithKeys = &sluice.Integration{Name: "Orders", Flows: []sluice.Flow{
	{Name: "New order", StableKey: "new-order", OnExecution: noop},
	{Name: "Register", StableKey: "register", OnExecution: register, IsSynchronous: true},
}}

func ExampleRuntime_CreateAPIKey() {
	ctx := context.Background()
	rt, instance := startExample(ctx, runtime.Options{Integrations: []*sluice.Integration{ordersWithKeys}, Database: ":memory:"})
	defer rt.Stop(ctx) //nolint:errcheck // The example ends here.

	key, err := rt.CreateAPIKey(ctx, instance.ID, "New order")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(key), "characters to give to the customer, once")

	keys, err := rt.APIKeys(ctx, instance.ID)
	if err != nil {
		log.Fatal(err)
	}
	oldest := keys[0]
	if err := rt.RevokeAPIKey(ctx, instance.ID, oldest.Flow, oldest.Prefix); err != nil {
		log.Fatal(err)
	}
	// Output: 64 characters to give to the customer, once
}

func ExampleOptions_masterKeys() {
	os.Setenv("SLUICE_MASTER_KEY", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
	options := runtime.Options{Integrations: []*sluice.Integration{ordersWithKeys}, Database: ":memory:"}

	masterKey, err := base64.StdEncoding.DecodeString(os.Getenv("SLUICE_MASTER_KEY")) // openssl rand -base64 32
	if err != nil {
		log.Fatal(err)
	}
	options.MasterKeys = [][]byte{masterKey}

	ctx := context.Background()
	rt, instance := startExample(ctx, options)
	defer rt.Stop(ctx) //nolint:errcheck // The example ends here.
	if _, err := rt.CreateAPIKey(ctx, instance.ID, "New order"); err != nil {
		log.Fatal(err)
	}
	webhook, err := url.Parse(instance.WebhookURLs["Register"])
	if err != nil {
		log.Fatal(err)
	}
	rt.Handler().ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "POST", webhook.Path, nil))
	// Output: registered with a key of 64 characters
}

func startExample(ctx context.Context, options runtime.Options) (*runtime.Runtime, *runtime.Instance) {
	rt, err := runtime.New(ctx, options)
	if err != nil {
		log.Fatal(err)
	}
	if err := rt.Start(ctx); err != nil {
		log.Fatal(err)
	}
	instance, err := rt.Deploy(ctx, runtime.Deployment{})
	if err != nil {
		log.Fatal(err)
	}
	return rt, instance
}
