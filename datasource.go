package sluice

import "context"

// DataSource fills a field of the config wizard: [InlineDataSource] or
// [DataSourceReference]. The interface is sealed.
type DataSource interface {
	dataSource()
}

// DataSourceFunc fetches what a field of the config wizard offers. The run knows the
// customer, the instance, the user and the config variables given so far.
type DataSourceFunc func(ctx context.Context, run *Run) (*DataSourceResult, error)

// DataSourceResult is what a data source hands back.
type DataSourceResult struct {
	// Result has the type that the config variable holds: a string, a bool, a number, an
	// [ObjectSelection], an [ObjectFieldMap] or a [JSONForm]. A picklist takes []string or
	// []Element, a schedule a [ScheduleValue].
	Result any
}

// InlineDataSource is a data source that the integration itself defines.
type InlineDataSource struct {
	// Perform fetches the data. Required.
	Perform DataSourceFunc
	// DataSourceReset resets a JSON form when other config variables change; nil never
	// does. It is for JSON forms only.
	DataSourceReset *DataSourceReset
}

// DataSourceReference is a data source of a component in the registry.
type DataSourceReference struct {
	// Component is its name in the registry. Required.
	Component string
	// Key of the data source in the component. Required.
	Key string
	// Values of its inputs, by key. Inputs without one have the component's default.
	Values map[string]InputExpression
	// DataSourceReset resets the field when an input changes; nil never does. It takes no
	// Dependencies.
	DataSourceReset *DataSourceReset
}

func (InlineDataSource) dataSource()    {}
func (DataSourceReference) dataSource() {}

// DataSourceReset says when a data source fetches again and its field starts anew.
type DataSourceReset struct {
	// Mode is required.
	Mode DataSourceResetMode
	// Dependencies are keys of config variables: a change of one of them resets the field.
	Dependencies []string
}

// DataSourceResetMode says whether people are asked before a field is reset.
type DataSourceResetMode string

// The reset modes.
const (
	// ResetPrompt asks first.
	ResetPrompt DataSourceResetMode = "prompt"
	// ResetAlways resets without asking.
	ResetAlways DataSourceResetMode = "always"
)
