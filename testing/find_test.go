package sluicetest_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// TestFind finds the executions of a flow, oldest first, and no others.
func TestFind(t *testing.T) {
	t.Parallel()
	echo := func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
		return &sluice.Result{Data: run.Payload.Body}, nil
	}
	integration := &sluice.Integration{Name: "Two", Flows: []sluice.Flow{
		{Name: "One", StableKey: "one", OnExecution: echo},
		{Name: "Other", StableKey: "other", OnExecution: echo},
	}}
	sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		var want []string
		for range 3 {
			want = append(want, h.Post("One", "1").ExecutionID())
			h.Post("Other", "2")
		}
		h.Drain()
		var found []string
		for _, x := range h.Find(store.Filter{Flow: "one"}) {
			found = append(found, x.RequireSucceeded().ID)
		}
		require.Equal(t, want, found)
		require.Empty(t, h.Find(store.Filter{Status: store.StatusFailed}))
	})
}
