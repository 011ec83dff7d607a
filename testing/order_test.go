package sluicetest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// TestOldestFirst: what a deployment started stands before what came a minute later, though
// another test of the process has drawn ids at a later time than that of the bubble.
func TestOldestFirst(t *testing.T) {
	t.Parallel()
	_, err := uuid.NewV7() // Ids are in order in the whole process: from here on they have this time.
	require.NoError(t, err)
	ok := func(context.Context, *sluice.Run) (*sluice.Result, error) { return nil, nil }
	pass := func(context.Context, *sluice.Run, *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
		return nil, nil
	}
	integration := &sluice.Integration{Name: "Many"}
	const deployed, posted = 12, 12
	for n := range deployed {
		integration.Flows = append(integration.Flows, sluice.Flow{
			Name: fmt.Sprint("Flow ", n), StableKey: fmt.Sprint("flow-", n), OnExecution: ok,
			OnTrigger: pass, OnDeployTrigger: pass,
		})
	}
	sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		for range posted {
			h.Advance(time.Minute)
			h.Post("Flow 0", "{}")
		}
		h.Drain()
		var started []sluice.InvokeType
		for _, x := range h.Executions() {
			started = append(started, x.InvokeType)
		}
		require.Len(t, started, deployed+posted)
		require.NotContains(t, started[:deployed], sluice.InvokeWebhook)
	})
}
