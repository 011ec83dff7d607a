package main

import (
	"context"
	"crypto/rand"

	"github.com/sluice-go/sluice/runtime"
)

// deployment is what was deployed, with the API keys that were made for it.
type deployment struct {
	own, shared *runtime.Instance
	// keyed are the keys of the flows Keyed 1 and Keyed 2; customer2 those of the second
	// customer on the shared endpoint, by flow.
	keyed     [2]string
	customer2 map[string]string
}

// deploy brings up one instance of endpoints, and an instance of invoices for each customer.
// The second customer has API keys, so its share of the endpoint is closed to the first.
func deploy(ctx context.Context, rt *runtime.Runtime) (*deployment, error) {
	d := &deployment{customer2: map[string]string{}}
	var err error
	if d.own, err = rt.Deploy(ctx, runtime.Deployment{Integration: "Endpoints"}); err != nil {
		return nil, err
	}
	for i, flow := range []string{"Keyed 1", "Keyed 2"} {
		if d.keyed[i], err = rotateKey(ctx, rt, d.own, flow); err != nil {
			return nil, err
		}
	}
	if d.shared, err = deployInvoices(ctx, rt, "cust_1"); err != nil {
		return nil, err
	}
	second, err := deployInvoices(ctx, rt, "cust_2")
	if err != nil {
		return nil, err
	}
	for _, flow := range []string{"invoice.paid", "invoice.overdue"} {
		if d.customer2[flow], err = rotateKey(ctx, rt, second, flow); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func deployInvoices(ctx context.Context, rt *runtime.Runtime, customer string) (*runtime.Instance, error) {
	return rt.Deploy(ctx, runtime.Deployment{Integration: "Invoices", Customer: runtime.Customer{ExternalID: customer}})
}

// rotateKey makes a new key for the flow and revokes those of earlier starts.
func rotateKey(ctx context.Context, rt *runtime.Runtime, instance *runtime.Instance, flow string) (string, error) {
	old, err := rt.APIKeys(ctx, instance.ID)
	if err != nil {
		return "", err
	}
	key, err := rt.CreateAPIKey(ctx, instance.ID, flow)
	if err != nil {
		return "", err
	}
	for _, k := range old {
		if k.Flow != flow {
			continue
		}
		if err := rt.RevokeAPIKey(ctx, instance.ID, flow, k.Prefix); err != nil {
			return "", err
		}
	}
	return key, nil
}

// newSecret draws a secret to sign requests with.
func newSecret() string { return rand.Text() }
