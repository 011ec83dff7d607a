package main

import (
	"context"
	"slices"
	"time"

	"github.com/sluice-go/sluice"
)

// crmAccount is how the integration reaches a customer's CRM: it gets its tokens itself.
var crmAccount = sluice.ConnectionVar{
	Key: "CRM", StableKey: "crm",
	Connection: sluice.OAuth2ClientCredentialsConnection{Inputs: []sluice.ConnectionInput{
		{Key: "apiUrl", Label: "URL of the API", Type: sluice.InputTypeString, Required: true},
		{Key: "tokenUrl", Label: "Token URL", Type: sluice.InputTypeString, Required: true},
		{Key: "scopes", Label: "Scopes", Type: sluice.InputTypeString, Default: "contacts.read"},
		{Key: "clientId", Label: "Client id", Type: sluice.InputTypeString, Required: true},
		{Key: "clientSecret", Label: "Client secret", Type: sluice.InputTypePassword, Required: true},
	}},
}

// warehouseAccount is how it reaches the customer's data warehouse.
var warehouseAccount = sluice.ConnectionVar{
	Key: "Warehouse", StableKey: "warehouse",
	Connection: sluice.BasicConnection{Inputs: []sluice.ConnectionInput{
		{Key: "url", Label: "URL", Type: sluice.InputTypeString, Required: true},
		{Key: "apiKey", Label: "API key", Type: sluice.InputTypePassword, Required: true},
	}},
}

// Contact is somebody whom the customer knows.
type Contact struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	UpdatedAt time.Time `json:"updatedAt"`
}

// crmSync is the whole integration.
func crmSync() *sluice.Integration {
	client := &crmClient{}
	return &sluice.Integration{
		Name:        "CRM sync",
		Description: "Copies contacts from a CRM to a data warehouse.",
		ConfigPages: []sluice.ConfigPage{{Name: "Accounts", Elements: []sluice.ConfigElement{crmAccount, warehouseAccount}}},
		Flows:       []sluice.Flow{contacts(client).Flow},
	}
}

// contacts copies what has changed, every minute, and all that is there when an instance is
// first deployed. A run that is still at it, or waits for a retry, has the next ones skipped.
// What fails is tried again on the spot, twice; then the execution is, from where it was.
func contacts(client *crmClient) sluice.FlowOf[[]Contact, int] {
	poll := func(ctx context.Context, run *sluice.Run, payload *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
		return pollContacts(ctx, run, payload, client)
	}
	return sluice.Define(sluice.Flow{
		Name:            "Contacts",
		StableKey:       "contacts",
		TriggerType:     sluice.TriggerTypePolling,
		Schedule:        &sluice.Schedule{Value: "* * * * *"},
		OnTrigger:       poll,
		OnDeployTrigger: poll,
		QueueConfig:     sluice.StandardQueueConfig{SingletonExecutions: true},
		ErrorConfig:     &sluice.StepErrorConfig{ErrorHandlerType: sluice.ErrorHandlerRetry, MaxAttempts: 2, DelaySeconds: 1},
		RetryConfig:     &sluice.RetryConfig{MaxAttempts: 5, DelayMinutes: 1, UsesExponentialBackoff: true},
	}, copyContacts)
}

// cursor is how far the polls have come.
type cursor struct {
	Since time.Time `json:"since"`
	// Page is where the next poll goes on, if there was more than this one took.
	Page string `json:"page"`
}

// maxPages is how many pages one execution gets.
const maxPages = 10

// pollContacts finds the contacts that have changed. The cursor is saved with the execution
// that gets them, so that nothing is lost or comes twice if the process dies in between.
func pollContacts(
	ctx context.Context, run *sluice.Run, payload *sluice.TriggerPayload, client *crmClient,
) (*sluice.TriggerResult, error) {
	at, _, err := sluice.PollState[cursor](ctx, run)
	if err != nil {
		return nil, err
	}
	var changed []Contact
	for range maxPages {
		page, err := client.contacts(ctx, run, at)
		if err != nil {
			return nil, err
		}
		changed = append(changed, page.Contacts...)
		if at.Page = page.Next; at.Page == "" {
			break
		}
	}
	// The CRM knows seconds only, so that the latest contacts of the poll before come again.
	slices.Reverse(changed)
	fresh, err := sluice.DeDuplicate(ctx, run.InstanceState(), "contacts", changed, func(c Contact) string {
		return c.ID + " at " + c.UpdatedAt.Format(time.RFC3339)
	})
	if err != nil {
		return nil, err
	}
	if len(fresh) == 0 {
		return &sluice.TriggerResult{PolledNoChanges: true}, nil
	}
	if at.Page == "" {
		at.Since = fresh[0].UpdatedAt
	}
	if err := sluice.SetPollState(ctx, run, at); err != nil {
		return nil, err
	}
	slices.Reverse(fresh)
	payload.Body = sluice.NewBody(fresh)
	return nil, nil
}

// copyContacts puts each contact into the warehouse, in a step of its own: an attempt that
// comes later leaves out those that are there.
func copyContacts(ctx context.Context, run *sluice.Run, changed []Contact) (int, error) {
	_, err := sluice.ForEach(ctx, "copy", changed, func(ctx context.Context, c Contact, _ int) (string, error) {
		return c.ID, putContact(ctx, run, c)
	})
	return len(changed), err
}
