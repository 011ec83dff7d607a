package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/sluice-go/sluice"
)

// Order is what the shop sells; Total is in cents.
type Order struct {
	ID    string `json:"id"`
	Total int    `json:"total"`
}

// registration is a webhook at the shop.
type registration struct {
	ID  string `json:"id,omitempty"`
	URL string `json:"url"`
}

// shopURL is where each customer's shop is.
var shopURL = sluice.StringVar{Key: "Shop URL", StableKey: "shop-url"}

// newOrder hears of new orders by the webhook that it registers at the shop.
var newOrder = sluice.Define(sluice.Flow{
	Name:      "New order",
	StableKey: "new-order",
	WebhookLifecycleHandlers: &sluice.WebhookLifecycleHandlers{
		Create: register,
		Delete: unregister,
	},
}, func(ctx context.Context, run *sluice.Run, order Order) (int, error) {
	run.Logger.InfoContext(ctx, "order received", "order", order.ID)
	return order.Total, nil
})

// hookID is where a flow keeps the id of its webhook.
const hookID = "hook id"

// register puts the webhook up, once: it is called at every deployment.
func register(ctx context.Context, run *sluice.Run) (*sluice.LifecycleResult, error) {
	state := run.InstanceState()
	if _, registered, err := sluice.GetState[string](ctx, state, hookID); err != nil || registered {
		return nil, err
	}
	run.Logger.InfoContext(ctx, "registering the webhook", "reason", run.Deployment.Reason)
	var hook registration
	url := run.WebhookURLs[run.Flow.Name]
	if err := call(ctx, run, http.MethodPost, "/hooks", registration{URL: url}, &hook); err != nil {
		return nil, err
	}
	return nil, state.Set(ctx, hookID, hook.ID)
}

// unregister takes the webhook down.
func unregister(ctx context.Context, run *sluice.Run) (*sluice.LifecycleResult, error) {
	state := run.InstanceState()
	id, registered, err := sluice.GetState[string](ctx, state, hookID)
	if err != nil || !registered {
		return nil, err
	}
	if err := call(ctx, run, http.MethodDelete, "/hooks/"+id, nil, nil); err != nil {
		return nil, err
	}
	return nil, state.Delete(ctx, hookID)
}

// newOrderRef calls the flow from another one.
const newOrderRef = sluice.FlowRef[Order, int]("new-order")

// backfill hands over the orders that were there before the webhook, once for each instance.
var backfill = sluice.Flow{
	Name:      "Backfill",
	StableKey: "backfill",
	Trigger:   sluice.InstanceDeployTrigger{},
	OnExecution: func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		if run.Deployment.Reason != sluice.ReasonDeployed {
			return nil, nil
		}
		orders, err := sluice.Step(ctx, "list orders", func(ctx context.Context) ([]Order, error) {
			listed, err := run.CallAction(ctx, "shop", "list", sluice.Inputs{"what": "orders"})
			orders, _ := listed.([]Order)
			return orders, err
		})
		if err != nil {
			return nil, err
		}
		total := 0
		for _, order := range orders {
			paid, err := newOrderRef.Invoke(ctx, order)
			if err != nil {
				return nil, err
			}
			total += paid
		}
		return &sluice.Result{Data: total}, nil
	},
}

// shopManifest describes the component, shopComponent is its code.
var shopManifest = sluice.ComponentManifest{
	Key: "acme-shop", Name: "shop",
	Actions: []sluice.ComponentAction{{ComponentEntry: sluice.ComponentEntry{
		Key: "list", Inputs: []sluice.ComponentInput{{Key: "what", InputType: "string", Required: true}},
	}}},
}

var shopComponent = sluice.Component{
	Key: "acme-shop",
	Actions: map[string]sluice.ActionFunc{
		"list": func(ctx context.Context, run *sluice.Run, inputs sluice.Inputs) (any, error) {
			var list []Order
			err := call(ctx, run, http.MethodGet, fmt.Sprintf("/%v", inputs["what"]), nil, &list)
			return list, err
		},
	},
}

// shop is the whole integration.
var shop = &sluice.Integration{
	Name:              "Shop",
	Version:           "1",
	Flows:             []sluice.Flow{newOrder.Flow, backfill},
	ConfigPages:       []sluice.ConfigPage{{Name: "Setup", Elements: []sluice.ConfigElement{shopURL}}},
	ComponentRegistry: []sluice.ComponentManifest{shopManifest},
}

// call calls the customer's shop.
func call(ctx context.Context, run *sluice.Run, method, path string, in, out any) error {
	var body bytes.Buffer
	if in != nil {
		if err := json.NewEncoder(&body).Encode(in); err != nil {
			return err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, shopURL.Get(run)+path, &body)
	if err != nil {
		return err
	}
	response, err := run.HTTPClient().Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s %s: the shop answered %s", method, path, response.Status)
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(response.Body).Decode(out)
}
