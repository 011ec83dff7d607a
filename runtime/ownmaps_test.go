package runtime_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// TestWhatARunChangesNoOtherSees lets a run write into every map that it is given.
func TestWhatARunChangesNoOtherSees(t *testing.T) {
	t.Parallel()
	flow := func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
		seen := []any{run.WebhookURLs["Flow"] == "", len(run.WebhookURLs), run.WebhookAPIKeys["Flow"][0], len(run.WebhookAPIKeys)}
		run.WebhookURLs["mine"], run.WebhookURLs["Flow"] = "x", ""
		run.WebhookAPIKeys["mine"], run.WebhookAPIKeys["Flow"][0] = nil, "stolen"
		return &sluice.Result{Data: seen}, nil
	}
	integration := integrationOf(flow, secured(sluice.EndpointSecurityOrganization, organizationKey))
	sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		for _, customer := range []string{"a", "b", "b"} {
			instance := h.Deploy(runtime.Deployment{Customer: runtime.Customer{ExternalID: customer}})
			url := instance.WebhookURLs["Flow"]
			instance.WebhookURLs["mine"] = "x"
			for range 2 {
				response := call(t, h, url, `{}`, "Api-Key", organizationKey, "prismatic-synchronous", "true")
				require.Equal(t, http.StatusOK, response.StatusCode, response.Text)
				require.Equal(t, `[false,1,"`+organizationKey+`",1]`, response.Text)
			}
		}
	})
}
