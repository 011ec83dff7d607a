package sluicetest_test

import (
	"context"
	"io"
	"net/http"
	"testing"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	sluicetest "github.com/sluice-go/sluice/testing"
)

var warehouse = sluice.StringVar{Key: "Warehouse", StableKey: "warehouse"}

// stocktaking asks the warehouse of each customer.
var stocktaking = &sluice.Integration{
	Name: "Stocktaking", ConfigPages: []sluice.ConfigPage{{Name: "Stock", Elements: []sluice.ConfigElement{warehouse}}},
	Flows: []sluice.Flow{{
		Name: "Count", StableKey: "count", IsSynchronous: true,
		OnExecution: func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+warehouse.Get(run)+"/count", http.NoBody)
			if err != nil {
				return nil, err
			}
			response, err := run.HTTPClient().Do(request)
			if err != nil {
				return nil, err
			}
			defer response.Body.Close()
			count, err := io.ReadAll(response.Body)
			return &sluice.Result{Data: string(count)}, err
		},
	}},
}

// testStocktaking has two customers, whose warehouses stand in the test.
func testStocktaking(t *testing.T) {
	holds := func(count string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, count) })
	}
	customer := func(id, warehouse string) runtime.Deployment {
		return runtime.Deployment{Customer: runtime.Customer{ExternalID: id}, Config: map[string]any{"Warehouse": warehouse}}
	}
	sluicetest.RunOptions(t, sluicetest.Options{
		Runtime: runtime.Options{
			Integrations: []*sluice.Integration{stocktaking},
			Transport:    sluicetest.Hosts{"north.test": holds("12"), "south.test": holds("7")},
		},
		Deployments: []runtime.Deployment{customer("acme", "north.test"), customer("umbrella", "south.test")},
	}, func(_ *testing.T, h *sluicetest.Harness) {
		instances := h.Instances()
		h.Webhook("Count").To(instances[0]).Get().RequireStatus(200).RequireJSON("12")
		h.Webhook("Count").To(instances[1]).Get().RequireStatus(200).RequireJSON("7")
	})
}

func ExampleRunOptions() {
	_ = testStocktaking // Its name begins with Test in a test file of yours.
	// Output:
}
