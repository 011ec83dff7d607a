package sluice

import (
	"fmt"
	"slices"
	"strings"
)

// Validate checks the whole definition and reports every fault at once, as a
// [*ValidationError] with the path of each field; nil means that it can run. It makes
// spectral's checks, with spectral's messages, and those that spectral leaves to its
// types, its documentation or the platform. It calls none of the definition's functions
// and opens no connection.
func (i *Integration) Validate() error { return validate(i, false) }

// ValidateExport makes only the checks that spectral makes itself, with its messages: what
// passes can be exported as a manifest, though it may not run well.
func (i *Integration) ValidateExport() error { return validate(i, true) }

func validate(integration *Integration, mirrored bool) error {
	if integration == nil {
		return &ValidationError{Subject: "the integration", Faults: []Fault{{Message: "there is no integration"}}}
	}
	v := validator{integration: integration, mirrored: mirrored, vars: map[string]ConfigVarDefinition{}}
	v.integrationFields()
	v.registry()
	v.configuration()
	v.flows()
	if len(v.faults) == 0 {
		return nil
	}
	return &ValidationError{Subject: fmt.Sprintf("integration %q", integration.Name), Faults: v.faults}
}

// validator collects the faults of one integration.
type validator struct {
	integration *Integration
	// mirrored leaves out the checks that spectral does not make.
	mirrored bool
	// vars are the config variables by key; the first of a key counts.
	vars   map[string]ConfigVarDefinition
	faults []Fault
}

// mirror reports a fault in spectral's words.
func (v *validator) mirror(path, format string, args ...any) {
	v.faults = append(v.faults, Fault{Path: path, Message: fmt.Sprintf(format, args...)})
}

// add reports a fault that spectral does not see.
func (v *validator) add(path, format string, args ...any) {
	if !v.mirrored {
		v.mirror(path, format, args...)
	}
}

// required reports a text that is empty.
func (v *validator) required(path, text string) {
	if strings.TrimSpace(text) == "" {
		v.add(path, "a value is required")
	}
}

// oneOf reports a value that is not among those that a type lists.
func oneOf[T ~string](v *validator, path string, value T, allowed ...T) {
	if !slices.Contains(allowed, value) {
		v.add(path, "%q is not one of %s", string(value), quoteAll(allowed))
	}
}

// between reports a number out of its range.
func (v *validator) between(path string, number, low, high int) {
	if number < low || number > high {
		v.add(path, "%d is not between %d and %d", number, low, high)
	}
}

// names reports names that occur twice, or are empty.
type names struct {
	v    *validator
	what string
	seen map[string]string
}

func (v *validator) unique(what string) names { return names{v, what, map[string]string{}} }

// take notes a name and tells whether it is new.
func (n names) take(path, name string) bool {
	if strings.TrimSpace(name) == "" {
		n.v.add(path, "a value is required")
		return false
	}
	if first, taken := n.seen[name]; taken {
		n.v.add(path, "%s %q is taken by %s", n.what, name, first)
		return false
	}
	n.seen[name] = path
	return true
}

// at is the path of an element of a list.
func at(list string, index int) string { return fmt.Sprintf("%s[%d]", list, index) }

func (v *validator) integrationFields() {
	i := v.integration
	v.required("name", i.Name)
	if i.EndpointType != "" {
		oneOf(v, "endpointType", i.EndpointType, EndpointFlowSpecific, EndpointInstanceSpecific, EndpointSharedInstance)
	}
	if len(i.Flows) == 0 {
		v.add("flows", "an integration needs at least one flow")
	}
	v.preprocess()
	v.routedKeys()
}

// preprocess checks how requests are routed (seed 002, behaviour of spectral 10.31).
func (v *validator) preprocess() {
	config, path, flows := v.integration.TriggerPreprocessFlowConfig, "triggerPreprocessFlowConfig", 0
	both := false
	for n := range v.integration.Flows {
		flow := &v.integration.Flows[n]
		if flow.PreprocessFlowConfig == nil {
			continue
		}
		flowPath := at("flows", n) + ".preprocessFlowConfig"
		if flows++; flows == 2 {
			v.mirror(flowPath, "Only one flow may define a Preprocess Flow Config.")
		}
		if config != nil && flows == 1 {
			both = true
			v.mirror(flowPath, "Integration must not define both a Trigger Preprocess Flow Config and a Preprocess Flow.")
		}
		v.preprocessFields(flowPath, flow.PreprocessFlowConfig)
		if isFIFO(flow.QueueConfig) {
			v.add(at("flows", n)+".queueConfig", "a preprocess flow cannot be queued")
		}
	}
	if config != nil {
		v.preprocessFields(path, config)
	}
	routed := v.integration.EndpointType == EndpointInstanceSpecific || v.integration.EndpointType == EndpointSharedInstance
	switch {
	case routed && config == nil && flows == 0:
		v.mirror("endpointType", "Integration with specified EndpointType must define either a Trigger Preprocess Flow Config or a Preprocess Flow.")
	case !routed && !both && (config != nil || flows > 0):
		v.add("endpointType", "a preprocess config routes requests of shared endpoints: the endpoint type must be %s", quoteAll([]EndpointType{EndpointInstanceSpecific, EndpointSharedInstance}))
	}
}

// routedKeys reports flows that nobody reaches: a caller presents one key, which must fit the
// preprocess flow and the flow that it routes to.
func (v *validator) routedKeys() {
	flows := v.integration.Flows
	router := slices.IndexFunc(flows, func(f Flow) bool { return f.PreprocessFlowConfig != nil })
	if router < 0 || flows[router].EndpointSecurityType != EndpointSecurityOrganization {
		return
	}
	fits := func(key string) bool { return slices.Contains(flows[router].OrganizationAPIKeys, key) }
	for n := range flows {
		if n != router && flows[n].EndpointSecurityType == EndpointSecurityOrganization && !slices.ContainsFunc(flows[n].OrganizationAPIKeys, fits) {
			v.add(at("flows", n)+".organizationApiKeys", "none of the keys is one of flow %q, which routes requests here: nobody has both", flows[router].Name)
		}
	}
}

func (v *validator) preprocessFields(path string, config *PreprocessFlowConfig) {
	v.required(path+".flowNameField", config.FlowNameField)
	inPayload := config == v.integration.TriggerPreprocessFlowConfig
	v.fieldPath(path+".flowNameField", config.FlowNameField, inPayload)
	v.fieldPath(path+".externalCustomerIdField", config.ExternalCustomerIDField, inPayload)
	v.fieldPath(path+".externalCustomerUserIdField", config.ExternalCustomerUserIDField, inPayload)
	if v.integration.EndpointType == EndpointSharedInstance && config.ExternalCustomerIDField == "" {
		v.add(path+".externalCustomerIdField", "a value is required with the endpoint type shared_instance")
	}
}

// fieldPath checks the path of a field, if there is one: one that leads into a payload must
// begin with what a payload has.
func (v *validator) fieldPath(path, field string, inPayload bool) {
	if field == "" {
		return
	}
	parsed, err := ParseFieldPath(field)
	if err == nil && inPayload {
		_, _, err = (&TriggerPayload{}).Lookup(parsed)
	}
	if err != nil {
		v.add(path, "%s", strings.TrimPrefix(err.Error(), "sluice: "))
	}
}
