package manifest

import "github.com/sluice-go/sluice"

// Publishing is what is sent with a manifest when it is published, as JSON.
type Publishing struct {
	// FlowsWithCustomerRequiredAPIKeys are the flows with the security type
	// customer_required, and the keys of their test instances.
	FlowsWithCustomerRequiredAPIKeys []FlowAPIKeys `json:"flowsWithCustomerRequiredAPIKeys"`
}

// FlowAPIKeys are the keys of one flow's test instances.
type FlowAPIKeys struct {
	// Name of the flow.
	Name string `json:"name"`
	// TestAPIKeys of the flow.
	TestAPIKeys []string `json:"testApiKeys,omitzero"`
}

// PublishingMetadata returns what is published with the manifest of an integration.
func PublishingMetadata(integration *sluice.Integration) Publishing {
	publishing := Publishing{FlowsWithCustomerRequiredAPIKeys: []FlowAPIKeys{}}
	for n := range integration.Flows {
		if flow := &integration.Flows[n]; flow.EndpointSecurityType == sluice.EndpointSecurityCustomerRequired {
			publishing.FlowsWithCustomerRequiredAPIKeys = append(publishing.FlowsWithCustomerRequiredAPIKeys,
				FlowAPIKeys{Name: flow.Name, TestAPIKeys: flow.TestAPIKeys})
		}
	}
	return publishing
}
