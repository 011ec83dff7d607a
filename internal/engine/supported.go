package engine

import (
	"errors"
	"fmt"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/internal/variant"
)

// checkSupported refuses definitions that this version can describe and export, but not
// serve yet: a flow that ran without what it says would be worse than one that does not run.
func checkSupported(integration *sluice.Integration) error {
	var faults []error
	for i := range integration.Flows {
		flow := &integration.Flows[i]
		_, component := variant.Of(flow.Trigger).(sluice.ComponentTrigger)
		if component && flow.RunInitialSyncOnDeploy {
			faults = append(faults, fmt.Errorf("flows[%d].runInitialSyncOnDeploy: an initial sync by a component cannot be served yet", i))
		}
	}
	return errors.Join(faults...)
}
