package manifest_test

import (
	"fmt"
	"testing"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/manifest"
)

// twentyFlows is an integration of usual size: every fifth flow is scheduled, every fifth
// an agent flow with schemas, every fifth queued, every fifth retried; a page of ten
// variables and a connection.
func twentyFlows() *sluice.Integration {
	i := &sluice.Integration{Name: "Orders", Description: "Keeps orders in sync.", Version: "1.2.3", Labels: []string{"orders"}}
	page := sluice.ConfigPage{Name: "Setup", Elements: []sluice.ConfigElement{
		sluice.ScheduleVar{Key: "Sync Schedule", StableKey: "sync-schedule", Default: "0 6 * * *", TimeZone: "Europe/Berlin"},
		sluice.ConnectionVar{Key: "Shop", StableKey: "shop", Connection: sluice.BasicConnection{Inputs: []sluice.ConnectionInput{
			{Key: "endpoint", Label: "Endpoint", Type: sluice.InputTypeString, Default: "https://shop.example.com"},
			{Key: "apiKey", Label: "API key", Type: sluice.InputTypePassword, Required: true, WriteOnly: true},
		}}},
	}}
	for n := range 10 {
		page.Elements = append(page.Elements, sluice.StringVar{Key: fmt.Sprintf("Setting %d", n), StableKey: fmt.Sprintf("setting-%d", n), Default: "x"})
	}
	i.ConfigPages = []sluice.ConfigPage{page}
	for n := range 20 {
		flow := sluice.Flow{
			Name: fmt.Sprintf("Flow %d", n), StableKey: fmt.Sprintf("flow-%d", n), Description: "Takes an order.",
			OnTrigger: onTrigger, OnExecution: onExecution,
		}
		switch n % 5 {
		case 0:
			flow.Schedule = &sluice.Schedule{Value: "30 7 * * 1-5", TimeZone: "Europe/Berlin"}
		case 1:
			flow.IsAgentFlow = true
			flow.Schemas = &sluice.FlowSchemas{Invoke: &sluice.FlowSchema{
				Properties: map[string]sluice.SchemaProperty{
					"id":    {Description: "Number of the order", Type: "string"},
					"limit": {Description: "How many", Type: "integer", Keywords: map[string]any{"minimum": 1}},
				},
				Required: []string{"id"},
			}}
		case 2:
			flow.QueueConfig = sluice.ThrottledQueueConfig{ConcurrencyLimit: 5, DedupeIDField: "body.data.id"}
		case 3:
			flow.RetryConfig = &sluice.RetryConfig{MaxAttempts: 3, DelayMinutes: 5, UsesExponentialBackoff: true}
		}
		i.Flows = append(i.Flows, flow)
	}
	return i
}

// BenchmarkValidateAndExport should stay within 1.2 ms for twenty flows. Schemas are
// compiled once; BenchmarkFirstValidate tells what that costs.
func BenchmarkValidateAndExport(b *testing.B) {
	i := twentyFlows()
	b.ReportAllocs()
	for b.Loop() {
		if err := i.Validate(); err != nil {
			b.Fatal(err)
		}
		if _, err := manifest.Export(i, manifest.Options{ReferenceKey: "key"}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFirstValidate(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if err := twentyFlows().Validate(); err != nil {
			b.Fatal(err)
		}
	}
}
