package sluicetest_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// ordersV1 takes any body, ordersV2 wants a number.
func ordersV1() *sluice.Integration {
	return &sluice.Integration{Name: "Orders", Flows: []sluice.Flow{{
		Name: "New order", StableKey: "new-order",
		OnExecution: func(context.Context, *sluice.Run) (*sluice.Result, error) { return nil, nil },
	}}}
}

func ordersV2() *sluice.Integration {
	type order struct {
		ID int `json:"id"`
	}
	flow := sluice.Define(sluice.Flow{Name: "Order", StableKey: "new-order"}, func(context.Context, *sluice.Run, order) (int, error) {
		return 0, errors.New("this flow fails")
	})
	return &sluice.Integration{Name: "Orders", Flows: []sluice.Flow{flow.Flow}}
}

// saveOrders saves a request that fits both, and one that fits the first only.
func saveOrders(t *testing.T, folder string) {
	t.Helper()
	sluicetest.Run(t, ordersV1(), func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		number := h.Webhook("New order").Path("shop/1").Query("access_token", "top-secret").Query("page", "2").
			Header("Authorization", "Bearer top-secret", "X-Shop", "acme").JSON(map[string]any{"id": 7, "password": "top-secret"})
		text := h.Post("New order", `{"id": "7"}`)
		h.Drain()
		require.NoError(t, sluicetest.SaveRequest(filepath.Join(folder, "number.txt"), number.Execution().Execution, sluicetest.Redaction{}))

		// As a client of the operators' API has it.
		data, err := json.Marshal(text.Execution().Execution)
		require.NoError(t, err)
		var x runtime.Execution
		require.NoError(t, json.Unmarshal(data, &x))
		require.NoError(t, sluicetest.SaveRequest(filepath.Join(folder, "more", "text.txt"), &x, sluicetest.Redaction{}))
	})
}

func TestSavedRequestsComeWithoutSecrets(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	saveOrders(t, folder)
	data, err := os.ReadFile(filepath.Join(folder, "number.txt"))
	require.NoError(t, err)
	require.Regexp(t, `^The request of execution [0-9a-f-]{36} of Orders, accepted 2000-01-01T[0-9:]{8}Z\.

-- request --
POST /new-order/shop/1\?access_token=REDACTED&page=2
Content-Type: application/json
X-Shop: acme

\{"id":7,"password":"REDACTED"\}
$`, string(data))
}

func TestCheckRequests(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	saveOrders(t, folder)
	sluicetest.RequireAccepted(t, folder, checkOf(ordersV1()))

	checked := sluicetest.CheckRequests(t, folder, checkOf(ordersV2()))
	require.Len(t, checked, 2)
	text, number := checked[0], checked[1]
	require.Equal(t, filepath.Join(folder, "more", "text.txt"), text.File)
	require.Equal(t, "new-order", text.Flow)
	require.False(t, text.Accepted)
	require.Contains(t, text.Reason, "400 Bad Request: ")
	require.Contains(t, text.Reason, "The body does not fit the flow's input")
	require.True(t, number.Accepted, "that its execution fails is another matter")
	require.Equal(t, store.StatusFailed, number.Execution.Status)
	require.Equal(t, "shop/1", number.Execution.Payload.PathFragment)
	require.Equal(t, "2", number.Execution.Payload.QueryParameters.Get("page"))

	renamed := ordersV1()
	renamed.Flows[0].StableKey = "other"
	require.Equal(t, "no flow of the definition has the stable key",
		sluicetest.CheckRequests(t, filepath.Join(folder, "number.txt"), checkOf(renamed))[0].Reason)
}

func TestCheckRequestsSignsAnew(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	saveOrders(t, folder)
	secured := ordersV1()
	secured.Flows[0].EndpointSecurityType = sluice.EndpointSecurityOrganization
	secured.Flows[0].OrganizationAPIKeys = []string{"a-key-that-is-long-enough"}
	options := checkOf(secured)
	for _, request := range sluicetest.CheckRequests(t, folder, options) {
		require.Contains(t, request.Reason, "401 Unauthorized")
	}
	options.Prepare = func(_ *testing.T, request *http.Request) { request.Header.Set("Api-Key", "a-key-that-is-long-enough") }
	sluicetest.RequireAccepted(t, folder, options)
}

func TestSaveRequestRefuses(t *testing.T) {
	t.Parallel()
	err := sluicetest.SaveRequest(filepath.Join(t.TempDir(), "x.txt"), &runtime.Execution{ID: "7", Flow: "f", InvokeType: sluice.InvokeSchedule}, sluicetest.Redaction{})
	require.EqualError(t, err, `sluicetest: execution 7: no request started it: it is of the type "schedule"`)
	err = sluicetest.SaveRequest(filepath.Join(t.TempDir(), "x.txt"), &runtime.Execution{ID: "7"}, sluicetest.Redaction{})
	require.EqualError(t, err, "sluicetest: execution 7: it reached no flow")
}

func checkOf(integration *sluice.Integration) sluicetest.CheckOptions {
	return sluicetest.CheckOptions{Options: sluicetest.Options{Runtime: runtime.Options{Integrations: []*sluice.Integration{integration}}}}
}
