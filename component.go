package sluice

// ComponentManifest describes a component of the platform: what an integration may refer
// to. The functions behind it are resolved at run time.
type ComponentManifest struct {
	// Name is what references call the component; empty is Key.
	Name string
	// Key of the component. Required.
	Key string
	// Public components are everyone's, others the organization's own.
	Public bool
	// Signature pins the component's version; empty is the latest.
	Signature string
	// Actions, Triggers, DataSources and Connections of the component.
	Actions     []ComponentAction
	Triggers    []ComponentEntry
	DataSources []ComponentDataSource
	Connections []ComponentConnection
}

// ComponentEntry is what all entries of a component have, and all that a trigger has.
type ComponentEntry struct {
	// Name is what references call the entry; empty is Key.
	Name string
	// Key of the entry in the component; empty is Name.
	Key string
	// Inputs of the entry.
	Inputs []ComponentInput
}

// ComponentAction is an action of a component.
type ComponentAction struct {
	ComponentEntry
	// ExamplePayload shows what the action returns.
	ExamplePayload any
}

// ComponentDataSource is a data source of a component.
type ComponentDataSource struct {
	ComponentEntry
	// DataSourceType is the data type of the config variables that it fills. Required.
	DataSourceType ConfigVarDataType
}

// ComponentConnection is a connection of a component.
type ComponentConnection struct {
	ComponentEntry
	// OnPremAvailable tells that the connection can go through an on-premise agent.
	OnPremAvailable bool
}

// ComponentInput is an input of an entry of a component.
type ComponentInput struct {
	// Key of the input. Required, unique in its entry.
	Key string
	// InputType is the input's type, such as string or connection.
	InputType string
	// Collection is empty for a single value.
	Collection CollectionType
	// Required inputs must have a value.
	Required bool
	// Default is the value of references that give none: any value that encoding/json
	// takes; nil is none.
	Default any
	// OnPremControlled lets an on-premise agent replace the value.
	OnPremControlled bool
}

// ComponentTrigger starts a flow by the trigger of a component in the registry.
type ComponentTrigger struct {
	// Component is its name in the registry. Required.
	Component string
	// Key of the trigger in the component. Required.
	Key string
	// Values of its inputs, by key. Inputs without one have the component's default.
	Values map[string]InputExpression
}

func (ComponentTrigger) trigger() {}

// InputExpression is the value of a component's input: [ValueExpression],
// [ConfigVarExpression], [TemplateExpression] or [OpenExpression]. The interface is
// sealed.
type InputExpression interface {
	inputExpression()
}

// ValueExpression is a value that the integration gives.
type ValueExpression struct {
	// Value is any value that encoding/json takes. A value list takes a list, a key-value
	// list a []KeyValue of any type, or a map, whose keys are sorted.
	Value any
	// PermissionAndVisibilityType says who sees and edits the value; customer by default.
	PermissionAndVisibilityType PermissionAndVisibilityType
	// VisibleToOrgDeployer shows it to the organization's deployers; true by default.
	VisibleToOrgDeployer *bool
	// WriteOnly hides the value once it is given. For connections only.
	WriteOnly bool
}

// ConfigVarExpression is the value of a config variable.
type ConfigVarExpression struct {
	// ConfigVar is the variable's key. Required.
	ConfigVar string
}

// TemplateExpression is text with the values of config variables: {{#Site}} stands for
// the variable Site.
type TemplateExpression struct {
	// Template is the text. Required.
	Template string
}

// OpenExpression leaves the input to whoever configures the instance: not even the
// component's default is given.
type OpenExpression struct {
	// PermissionAndVisibilityType says who sees and edits the value; customer by default.
	PermissionAndVisibilityType PermissionAndVisibilityType
	// VisibleToOrgDeployer shows it to the organization's deployers; true by default.
	VisibleToOrgDeployer *bool
	// WriteOnly hides the value once it is given.
	WriteOnly bool
}

func (ValueExpression) inputExpression()     {}
func (ConfigVarExpression) inputExpression() {}
func (TemplateExpression) inputExpression()  {}
func (OpenExpression) inputExpression()      {}

// name is what references call the component.
func (m ComponentManifest) name() string {
	if m.Name == "" {
		return m.Key
	}
	return m.Name
}

// name is what references call the entry.
func (e ComponentEntry) name() string {
	if e.Name == "" {
		return e.Key
	}
	return e.Name
}

// Component returns the component that references call name.
func (i *Integration) Component(name string) (ComponentManifest, bool) {
	for _, component := range i.ComponentRegistry {
		if component.name() == name {
			return component, true
		}
	}
	return ComponentManifest{}, false
}

// Trigger returns the trigger that references call name.
func (m ComponentManifest) Trigger(name string) (ComponentEntry, bool) {
	return entryOf(m.Triggers, name, func(entry ComponentEntry) ComponentEntry { return entry })
}

// DataSource returns the data source that references call name.
func (m ComponentManifest) DataSource(name string) (ComponentDataSource, bool) {
	return entryOf(m.DataSources, name, func(entry ComponentDataSource) ComponentEntry { return entry.ComponentEntry })
}

// Connection returns the connection that references call name.
func (m ComponentManifest) Connection(name string) (ComponentConnection, bool) {
	return entryOf(m.Connections, name, func(entry ComponentConnection) ComponentEntry { return entry.ComponentEntry })
}

func entryOf[E any](entries []E, name string, base func(E) ComponentEntry) (found E, ok bool) {
	for _, entry := range entries {
		if base(entry).name() == name {
			return entry, true
		}
	}
	return found, false
}

// EntryKey is the key of the entry itself; what references call it may differ.
func (e ComponentEntry) EntryKey() string {
	if e.Key == "" {
		return e.Name
	}
	return e.Key
}
