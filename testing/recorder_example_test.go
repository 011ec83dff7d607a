package sluicetest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"net/http"
	"testing"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	sluicetest "github.com/sluice-go/sluice/testing"
)

type contact struct {
	Email string `json:"email"`
}

// createContact is a flow that calls a service.
var createContact = sluice.Define(
	sluice.Flow{Name: "Create contact", StableKey: "create-contact", IsSynchronous: true},
	func(ctx context.Context, run *sluice.Run, in contact) (id int, err error) {
		body, err := json.Marshal(in)
		if err != nil {
			return 0, err
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://crm.example.com/v1/contacts", bytes.NewReader(body))
		if err != nil {
			return 0, err
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Authorization", "Bearer "+"a secret of the instance")
		response, err := run.HTTPClient().Do(request)
		if err != nil {
			return 0, err
		}
		defer response.Body.Close()
		var created struct{ ID int }
		err = json.NewDecoder(response.Body).Decode(&created)
		return created.ID, err
	})

var update = flag.Bool("update", false, "call the services and save what they answer")

// The service answers from a file; "go test -update" calls it, and saves what it answers.
func ExampleNewRecorder() {
	asTest(func(t *testing.T) { // func TestCreateContact(t *testing.T)
		options := sluicetest.Options{
			Runtime: runtime.Options{
				Integrations: []*sluice.Integration{{Name: "CRM", Flows: []sluice.Flow{createContact.Flow}}},
				Transport:    sluicetest.NewRecorder(t, "testdata/exchanges/contacts.txt", sluicetest.RecorderOptions{Update: *update}),
			},
			Deployments: []runtime.Deployment{{}},
		}
		sluicetest.RunOptions(t, options, func(_ *testing.T, h *sluicetest.Harness) {
			h.Webhook("Create contact").JSON(contact{Email: "ada@example.com"}).RequireStatus(200).Execution().RequireResult(7)
		})
	})
	// Output: true
}
