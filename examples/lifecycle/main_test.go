package main

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// TestLife drives the integration in memory, on a virtual clock.
func TestLife(t *testing.T) {
	t.Parallel()
	fake := newProvider(nil)
	options := runtime.Options{
		Integrations: []*sluice.Integration{shop},
		Components:   []sluice.Component{shopComponent},
		Transport:    sluicetest.Hosts{"shop.test": fake},
	}
	sluicetest.RunOptions(t, sluicetest.Options{Runtime: options}, func(t *testing.T, h *sluicetest.Harness) {
		deployment := runtime.Deployment{Config: map[string]any{"Shop URL": "http://shop.test"}}
		instance := h.Deploy(deployment)
		h.Drain()
		require.Equal(t, []string{instance.WebhookURLs["New order"]}, fake.registered())
		backfilled := h.Find(store.Filter{Flow: "backfill"})
		require.Len(t, backfilled, 1)
		backfilled[0].RequireSucceeded().RequireResult(1650)

		deployment.Force = true
		h.Deploy(deployment)
		h.Drain()
		require.Len(t, fake.registered(), 1, "registered once")
		h.Pause(instance)
		require.Empty(t, fake.registered())
		h.Resume(instance)
		require.Len(t, fake.registered(), 1)
		h.Delete(instance)
		require.Empty(t, fake.registered())
	})
}

// TestProgram runs the program.
func TestProgram(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, run(context.WithoutCancel(t.Context()), filepath.Join(t.TempDir(), "test.db"), &out))
	require.Equal(t, []string{
		"deployed: 1 webhooks at the shop, which answered [200]",
		"paused: 0 webhooks at the shop, which answered []",
		"resumed: 1 webhooks at the shop, which answered [200]",
		"deleted: 0 webhooks at the shop, which answered []",
	}, strings.Split(strings.TrimSpace(out.String()), "\n"))
}
