package sluice

// EndpointType says what has a webhook URL of its own (seed 002).
type EndpointType string

// The endpoint types. The zero value is [EndpointFlowSpecific].
const (
	// EndpointFlowSpecific gives each flow of each instance a URL.
	EndpointFlowSpecific EndpointType = "flow_specific"
	// EndpointInstanceSpecific gives each instance one URL, shared by its flows.
	EndpointInstanceSpecific EndpointType = "instance_specific"
	// EndpointSharedInstance gives all instances of the integration one URL.
	EndpointSharedInstance EndpointType = "shared_instance"
)

// EndpointSecurityType says which API key a flow's callers owe (seed 000). A caller presents
// one key. On an endpoint that a preprocess flow routes it is checked for that flow and for
// the flow that the request is routed to: where both ask for a key, one must fit both.
type EndpointSecurityType string

// The endpoint security types. The zero value is [EndpointSecurityCustomerOptional].
const (
	// EndpointSecurityUnsecured asks for none.
	EndpointSecurityUnsecured EndpointSecurityType = "unsecured"
	// EndpointSecurityCustomerOptional asks for one as soon as the instance has keys.
	EndpointSecurityCustomerOptional EndpointSecurityType = "customer_optional"
	// EndpointSecurityCustomerRequired always asks for one of the instance's keys.
	EndpointSecurityCustomerRequired EndpointSecurityType = "customer_required"
	// EndpointSecurityOrganization asks for one of the flow's OrganizationAPIKeys.
	EndpointSecurityOrganization EndpointSecurityType = "organization"
)

// PreprocessFlowConfig names the fields that route a request: fields of the payload
// (body.data.event, headers.x-event) when it stands on the integration, fields of the
// result's Data when it stands on a flow.
type PreprocessFlowConfig struct {
	// FlowNameField is the path of the field that holds the name of the flow. Required.
	FlowNameField string
	// ExternalCustomerIDField is the path of the field that holds the customer's external
	// id. Required with [EndpointSharedInstance].
	ExternalCustomerIDField string
	// ExternalCustomerUserIDField is the path of the field that holds the external id of
	// the customer's user, for user-level configuration.
	ExternalCustomerUserIDField string
}
