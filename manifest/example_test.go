package manifest_test

import (
	"context"
	"fmt"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/manifest"
)

func ExampleDiff() {
	sync := func(context.Context, *sluice.Run) (*sluice.Result, error) { return nil, nil }
	integration := &sluice.Integration{Name: "Orders", Flows: []sluice.Flow{{Name: "Sync", StableKey: "sync", OnExecution: sync}}}
	before, err := manifest.Export(integration, manifest.Options{ReferenceKey: "orders"})
	if err != nil {
		fmt.Println(err)
	}
	integration.Flows[0].QueueConfig = sluice.ThrottledQueueConfig{ConcurrencyLimit: 5}
	after, err := manifest.Export(integration, manifest.Options{ReferenceKey: "orders"})
	if err != nil {
		fmt.Println(err)
	}
	changes, err := manifest.Diff(before, after)
	for _, change := range changes {
		fmt.Println(change)
	}
	fmt.Println(err)
	// Output:
	// + flows[sync].queueConfig: {"concurrencyLimit":5,"usesFifoQueue":true}
	// <nil>
}
