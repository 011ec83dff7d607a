package sluice

import "encoding/json"

// ValidationMode says whether a JSON form shows and enforces validation errors.
type ValidationMode string

// The validation modes. The zero value is [ValidateAndShow].
const (
	ValidateAndShow ValidationMode = "ValidateAndShow"
	ValidateAndHide ValidationMode = "ValidateAndHide"
	NoValidation    ValidationMode = "NoValidation"
)

// JSONForm is a form: the schema of its data, how it looks, and the data to start with.
// See https://jsonforms.io/docs.
type JSONForm struct {
	// Schema is the JSON Schema of the data. Required.
	Schema any `json:"schema"`
	// UISchema says how the form looks. Required.
	UISchema any `json:"uiSchema"`
	// Data to start with; nil is none.
	Data any `json:"data,omitempty"`
}

// JSONFormVar is a config variable of the data of a form, decoded into T.
type JSONFormVar[T any] struct {
	// Key names the variable to people and in references. Required, unique.
	Key string
	// StableKey identifies the variable for ever, also when Key changes. Required, unique.
	StableKey string
	// Description is shown to people.
	Description string
	// PermissionAndVisibilityType says who sees and edits the value; customer by default.
	PermissionAndVisibilityType PermissionAndVisibilityType
	// VisibleToOrgDeployer shows it to the organization's deployers; true by default.
	VisibleToOrgDeployer *bool
	// Default is the form and its data; nil is none. Values are validated against its
	// schema.
	Default *JSONForm
	// ValidationMode of the form; ValidateAndShow by default.
	ValidationMode ValidationMode
	// DataSource makes the form; nil is none.
	DataSource DataSource
}

// Get returns the instance's data, else the data of Default.
func (v JSONFormVar[T]) Get(run *Run) T {
	if value, ok := run.ConfigVar(v.Key); ok {
		if typed, ok := value.(T); ok {
			return typed
		}
	}
	var fallback T
	if v.Default == nil || v.Default.Data == nil {
		return fallback
	}
	data, err := json.Marshal(v.Default.Data)
	if err != nil {
		return fallback
	}
	if err := json.Unmarshal(data, &fallback); err != nil {
		var zero T
		return zero
	}
	return fallback
}

// Definition implements [ConfigVar]. Its Default is the form.
func (v JSONFormVar[T]) Definition() ConfigVarDefinition {
	definition := ConfigVarDefinition{
		Key: v.Key, StableKey: v.StableKey, Description: v.Description, DataType: DataTypeJSONForm,
		PermissionAndVisibilityType: orCustomer(v.PermissionAndVisibilityType),
		VisibleToOrgDeployer:        orTrue(v.VisibleToOrgDeployer),
		ValidationMode:              v.ValidationMode, DataSource: v.DataSource,
	}
	if v.Default != nil {
		definition.Default = *v.Default
	}
	return definition
}

func (JSONFormVar[T]) configElement() {}
