package manifest

import (
	"errors"
	"fmt"

	"github.com/sluice-go/sluice"
)

// definitionVersion is the version of the document's format.
const definitionVersion = 7

// Options are what a manifest holds beside the definition.
type Options struct {
	// ReferenceKey names the component that is published with the integration: a fresh
	// unique text for each export. Required.
	ReferenceKey string
	// ImportMetadata is copied into the document: any object that encoding/json takes; nil
	// is an empty one.
	ImportMetadata map[string]any
}

// Export writes an integration as YAML. It makes spectral's checks first, with spectral's
// messages, and returns them as a [*sluice.ValidationError]; run
// [sluice.Integration.Validate] before for all others. API keys of the organization are
// part of the document, as in spectral: keep it secret.
//
// Flows that a deployment starts ([sluice.InstanceDeployTrigger],
// [sluice.InstanceRemoveTrigger]) have no form in a code-native manifest and are refused.
func Export(integration *sluice.Integration, options Options) ([]byte, error) {
	if options.ReferenceKey == "" {
		return nil, errors.New("manifest: a reference key is required")
	}
	if err := integration.ValidateExport(); err != nil {
		return nil, err
	}
	e := exporter{integration: integration, ownComponent: latestComponent(options.ReferenceKey, false)}
	document, err := e.document(options.ImportMetadata)
	if err != nil {
		return nil, err
	}
	return document.encode()
}

// exporter turns one integration into a document.
type exporter struct {
	integration *sluice.Integration
	// ownComponent refers to the component that is published with the integration.
	ownComponent *node
}

func (e *exporter) document(importMetadata map[string]any) (object, error) {
	i, o := e.integration, newObject()
	o.integer("definitionVersion", definitionVersion)
	o.boolean("isCodeNative", true)
	o.text("name", i.Name)
	o.optional("description", i.Description)
	o.optional("category", i.Category)
	o.optional("documentation", i.Documentation)
	o.optional("version", i.Version)
	o.texts("labels", i.Labels)
	configVars, err := e.requiredConfigVars()
	if err != nil {
		return object{}, err
	}
	o.set("requiredConfigVars", configVars)
	o.optional("endpointType", string(i.EndpointType))
	e.preprocess(o)
	flows := make([]*node, len(i.Flows))
	for n := range i.Flows {
		flow, err := e.flow(&i.Flows[n])
		if err != nil {
			return object{}, fmt.Errorf("flows[%d]: %w", n, err)
		}
		flows[n] = flow.node
	}
	o.set("flows", list(flows))
	o.optional("defaultInstanceProfile", i.InstanceProfile)
	o.set("configPages", list(append(pages(i.ConfigPages, false), pages(i.UserLevelConfigPages, true)...)))
	if importMetadata == nil {
		importMetadata = map[string]any{}
	}
	metadata, err := jsonNode(importMetadata)
	if err != nil {
		return object{}, fmt.Errorf("importMetadata: %w", err)
	}
	o.set("importMetadata", metadata)
	return o, nil
}

// preprocess adds the fields by which requests are routed: of the request for the
// integration's config, of the preprocess flow's result for the flow's.
func (e *exporter) preprocess(o object) {
	config, source := e.integration.TriggerPreprocessFlowConfig, "payload"
	for n := range e.integration.Flows {
		if flow := &e.integration.Flows[n]; flow.PreprocessFlowConfig != nil {
			o.text("preprocessFlowName", flow.Name)
			config, source = flow.PreprocessFlowConfig, "onExecution"
			break
		}
	}
	if config == nil {
		return
	}
	for _, field := range []struct{ key, path string }{
		{"externalCustomerIdField", config.ExternalCustomerIDField},
		{"externalCustomerUserIdField", config.ExternalCustomerUserIDField},
		{"flowNameField", config.FlowNameField},
	} {
		if field.path != "" {
			o.set(field.key, resultReference(source, field.path))
		}
	}
}

// resultReference refers to a field of a step's result.
func resultReference(step, path string) *node {
	o := newObject()
	o.text("type", "reference")
	o.text("value", step+".results."+path)
	return o.node
}

// latestComponent refers to the latest version of a component.
func latestComponent(key string, public bool) *node {
	o := newObject()
	o.text("key", key)
	o.text("version", "LATEST")
	o.boolean("isPublic", public)
	return o.node
}
