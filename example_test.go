package sluice_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/sluice-go/sluice"
)

func ExampleDefine() {
	type Order struct {
		ID    string `json:"id" jsonschema:"number of the order"`
		Items int    `json:"items" jsonschema:"how many items it has"`
	}
	type Receipt struct {
		Message string `json:"message"`
	}
	create := sluice.Define(
		sluice.Flow{Name: "Create order", StableKey: "create-order"},
		func(_ context.Context, _ *sluice.Run, in Order) (sluice.Reply[Receipt], error) {
			receipt := Receipt{Message: fmt.Sprintf("order %s with %d items", in.ID, in.Items)}
			return sluice.Reply[Receipt]{Data: receipt, StatusCode: 201}, nil
		},
	)
	integration := &sluice.Integration{Name: "Orders", Flows: []sluice.Flow{create.Flow}}
	fmt.Println(integration.Validate())

	payload := &sluice.TriggerPayload{Body: sluice.NewBody(Order{ID: "17", Items: 3})}
	result, err := create.OnExecution(context.Background(), &sluice.Run{Payload: payload})
	fmt.Println(result.StatusCode, result.Data, err)
	// Output:
	// <nil>
	// 201 {order 17 with 3 items} <nil>
}

func ExampleIntegration_Validate() {
	integration := &sluice.Integration{
		Name: "Orders",
		Flows: []sluice.Flow{{
			Name:        "Nightly",
			StableKey:   "nightly",
			Schedule:    &sluice.Schedule{Value: "0 25 * * *"},
			QueueConfig: sluice.SequentialQueueConfig{},
		}},
	}
	if invalid, ok := errors.AsType[*sluice.ValidationError](integration.Validate()); ok {
		for _, fault := range invalid.Faults {
			fmt.Println(fault.Path)
		}
	}
	// Output:
	// flows[0].onExecution
	// flows[0].schedule.value
	// flows[0].queueConfig
}

func ExampleStringVar() {
	apiURL := sluice.StringVar{Key: "API URL", StableKey: "api-url", Default: "https://api.example.com"}
	tags := sluice.ValueListVar[string]{Element: sluice.StringVar{Key: "Tags", StableKey: "tags"}}

	integration := &sluice.Integration{
		Name:        "Orders",
		ConfigPages: []sluice.ConfigPage{{Name: "Setup", Elements: []sluice.ConfigElement{apiURL, tags}}},
		Flows: []sluice.Flow{{
			Name: "Sync", StableKey: "sync",
			OnExecution: func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
				return &sluice.Result{Data: fmt.Sprint(apiURL.Get(run), tags.Get(run))}, nil
			},
		}},
	}
	_, err := integration.ConfigValues(map[string]any{"Tags": "new", "Region": "eu"})
	fmt.Println(err)
	// Output:
	// sluice: the configuration of integration "Orders" is not valid:
	//   Tags: expected a list, got a string
	//   Region: no such config variable; there are "API URL", "Tags"
}
