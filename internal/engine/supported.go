package engine

import (
	"errors"
	"fmt"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/internal/variant"
)

// checkSupported refuses definitions that this version can describe and export, but not
// serve yet: a flow with another trigger than its own would be worse than one that does not
// run.
func checkSupported(integration *sluice.Integration) error {
	var faults []error
	refuse := func(wrong bool, path, what string) {
		if wrong {
			faults = append(faults, fmt.Errorf("%s: %s cannot be served yet", path, what))
		}
	}
	for i := range integration.Flows {
		flow, path := &integration.Flows[i], fmt.Sprintf("flows[%d].", i)
		refuse(!servedTrigger(flow.Trigger), path+"trigger", fmt.Sprintf("a %T", flow.Trigger))
	}
	return errors.Join(faults...)
}

func servedTrigger(trigger sluice.Trigger) bool {
	switch variant.Of(trigger).(type) {
	case nil, sluice.Batcher, sluice.WebhookTrigger, sluice.HMACTrigger, sluice.InstanceDeployTrigger, sluice.InstanceRemoveTrigger:
		return true
	default:
		return false
	}
}
