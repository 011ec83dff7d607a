package sluicetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"testing"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
)

// InvokeOptions say what a flow is invoked with: what spectral's invokeFlow takes as payload,
// configVars and context. The zero value invokes it with [DefaultTriggerPayload].
type InvokeOptions struct {
	// Payload is the request. Of its fields count Headers, QueryParameters, PathFragment,
	// GlobalDebug, and RawBody, or else Body; one that is empty is that of
	// DefaultTriggerPayload. All others are set by the runtime, as in production.
	Payload sluice.TriggerPayload
	// ConfigVars are the values of the instance's config variables, by key. They are checked
	// against the Integration's pages, as every deployment is.
	ConfigVars map[string]any
	// Customer whose instance it is. Defaults to Customer 1, with the external id 1234.
	Customer runtime.Customer
	// Integration that the flow belongs to, with the config pages, the components and the other
	// flows that it needs. The flow takes the place of the one with its StableKey. Defaults to
	// one with this flow alone.
	Integration *sluice.Integration
	// Runtime holds the options of the runtime, such as Components and Transport.
	Runtime runtime.Options
}

// InvokeFlow runs a flow once, from an HTTP request through its trigger, its queue and its
// retries to the result on record, and returns what is on record: Result is what spectral's
// invokeFlow resolves to, Attempts hold the logs. The error is that of a flow that failed, or of
// a request that was refused; the execution is then there if it is on record.
//
// Unlike spectral's invokeFlow, which calls two functions with a context made up, this is the
// production runtime in a bubble (see [Run]): headers and bodies are parsed, state is kept,
// polls, batches and components work, and other flows can be called. Ids are drawn. The execution of a
// flow with a [sluice.BatchTrigger] is the one that spreads the page. A flow that wants
// signatures is called with [Harness.Webhook], one that a deployment starts by [Harness.Deploy].
func InvokeFlow(t *testing.T, flow sluice.Flow, options InvokeOptions) (x *runtime.Execution, err error) {
	t.Helper()
	RunOptions(t, options.harness(flow), func(_ *testing.T, h *Harness) {
		if keys := flow.OrganizationAPIKeys; len(keys) > 0 && options.Payload.Headers.Get("api-key") == "" {
			options.Payload.Headers = withHeader(options.Payload.Headers, "api-key", keys[0])
		}
		x, err = h.InvokeFlow(flow.Name, options.Payload)
	})
	return x, err
}

// InvokeFlowOf is [InvokeFlow] of a typed flow: in is the body, and what it returns is the
// flow's result.
func InvokeFlowOf[In, Out any](t *testing.T, flow sluice.FlowOf[In, Out], in In, options InvokeOptions) (out Out, err error) {
	t.Helper()
	options.Payload.RawBody, options.Payload.Body = sluice.RawBody{}, sluice.NewBody(in)
	x, err := InvokeFlow(t, flow.Flow, options)
	if err != nil || x.Result == nil {
		return out, err
	}
	data := any(&out)
	if reply := reflect.ValueOf(&out).Elem(); isReply(reply.Type()) {
		reply.FieldByName("StatusCode").SetInt(int64(x.Result.StatusCode))
		reply.FieldByName("Headers").Set(reflect.ValueOf(x.Result.Headers))
		reply.FieldByName("ContentType").SetString(x.Result.ContentType)
		data = reply.FieldByName("Data").Addr().Interface()
	}
	if err := json.Unmarshal(x.Result.Data, data); err != nil {
		return out, fmt.Errorf("the result of flow %q does not fit %T: %w", flow.Name, out, err)
	}
	return out, nil
}

// isReply tells whether a type is a [sluice.Reply] of any type.
func isReply(out reflect.Type) bool {
	reply := reflect.TypeFor[sluice.Reply[any]]()
	return out.Kind() == reflect.Struct && out.PkgPath() == reply.PkgPath() && out.NumField() == reply.NumField() &&
		len(out.Name()) > len("Reply[") && out.Name()[:len("Reply[")] == "Reply["
}

// InvokeFlow sends a payload to a flow, by its name, of the instance that was deployed last, lets
// time pass until all executions are over, and returns what is on record: see the function of
// the same name.
func (h *Harness) InvokeFlow(flow string, payload sluice.TriggerPayload) (*runtime.Execution, error) {
	h.t.Helper()
	response := h.Deliver(h.request(h.URL(flow), payload))
	h.Drain()
	if response.ExecutionID() == "" {
		return nil, fmt.Errorf("nothing was executed: %s", response)
	}
	x, err := h.Runtime.Execution(h.t.Context(), response.ExecutionID())
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, fmt.Errorf("nothing was executed: %s", response)
	case err != nil:
		h.t.Fatal(err)
	case x.Status == store.StatusFailed || x.Status == store.StatusCanceled:
		return x, errors.New(x.Error)
	}
	return x, nil
}

// harness returns the options of a harness with the flow deployed.
func (o InvokeOptions) harness(flow sluice.Flow) Options {
	integration := &sluice.Integration{Name: "Integration 1", Version: "1.0.0"}
	if o.Integration != nil {
		given := *o.Integration
		integration = &given
	}
	flows := []sluice.Flow{flow}
	for _, other := range integration.Flows {
		if other.StableKey != flow.StableKey {
			flows = append(flows, other)
		}
	}
	integration.Flows = flows
	o.Runtime.Integrations = []*sluice.Integration{integration}
	deployment := runtime.Deployment{Customer: o.Customer, Name: "Instance 1", Config: o.ConfigVars}
	if deployment.Customer == (runtime.Customer{}) {
		deployment.Customer = runtime.Customer{ExternalID: "1234", Name: "Customer 1"}
	}
	return Options{Runtime: o.Runtime, Deployments: []runtime.Deployment{deployment}}
}

// withHeader returns the headers with one more.
func withHeader(headers sluice.Headers, name, value string) sluice.Headers {
	more := sluice.Headers{name: {value}}
	maps.Copy(more, headers)
	return more
}
