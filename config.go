package sluice

// ConfigPage is one page of the config wizard that deploys an instance.
type ConfigPage struct {
	// Name is required, and unique among its kind of pages.
	Name string
	// Tagline stands below the name.
	Tagline string
	// Elements of the page, from top to bottom: config variables and [HTMLElement].
	Elements []ConfigElement
}

// ConfigElement is what a config page holds: an [HTMLElement] or a [ConfigVar]. The
// interface is sealed.
type ConfigElement interface {
	configElement()
}

// HTMLElement is text between the config variables of a page, shown as HTML.
type HTMLElement struct {
	// Key names the element; spectral has one for each.
	Key string
	// Content is the HTML that is shown.
	Content string
}

func (HTMLElement) configElement() {}

// ConfigVar is a config variable: a value that each instance, or on user-level pages each
// user, gives. The variants are typed handles, written as package-level variables, listed
// in a page and read with their Get method: [StringVar], [DateVar], [TimestampVar],
// [PicklistVar], [CodeVar], [BooleanVar], [NumberVar], [ScheduleVar],
// [ObjectSelectionVar], [ObjectFieldMapVar], [JSONFormVar], [HTMLElementVar] and
// [ConnectionVar]; [ValueListVar] and [KeyValueListVar] hold several values of one of the
// first seven. The interface is sealed.
type ConfigVar interface {
	ConfigElement
	// Definition describes the variable, whatever its type.
	Definition() ConfigVarDefinition
	// parse checks a value and turns it into the one that Get returns; integration is where
	// references are looked up.
	parse(integration *Integration, value any) (any, error)
}

// ConfigVarDefinition describes a config variable of any type: what a config wizard, a
// manifest or a form needs to know. Defaults are filled in.
type ConfigVarDefinition struct {
	// Key names the variable to people, and in references.
	Key string
	// StableKey identifies the variable for ever.
	StableKey string
	// Description is shown to people.
	Description string
	// DataType of the value, or of each value of a collection.
	DataType ConfigVarDataType
	// CollectionType is empty for a single value.
	CollectionType CollectionType
	// PermissionAndVisibilityType says who sees and edits the value.
	PermissionAndVisibilityType PermissionAndVisibilityType
	// VisibleToOrgDeployer shows the variable to the organization's deployers.
	VisibleToOrgDeployer bool
	// Default is the value of instances that give none; nil is none.
	Default any
	// PickList holds the choices of a picklist.
	PickList []string
	// CodeLanguage of a code variable.
	CodeLanguage CodeLanguage
	// TimeZone and ScheduleType of a schedule.
	TimeZone     string
	ScheduleType ScheduleType
	// ValidationMode of a JSON form; empty is the default.
	ValidationMode ValidationMode
	// DataSource fills the wizard's field; nil is none.
	DataSource DataSource
	// Connection defines a connection; nil for every other type.
	Connection ConnectionDefinition
}

// ConfigVarDataType is the type of a config variable's value.
type ConfigVarDataType string

// The data types of config variables.
const (
	DataTypeString          ConfigVarDataType = "string"
	DataTypeDate            ConfigVarDataType = "date"
	DataTypeTimestamp       ConfigVarDataType = "timestamp"
	DataTypePicklist        ConfigVarDataType = "picklist"
	DataTypeCode            ConfigVarDataType = "code"
	DataTypeBoolean         ConfigVarDataType = "boolean"
	DataTypeNumber          ConfigVarDataType = "number"
	DataTypeSchedule        ConfigVarDataType = "schedule"
	DataTypeObjectSelection ConfigVarDataType = "objectSelection"
	DataTypeObjectFieldMap  ConfigVarDataType = "objectFieldMap"
	DataTypeJSONForm        ConfigVarDataType = "jsonForm"
	DataTypeHTMLElement     ConfigVarDataType = "htmlElement"
	DataTypeConnection      ConfigVarDataType = "connection"
)

// CollectionType says how a variable or an input holds several values.
type CollectionType string

// The collection types. The zero value is a single value.
const (
	// CollectionValueList is a list of values.
	CollectionValueList CollectionType = "valuelist"
	// CollectionKeyValueList is a list of keys with a value each.
	CollectionKeyValueList CollectionType = "keyvaluelist"
)

// PermissionAndVisibilityType says who sees and edits a config variable or an input.
type PermissionAndVisibilityType string

// Who sees and edits a value. The zero value is [PermissionCustomer].
const (
	// PermissionCustomer lets customers see and edit the value.
	PermissionCustomer PermissionAndVisibilityType = "customer"
	// PermissionEmbedded hides the value from customers: a program sets it.
	PermissionEmbedded PermissionAndVisibilityType = "embedded"
	// PermissionOrganization hides the value from customers: the organization sets it.
	PermissionOrganization PermissionAndVisibilityType = "organization"
)
