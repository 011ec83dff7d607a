package runtime_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// TestThreat22_KeysOfRoutedRequests: the key of the customer that a body names is checked
// after routing, and answers do not tell which customers there are.
func TestThreat22_KeysOfRoutedRequests(t *testing.T) {
	t.Parallel()
	integration := &sluice.Integration{
		Name: "Test", EndpointType: sluice.EndpointSharedInstance,
		TriggerPreprocessFlowConfig: &sluice.PreprocessFlowConfig{FlowNameField: "body.data.flow", ExternalCustomerIDField: "body.data.customer"},
		Flows:                       echoFlows("paid"),
	}
	sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		post := func(customer, key string) *sluicetest.Response {
			headers := []string{}
			if key != "" {
				headers = append(headers, "Api-Key", key)
			}
			return h.Post("paid", `{"flow":"paid","customer":"`+customer+`"}`, headers...)
		}
		h.Deploy(runtime.Deployment{Customer: runtime.Customer{ExternalID: "open"}})
		require.Equal(t, http.StatusNotFound, post("nobody", "").StatusCode, "nobody has keys yet")
		var keys []string
		for _, customer := range []string{"a", "b"} {
			instance := h.Deploy(runtime.Deployment{Customer: runtime.Customer{ExternalID: customer}})
			key, err := h.Runtime.CreateAPIKey(t.Context(), instance.ID, "paid")
			require.NoError(t, err)
			keys = append(keys, key)
		}
		require.Equal(t, http.StatusOK, post("a", keys[0]).StatusCode)
		require.Equal(t, http.StatusOK, post("b", keys[1]).StatusCode)
		require.Equal(t, http.StatusOK, post("open", "").StatusCode)
		before := len(h.Executions())
		wrong := post("b", keys[0])
		require.Equal(t, http.StatusUnauthorized, wrong.StatusCode)
		for _, answer := range []*sluicetest.Response{post("a", ""), post("a", "x"), post("nobody", ""), post("nobody", keys[0])} {
			require.Equal(t, wrong.StatusCode, answer.StatusCode)
			require.Equal(t, wrong.Text, answer.Text)
			require.Empty(t, answer.Header.Get("prismatic-executionid"))
		}
		require.Len(t, h.Executions(), before, "refused requests are not recorded")
	})
}
