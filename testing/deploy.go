package sluicetest

import (
	"maps"
	"slices"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
)

// Deploy deploys an instance, or brings it to another configuration; the zero Deployment is one
// for a default customer.
func (h *Harness) Deploy(d runtime.Deployment) *runtime.Instance {
	h.t.Helper()
	instance, err := h.Runtime.Deploy(h.t.Context(), d)
	if err != nil {
		h.t.Fatal(err)
	}
	h.forget(instance)
	h.instances = append(h.instances, instance)
	return instance
}

// Redeploy goes on with another release of the code: it does what Restart does, with these
// integrations in the place of those that have their names, and deploys every instance again,
// with the configuration that it has. Hooks run where the version changed.
func (h *Harness) Redeploy(integrations ...*sluice.Integration) {
	h.t.Helper()
	h.stop()
	current := slices.Clone(h.options.Runtime.Integrations)
	for _, integration := range integrations {
		at := slices.IndexFunc(current, func(i *sluice.Integration) bool { return i.Name == integration.Name })
		if at < 0 {
			current = append(current, integration)
		} else {
			current[at] = integration
		}
	}
	h.options.Runtime.Integrations = current
	h.start()
	for _, instance := range slices.Clone(h.instances) {
		h.Deploy(runtime.Deployment{Integration: instance.Integration, Customer: instance.Customer, Name: instance.Name})
	}
}

// Pause pauses an instance: see [runtime.Runtime.Pause].
func (h *Harness) Pause(instance *runtime.Instance) {
	h.t.Helper()
	if err := h.Runtime.Pause(h.t.Context(), instance.ID); err != nil {
		h.t.Fatal(err)
	}
}

// Resume ends the pause of an instance: see [runtime.Runtime.Resume].
func (h *Harness) Resume(instance *runtime.Instance) {
	h.t.Helper()
	if err := h.Runtime.Resume(h.t.Context(), instance.ID); err != nil {
		h.t.Fatal(err)
	}
}

// Delete removes an instance: see [runtime.Runtime.Delete].
func (h *Harness) Delete(instance *runtime.Instance) {
	h.t.Helper()
	if err := h.Runtime.Delete(h.t.Context(), instance.ID); err != nil {
		h.t.Fatal(err)
	}
	h.forget(instance)
}

func (h *Harness) forget(instance *runtime.Instance) {
	h.instances = slices.DeleteFunc(h.instances, func(i *runtime.Instance) bool { return i.ID == instance.ID })
}

// Instances are those that the harness deployed, the one that was deployed last at the end.
func (h *Harness) Instances() []*runtime.Instance { return slices.Clone(h.instances) }

// Instance is the one that was deployed last.
func (h *Harness) Instance() *runtime.Instance {
	h.t.Helper()
	if len(h.instances) == 0 {
		h.t.Fatal("no instance is deployed: call Deploy first")
	}
	return h.instances[len(h.instances)-1]
}

// URL is the webhook URL of a flow, by its name, of the instance that was deployed last.
func (h *Harness) URL(flow string) string {
	h.t.Helper()
	return h.urlOf(h.Instance(), flow)
}

func (h *Harness) urlOf(instance *runtime.Instance, flow string) string {
	h.t.Helper()
	url, ok := instance.WebhookURLs[flow]
	if !ok {
		h.t.Fatalf("%q has no flow %q: names are compared exactly, it has %q", instance.Name, flow, slices.Sorted(maps.Keys(instance.WebhookURLs)))
	}
	return url
}
