package runtime

import (
	"context"
	"fmt"

	"github.com/sluice-go/sluice/internal/engine"
	"github.com/sluice-go/sluice/store"
)

// Deployment asks for an instance of an integration for a customer. Its zero value is an
// instance of the only integration for a default customer.
type Deployment struct {
	// Integration by name. Defaults to the only registered one.
	Integration string
	// Customer by the id that you know the customer by. Defaults to "default".
	Customer Customer
	// Name of the instance, unique among the customer's instances of the integration.
	// Defaults to the integration's name.
	Name string
	// Config holds the values of config variables by key, each of its variable's type, or
	// as encoding/json decodes it. What it leaves out has its default. Nil keeps what the
	// instance is configured with.
	Config map[string]any
	// Force runs the hooks even if neither version nor configuration changed, for example after
	// a new Options.BaseURL.
	Force bool
}

// Customer of yours.
type Customer struct {
	// ExternalID is the id that you know the customer by. Required, unless Name is empty too.
	ExternalID string
	// Name is shown to people. Defaults to ExternalID.
	Name string
}

// Instance is a deployed instance.
type Instance struct {
	// ID of the instance.
	ID string
	// Name of the instance.
	Name string
	// Integration is the integration's name, Version the deployed version.
	Integration, Version string
	// Customer whose instance it is.
	Customer Customer
	// Paused instances answer no requests and run nothing: see [Runtime.Pause].
	Paused bool
	// WebhookURLs holds the URL of each flow, by flow name.
	WebhookURLs map[string]string
}

// defaultCustomer is the customer of deployments that name none.
const defaultCustomer = "default"

// Deploy brings an instance to the registered version of its integration and to the given
// configuration, which it validates. If version or configuration changed, and not at every
// call, this runs: OnInstanceDeploy of each flow in order, the flows with an
// [sluice.InstanceDeployTrigger], which it does not wait for, and WebhookLifecycleHandlers.Create
// of each flow. Each call of a hook has 30 seconds and is on record as an execution. If one
// fails, the webhooks that were put up are taken down, the previous deployment is put back
// and the error names the hook. Deploy may be called at every start, by every process: if
// several do at once, the hooks run once, and if a process dies meanwhile, the next Deploy
// brings it to its end. A paused instance stays paused; its webhooks are put up by Resume.
func (rt *Runtime) Deploy(ctx context.Context, d Deployment) (*Instance, error) {
	if d.Customer.ExternalID == "" && d.Customer.Name != "" {
		return nil, fmt.Errorf("runtime: deploy: customer %q has no ExternalID: give the id that you know the customer by", d.Customer.Name)
	}
	setDefault(&d.Customer.ExternalID, defaultCustomer)
	setDefault(&d.Customer.Name, d.Customer.ExternalID)
	deployed, err := rt.engine.Deploy(ctx, engine.Deployment{
		Integration: d.Integration,
		// Until customers have records of their own, their external id is their id.
		Customer: store.Customer{ID: d.Customer.ExternalID, ExternalID: d.Customer.ExternalID, Name: d.Customer.Name},
		Name:     d.Name,
		Config:   d.Config,
		Force:    d.Force,
	})
	if err != nil {
		return nil, fmt.Errorf("runtime: deploy: %w", err)
	}
	record := deployed.Record()
	return &Instance{
		ID: record.ID, Name: record.Name, Integration: record.Integration, Version: record.Version,
		Customer:    Customer{ExternalID: record.Customer.ExternalID, Name: record.Customer.Name},
		Paused:      record.Paused,
		WebhookURLs: deployed.WebhookURLs(),
	}, nil
}
