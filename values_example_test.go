package sluice_test

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/sluice-go/sluice"
)

func ExampleReject() {
	err := fmt.Errorf("check the order: %w", sluice.Reject(http.StatusUnprocessableEntity, "An order needs an id."))
	if rejected, ok := errors.AsType[*sluice.RejectError](err); ok {
		fmt.Println(rejected.StatusCode, rejected.Message)
	}
	fmt.Println(sluice.IsPermanent(err))
	// Output:
	// 422 An order needs an id.
	// true
}

func ExamplePermanent() {
	err := sluice.Permanent(errors.New("the account is closed"))
	fmt.Println(err, sluice.IsPermanent(err))
	// Output: the account is closed true
}

func ExampleRetryAfter() {
	err := sluice.RetryAfter(90*time.Second, errors.New("too many requests"))
	delay, ok := sluice.RetryDelay(err)
	fmt.Println(err, delay, ok)
	// Output: too many requests 1m30s true
}

func ExampleRetryConfig_Delay() {
	config := sluice.RetryConfig{MaxAttempts: 5, DelayMinutes: 3, UsesExponentialBackoff: true}
	for n := range config.MaxAttempts {
		fmt.Print(config.Delay(n+1), " ")
	}
	// Output: 3m0s 6m0s 12m0s 24m0s 48m0s
}

func ExampleFieldPath_Lookup() {
	path, err := sluice.ParseFieldPath(`items.0["order.id"]`)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(path.Lookup(map[string]any{"items": []any{map[string]any{"order.id": 17}}}))
	fmt.Println(path.Lookup(map[string]any{"items": []any{}}))
	// Output:
	// 17 true <nil>
	//  false <nil>
}

func ExampleBody_Decode() {
	body, err := sluice.ParseBody("application/json", []byte(`{"id": "A-17", "total": 12345678901234567890}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	var order struct{ ID string }
	fmt.Println(body.Decode(&order), order.ID)
	fmt.Println(body.Data())

	_, err = sluice.ParseBody("application/json", []byte(`{"id": `))
	fmt.Println(errors.Is(err, sluice.ErrMalformedJSON))
	// Output:
	// <nil> A-17
	// map[id:A-17 total:12345678901234567890]
	// true
}

func ExampleNewHeaders() {
	headers := sluice.NewHeaders(http.Header{"X-Shop": {"acme", "globex"}})
	fmt.Println(headers.Get("x-shop"))
	fmt.Println(headers.Values("X-SHOP"))
	// Output:
	// acme, globex
	// [acme globex]
}

func ExampleSchemaFor() {
	type Order struct {
		ID   string `json:"id" jsonschema:"number of the order"`
		Note string `json:"note,omitempty" jsonschema:"what the buyer wrote"`
	}
	schema, err := sluice.SchemaFor[Order]()
	fmt.Println(schema.Required, schema.Properties["note"].Description, err)
	// Output: [id] what the buyer wrote <nil>
}
