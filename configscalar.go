package sluice

import "slices"

// ScalarVar is a config variable that holds one value of type T, and of which
// [ValueListVar] and [KeyValueListVar] hold several. The interface is sealed.
type ScalarVar[T any] interface {
	ConfigVar
	parseScalar(value any) (T, error)
}

// StringVar is a config variable of text.
type StringVar struct {
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
	// Default is the value of instances that give none. Without one their value is empty, which
	// Deploy does not refuse.
	Default string
	// DataSource fills the wizard's field; nil is none.
	DataSource DataSource
}

// Get returns the instance's value, else Default.
func (v StringVar) Get(run *Run) string { return readConfig(run, v.Key, v.Default) }

// Definition implements [ConfigVar].
func (v StringVar) Definition() ConfigVarDefinition {
	return ConfigVarDefinition{
		Key: v.Key, StableKey: v.StableKey, Description: v.Description, DataType: DataTypeString,
		PermissionAndVisibilityType: orCustomer(v.PermissionAndVisibilityType),
		VisibleToOrgDeployer:        orTrue(v.VisibleToOrgDeployer),
		Default:                     orNil(v.Default), DataSource: v.DataSource,
	}
}

// DateVar is a config variable of a calendar date.
type DateVar struct {
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
	// Default is the value of instances that give none, such as 2024-02-29.
	Default string
	// DataSource fills the wizard's field; nil is none.
	DataSource DataSource
}

// Get returns the instance's date, else Default, in the layout [time.DateOnly]; empty
// when there is neither.
func (v DateVar) Get(run *Run) string { return readConfig(run, v.Key, v.Default) }

// Definition implements [ConfigVar].
func (v DateVar) Definition() ConfigVarDefinition {
	return ConfigVarDefinition{
		Key: v.Key, StableKey: v.StableKey, Description: v.Description, DataType: DataTypeDate,
		PermissionAndVisibilityType: orCustomer(v.PermissionAndVisibilityType),
		VisibleToOrgDeployer:        orTrue(v.VisibleToOrgDeployer),
		Default:                     orNil(v.Default), DataSource: v.DataSource,
	}
}

// TimestampVar is a config variable of a point in time.
type TimestampVar struct {
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
	// Default is the value of instances that give none, such as 2024-02-29T12:34:56Z.
	Default string
	// DataSource fills the wizard's field; nil is none.
	DataSource DataSource
}

// Get returns the instance's time, else Default, in the layout [time.RFC3339]; empty when
// there is neither.
func (v TimestampVar) Get(run *Run) string { return readConfig(run, v.Key, v.Default) }

// Definition implements [ConfigVar].
func (v TimestampVar) Definition() ConfigVarDefinition {
	return ConfigVarDefinition{
		Key: v.Key, StableKey: v.StableKey, Description: v.Description, DataType: DataTypeTimestamp,
		PermissionAndVisibilityType: orCustomer(v.PermissionAndVisibilityType),
		VisibleToOrgDeployer:        orTrue(v.VisibleToOrgDeployer),
		Default:                     orNil(v.Default), DataSource: v.DataSource,
	}
}

// PicklistVar is a config variable of one choice out of several.
type PicklistVar struct {
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
	// PickList holds the choices. Required, unless there is a DataSource.
	PickList []string
	// Default is the choice of instances that make none.
	Default string
	// DataSource offers the choices in place of PickList; nil is none.
	DataSource DataSource
}

// Get returns the instance's choice, else Default.
func (v PicklistVar) Get(run *Run) string { return readConfig(run, v.Key, v.Default) }

// Definition implements [ConfigVar].
func (v PicklistVar) Definition() ConfigVarDefinition {
	return ConfigVarDefinition{
		Key: v.Key, StableKey: v.StableKey, Description: v.Description, DataType: DataTypePicklist,
		PermissionAndVisibilityType: orCustomer(v.PermissionAndVisibilityType),
		VisibleToOrgDeployer:        orTrue(v.VisibleToOrgDeployer),
		Default:                     orNil(v.Default), PickList: slices.Clone(v.PickList), DataSource: v.DataSource,
	}
}

// CodeLanguage says how a [CodeVar] is highlighted.
type CodeLanguage string

// The languages of a [CodeVar].
const (
	CodeLanguageJSON CodeLanguage = "json"
	CodeLanguageXML  CodeLanguage = "xml"
	CodeLanguageHTML CodeLanguage = "html"
)

// CodeVar is a config variable of source text.
type CodeVar struct {
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
	// CodeLanguage is required, unless there is a DataSource.
	CodeLanguage CodeLanguage
	// Default is the value of instances that give none.
	Default string
	// DataSource fills the wizard's field; nil is none.
	DataSource DataSource
}

// Get returns the instance's text, else Default. It is not parsed.
func (v CodeVar) Get(run *Run) string { return readConfig(run, v.Key, v.Default) }

// Definition implements [ConfigVar].
func (v CodeVar) Definition() ConfigVarDefinition {
	return ConfigVarDefinition{
		Key: v.Key, StableKey: v.StableKey, Description: v.Description, DataType: DataTypeCode,
		PermissionAndVisibilityType: orCustomer(v.PermissionAndVisibilityType),
		VisibleToOrgDeployer:        orTrue(v.VisibleToOrgDeployer),
		Default:                     orNil(v.Default), CodeLanguage: v.CodeLanguage, DataSource: v.DataSource,
	}
}

// BooleanVar is a config variable that is true or false.
type BooleanVar struct {
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
	// Default is the value of instances that give none.
	Default bool
	// DataSource fills the wizard's field; nil is none.
	DataSource DataSource
}

// Get returns the instance's value, else Default.
func (v BooleanVar) Get(run *Run) bool { return readConfig(run, v.Key, v.Default) }

// Definition implements [ConfigVar].
func (v BooleanVar) Definition() ConfigVarDefinition {
	return ConfigVarDefinition{
		Key: v.Key, StableKey: v.StableKey, Description: v.Description, DataType: DataTypeBoolean,
		PermissionAndVisibilityType: orCustomer(v.PermissionAndVisibilityType),
		VisibleToOrgDeployer:        orTrue(v.VisibleToOrgDeployer),
		Default:                     orNil(v.Default), DataSource: v.DataSource,
	}
}

// NumberVar is a config variable of a number.
type NumberVar struct {
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
	// Default is the value of instances that give none.
	Default float64
	// DataSource fills the wizard's field; nil is none.
	DataSource DataSource
}

// Get returns the instance's number, else Default. Numbers are IEEE 754 doubles, as in
// spectral: integers are exact up to 2^53.
func (v NumberVar) Get(run *Run) float64 { return readConfig(run, v.Key, v.Default) }

// Definition implements [ConfigVar].
func (v NumberVar) Definition() ConfigVarDefinition {
	return ConfigVarDefinition{
		Key: v.Key, StableKey: v.StableKey, Description: v.Description, DataType: DataTypeNumber,
		PermissionAndVisibilityType: orCustomer(v.PermissionAndVisibilityType),
		VisibleToOrgDeployer:        orTrue(v.VisibleToOrgDeployer),
		Default:                     orNil(v.Default), DataSource: v.DataSource,
	}
}

func (StringVar) configElement()    {}
func (DateVar) configElement()      {}
func (TimestampVar) configElement() {}
func (PicklistVar) configElement()  {}
func (CodeVar) configElement()      {}
func (BooleanVar) configElement()   {}
func (NumberVar) configElement()    {}

// readConfig returns the instance's value of a config variable, else fallback.
func readConfig[T any](run *Run, key string, fallback T) T {
	if value, ok := run.ConfigVar(key); ok {
		if typed, ok := value.(T); ok {
			return typed
		}
	}
	return fallback
}

func orCustomer(permission PermissionAndVisibilityType) PermissionAndVisibilityType {
	if permission == "" {
		return PermissionCustomer
	}
	return permission
}

func orTrue(flag *bool) bool { return flag == nil || *flag }

// orNil returns nil for a zero value: a default that is not given.
func orNil[T comparable](value T) any {
	var zero T
	if value == zero {
		return nil
	}
	return value
}
