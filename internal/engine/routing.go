package engine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/sluice-go/sluice"
)

// routing is how the requests to an endpoint that several flows share find their flow, with
// the field paths parsed once.
type routing struct {
	// preprocess is the flow in whose result the fields stand; nil if they stand in the
	// payload.
	preprocess *Flow
	// targets are the flows that a request can be routed to, by name.
	targets map[string]*Flow
	// customer and user are nil where they are not looked for.
	flow           sluice.FieldPath
	customer, user *sluice.FieldPath
}

// route is what a request says about where it goes.
type route struct{ flow, customer, user string }

// maxRoutes bounds how many executions one request starts.
const maxRoutes = 100

// newRouting returns nil for an integration whose flows have an endpoint each.
func newRouting(d *definition) (*routing, error) {
	if kind := d.integration.EndpointType; kind == "" || kind == sluice.EndpointFlowSpecific {
		return nil, nil //nolint:nilnil // There is nothing to route.
	}
	r := &routing{targets: make(map[string]*Flow, len(d.ordered))}
	config := d.integration.TriggerPreprocessFlowConfig
	for _, flow := range d.ordered {
		if flow.startedBy() != "" {
			continue
		}
		if flow.PreprocessFlowConfig == nil {
			r.targets[flow.Name] = flow
			continue
		}
		r.preprocess, config = flow, flow.PreprocessFlowConfig
	}
	if config == nil {
		return nil, fmt.Errorf("endpointType %s needs a preprocess config: on the integration or on one flow", d.integration.EndpointType)
	}
	flow, err := r.parse("flowNameField", config.FlowNameField)
	if err != nil {
		return nil, err
	}
	if flow == nil {
		return nil, errors.New("flowNameField is empty: it must name the field that holds the flow's name")
	}
	r.flow = *flow
	if r.user, err = r.parse("externalCustomerUserIdField", config.ExternalCustomerUserIDField); err != nil {
		return nil, err
	}
	// On an endpoint of its own the instance is known, and with it the customer.
	if d.integration.EndpointType == sluice.EndpointInstanceSpecific {
		return r, nil
	}
	if r.customer, err = r.parse("externalCustomerIdField", config.ExternalCustomerIDField); err == nil && r.customer == nil {
		err = fmt.Errorf("externalCustomerIdField is empty: it is required with endpointType %s", d.integration.EndpointType)
	}
	return r, err
}

// parse returns nil for an empty path.
func (r *routing) parse(field, path string) (*sluice.FieldPath, error) {
	if path == "" {
		return nil, nil //nolint:nilnil // There is no such field.
	}
	parsed, err := sluice.ParseFieldPath(path)
	if err == nil && r.preprocess == nil {
		_, _, err = (&sluice.TriggerPayload{}).Lookup(parsed) // It knows what a payload has.
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	return &parsed, nil
}

// read finds the fields with lookup. What is missing stays empty; the user may be.
func (r *routing) read(lookup func(sluice.FieldPath) (string, bool, error)) (found route, err error) {
	get := func(path *sluice.FieldPath) (value string) {
		if path != nil && err == nil {
			value, _, err = lookup(*path)
		}
		return value
	}
	found = route{flow: get(&r.flow), customer: get(r.customer), user: get(r.user)}
	if err != nil {
		return route{}, &RouteError{Err: err}
	}
	return found, nil
}

// split takes the data that the preprocess flow handed back, as JSON, apart: a list holds a
// route in each element.
func (r *routing) split(data json.RawMessage) ([]json.RawMessage, error) {
	if !bytes.HasPrefix(data, []byte("[")) {
		return []json.RawMessage{data}, nil
	}
	var list []json.RawMessage
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, &RouteError{Err: err}
	}
	if len(list) > maxRoutes {
		return nil, &RouteError{Err: fmt.Errorf("flow %q names %d routes: at most %d are possible", r.preprocess.Name, len(list), maxRoutes)}
	}
	if len(list) == 0 {
		return nil, &RouteError{Err: fmt.Errorf("flow %q names no route: its list is empty", r.preprocess.Name), UnknownFlow: true}
	}
	return list, nil
}

// target is the flow that a route names.
func (r *routing) target(name string) (*Flow, error) {
	flow, ok := r.targets[name]
	switch {
	case ok:
		return flow, nil
	case name == "":
		return nil, &RouteError{Err: fmt.Errorf("no flow is named: %s is missing", r.flow), UnknownFlow: true}
	case r.preprocess != nil && name == r.preprocess.Name:
		return nil, &RouteError{Err: fmt.Errorf("flow %q routes requests: none can be routed to it", name), UnknownFlow: true}
	default:
		return nil, &RouteError{Err: fmt.Errorf("no flow is named %.100q", name), UnknownFlow: true}
	}
}

// RouteError says why a request reaches no flow.
type RouteError struct {
	Err error
	// UnknownFlow and UnknownCustomer say that there is none of the name or the external
	// id, or that the request has neither; otherwise it is malformed.
	UnknownFlow, UnknownCustomer bool

	// to is the flow that an unknown customer's request was for.
	to Target
}

func (e *RouteError) Error() string { return e.Err.Error() }
func (e *RouteError) Unwrap() error { return e.Err }
