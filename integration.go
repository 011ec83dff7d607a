package sluice

// Integration is one product integration: its flows, the configuration that each customer
// gives, and the endpoints that reach it. Write it as a literal; Validate reports every
// fault of it at once.
type Integration struct {
	// Name is required.
	Name string
	// Description is shown to people.
	Description string
	// IconPath is the path of the integration's icon.
	IconPath string
	// Category in the marketplace.
	Category string
	// Documentation is shown to people, as Markdown.
	Documentation string
	// Version identifies this version of the integration.
	Version string
	// Labels group integrations.
	Labels []string
	// EndpointType says what has a webhook URL of its own. The zero value is
	// [EndpointFlowSpecific].
	EndpointType EndpointType
	// TriggerPreprocessFlowConfig routes by fields of the payload. It excludes a flow with
	// a PreprocessFlowConfig.
	TriggerPreprocessFlowConfig *PreprocessFlowConfig
	// Flows of the integration, in the order in which hooks run.
	Flows []Flow
	// ConfigPages are the pages of the config wizard, in order.
	ConfigPages []ConfigPage
	// UserLevelConfigPages are the pages that each user of a customer fills in.
	UserLevelConfigPages []ConfigPage
	// ScopedConfigVars are connections that were set up beside the integration, used
	// without standing on a page: a [ConnectionVar] with an activated connection each.
	// [HTMLElement] is taken, reserves its key and is left out of the manifest, as in
	// spectral.
	ScopedConfigVars []ConfigElement
	// InstanceProfile names the resources that instances run with.
	InstanceProfile string
	// ComponentRegistry lists the components that the integration refers to.
	ComponentRegistry []ComponentManifest
}
