package runtime_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	sluicetest "github.com/sluice-go/sluice/testing"
)

const sharedSecret = "s3cr3t-token"

// requireNotOnRecord looks for the shared secret in everything that is on record.
func requireNotOnRecord(t *testing.T, h *sluicetest.Harness, executions int) {
	t.Helper()
	h.Drain()
	require.Len(t, h.Executions(), executions)
	for _, x := range h.Executions() {
		require.NotContains(t, fmt.Sprint(x, string(x.Payload.RawBody.Data)), sharedSecret)
	}
}

// TestTokensOfUnroutedRequestsAreNotOnRecord: a request that reaches no flow still has the
// token of one.
func TestTokensOfUnroutedRequestsAreNotOnRecord(t *testing.T) {
	t.Parallel()
	integration := sharedReceiver()
	trigger := sluice.HMACTrigger{Signature: sluice.GitLab(), Secrets: []string{sharedSecret}}
	integration.Flows[1].Trigger = trigger
	sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		deployFor(h, "a")
		for _, body := range []string{
			`{"eventType":"lost","orgId":"a"}`, `{"eventType":`, `{"eventType":"invoice.overdue","orgId":"b"}`,
			`{"eventType":"invoice.overdue","orgId":"a"}`, `{"eventType":"invoice.paid","orgId":"a"}`,
		} {
			call(t, h, h.URL("invoice.paid"), body, "X-Gitlab-Token", sharedSecret)
		}
		requireNotOnRecord(t, h, 5)
	})
}

// TestThePreprocessFlowSeesNoTokensOfItsTargets: but its trigger does.
func TestThePreprocessFlowSeesNoTokensOfItsTargets(t *testing.T) {
	t.Parallel()
	var inTrigger, inFlow string
	integration := multiTenantRouter(func(router *sluice.Flow) {
		router.OnTrigger = func(_ context.Context, _ *sluice.Run, payload *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
			inTrigger = payload.Headers.Get("X-Gitlab-Token")
			return nil, nil
		}
		router.OnExecution = func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
			inFlow = run.Payload.Headers.Get("X-Gitlab-Token")
			return &sluice.Result{Data: map[string]string{"flowName": "contact.created", "customerId": "a"}}, nil
		}
	})
	integration.Flows[1].Trigger = sluice.HMACTrigger{Signature: sluice.GitLab(), Secrets: []string{sharedSecret}}
	sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		deployFor(h, "a")
		require.Equal(t, http.StatusOK, h.Post("contact.created", contact, "X-Gitlab-Token", sharedSecret).StatusCode)
		require.Equal(t, sharedSecret, inTrigger)
		require.Empty(t, inFlow)
		requireNotOnRecord(t, h, 1)
	})
}

func TestTokensInTheQueryAreNotOnRecord(t *testing.T) {
	t.Parallel()
	var inTrigger, inFlow *sluice.TriggerPayload
	flow := func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
		inFlow = run.Payload
		return nil, nil
	}
	trigger := sluice.HMACTrigger{
		Signature: sluice.Signature{SignatureFields: []string{"queryParameters.token"}, Algorithm: sluice.SharedToken},
		Secrets:   []string{sharedSecret},
		OnTrigger: func(_ context.Context, _ *sluice.Run, payload *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
			kept := *payload
			inTrigger = &kept
			return nil, nil
		},
	}
	run(t, integrationOf(flow, signedBy(trigger)), func(t *testing.T, h *sluicetest.Harness) {
		url := h.URL("Flow")
		for _, query := range []string{"?a=1&token=" + sharedSecret + "&b=%20", "?a=1&%74oken=" + sharedSecret + "&b=%20"} {
			for _, synchronous := range []string{"true", "false"} {
				require.Equal(t, http.StatusOK, call(t, h, url+query, `{}`, "prismatic-synchronous", synchronous).StatusCode)
				h.Drain()
				require.Equal(t, sharedSecret, inTrigger.QueryParameters.Get("token"))
				require.Equal(t, url+query, inTrigger.InvokeURL)
				require.Equal(t, sluice.QueryParameters{"a": {"1"}, "b": {" "}}, inFlow.QueryParameters)
				require.Equal(t, url+"?a=1&b=%20", inFlow.InvokeURL)
			}
		}
		call(t, h, url+"?token="+sharedSecret+"&token=x", `{}`)
		call(t, h, url+"?token="+sharedSecret, `{bad`)
		requireNotOnRecord(t, h, 6)
	})
}
