package sluicetest_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// In a program, the execution is that of a running instance: rt.Execution(ctx, id).
func ExampleSaveRequest() {
	asTest(func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "order.txt")
		sluicetest.Run(t, ordersV1(), func(t *testing.T, h *sluicetest.Harness) {
			h.Deploy(runtime.Deployment{})
			response := h.Webhook("New order").JSON(map[string]any{"id": 7, "token": "a secret"})
			h.Drain()
			require.NoError(t, sluicetest.SaveRequest(file, response.Execution().Execution, sluicetest.Redaction{}))
		})
		saved, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Contains(t, string(saved), `{"id":7,"token":"REDACTED"}`)
	})
	// Output: true
}

func ExampleRequireAccepted() {
	asTest(func(t *testing.T) {
		sluicetest.RequireAccepted(t, "testdata/requests", sluicetest.CheckOptions{
			Options: sluicetest.Options{Runtime: runtime.Options{Integrations: []*sluice.Integration{ordersV2()}}},
			Prepare: func(_ *testing.T, request *http.Request) { request.Header.Set("Api-Key", "that of the test") },
		})
	})
	// Output: true
}

func ExampleCheckRequests() {
	asTest(func(t *testing.T) {
		for _, request := range sluicetest.CheckRequests(t, "testdata/requests", sluicetest.CheckOptions{
			Options: sluicetest.Options{Runtime: runtime.Options{Integrations: []*sluice.Integration{ordersV2()}}},
		}) {
			fmt.Printf("%s %t%s\n", filepath.Base(request.File), request.Accepted, request.Reason)
		}
	})
	// Output:
	// order.txt true
	// true
}
