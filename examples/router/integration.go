package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/sluice-go/sluice"
)

// warehouse is where a merchant's goods are.
var warehouse = sluice.PicklistVar{
	Key: "Warehouse", StableKey: "warehouse", PickList: []string{"Hamburg", "Rotterdam"}, Default: "Hamburg",
}

// orders is the whole integration. The marketplace has its API at url, and presents the key
// at the one endpoint that all merchants share.
func orders(url, key string) *sluice.Integration {
	return &sluice.Integration{
		Name:         "Orders",
		Description:  "Ships what is ordered at a marketplace.",
		EndpointType: sluice.EndpointSharedInstance,
		ConfigPages:  []sluice.ConfigPage{{Name: "Shipping", Elements: []sluice.ConfigElement{warehouse}}},
		Flows: []sluice.Flow{
			route(key).Flow,
			merchantFlow("Ship order", "ship-order", url+"/shipments").Flow,
			merchantFlow("Cancel order", "cancel-order", url+"/cancellations").Flow,
		},
	}
}

// Event is what the marketplace tells of an order. Several merchants may have a part in it.
type Event struct {
	ID    string `json:"id"`
	Type  string `json:"type"`
	Order string `json:"order"`
	Lines []Line `json:"lines"`
}

// Line is a part of an order.
type Line struct {
	Merchant string `json:"merchant"`
	Item     string `json:"item"`
}

// Route is one of the ways that an event goes.
type Route struct {
	Flow     string `json:"flow"`
	Merchant string `json:"merchant"`
}

// flowOf is the flow for each type of event.
var flowOf = map[string]string{"order.created": "Ship order", "order.canceled": "Cancel order"}

// route finds out for whom an event is: each merchant who has a part in the order gets it.
// Merchants are known by the ids that the customers have here. If one of them is unknown,
// nobody gets it, and the marketplace is told so: it sends it again later.
func route(key string) sluice.FlowOf[Event, []Route] {
	return sluice.Define(sluice.Flow{
		Name:                 "Route",
		StableKey:            "route",
		PreprocessFlowConfig: &sluice.PreprocessFlowConfig{FlowNameField: "flow", ExternalCustomerIDField: "merchant"},
		EndpointSecurityType: sluice.EndpointSecurityOrganization,
		OrganizationAPIKeys:  []string{key},
	}, func(_ context.Context, _ *sluice.Run, event Event) (routes []Route, err error) {
		flow, known := flowOf[event.Type]
		if !known {
			return nil, sluice.Reject(http.StatusUnprocessableEntity, "There is no flow for events of the type "+event.Type)
		}
		seen := map[string]bool{}
		for _, line := range event.Lines {
			if !seen[line.Merchant] {
				routes = append(routes, Route{Flow: flow, Merchant: line.Merchant})
			}
			seen[line.Merchant] = true
		}
		return routes, nil
	})
}

// Notice is what a merchant tells the marketplace.
type Notice struct {
	Order    string   `json:"order"`
	Merchant string   `json:"merchant"`
	Items    []string `json:"items"`
	From     string   `json:"from"`
}

// merchantFlow handles the merchant's own part of an event, one event after the other, and
// tells the marketplace. An event that the marketplace sends again is not handled again.
func merchantFlow(name, stableKey, url string) sluice.FlowOf[Event, Notice] {
	return sluice.Define(sluice.Flow{
		Name:        name,
		StableKey:   stableKey,
		QueueConfig: sluice.SequentialQueueConfig{DedupeIDField: "body.data.id"},
		RetryConfig: &sluice.RetryConfig{MaxAttempts: 5, DelayMinutes: 1, UsesExponentialBackoff: true},
	}, func(ctx context.Context, run *sluice.Run, event Event) (Notice, error) {
		notice := Notice{Order: event.Order, Merchant: run.Customer.ExternalID, From: warehouse.Get(run)}
		for _, line := range event.Lines {
			if line.Merchant == run.Customer.ExternalID {
				notice.Items = append(notice.Items, line.Item)
			}
		}
		return sluice.Step(ctx, "tell the marketplace", func(ctx context.Context) (Notice, error) {
			return notice, send(ctx, run, url, notice)
		})
	})
}

// send puts a notice. Putting it twice is as good as once.
func send(ctx context.Context, run *sluice.Run, url string, notice Notice) error {
	body, err := json.Marshal(notice)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, strings.Join([]string{url, notice.Order, notice.Merchant}, "/"), bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := run.HTTPClient().Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("PUT %s: the marketplace answered %s", request.URL, response.Status)
	}
	return nil
}
