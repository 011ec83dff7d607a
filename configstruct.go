package sluice

import "slices"

// ScheduleType says how people set a schedule in the config wizard.
type ScheduleType string

// The schedule types.
const (
	// ScheduleNone never runs.
	ScheduleNone ScheduleType = "none"
	// ScheduleOnce runs a single time, soon after the instance is deployed.
	ScheduleOnce ScheduleType = "once"
	// ScheduleCustom runs by a cron expression.
	ScheduleCustom ScheduleType = "custom"
	// ScheduleMinute, ScheduleHour, ScheduleDay and ScheduleWeek run at an interval,
	// written as a cron expression.
	ScheduleMinute ScheduleType = "minute"
	ScheduleHour   ScheduleType = "hour"
	ScheduleDay    ScheduleType = "day"
	ScheduleWeek   ScheduleType = "week"
)

// ScheduleVar is a config variable of a schedule, for [Schedule].ConfigVar.
type ScheduleVar struct {
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
	// Default is the cron expression of instances that give none.
	Default string
	// ScheduleType is none without a Default and custom with one, unless it is given.
	ScheduleType ScheduleType
	// TimeZone is an IANA name such as Europe/Berlin; empty is UTC.
	TimeZone string
	// DataSource fills the wizard's field; nil is none.
	DataSource DataSource
}

// ScheduleValue is the value of a [ScheduleVar].
type ScheduleValue struct {
	// Value is a cron expression with five fields; empty with ScheduleNone and ScheduleOnce.
	Value string `json:"value"`
	// ScheduleType says whether it runs at all; the zero value is none.
	ScheduleType ScheduleType `json:"schedule_type"`
	// TimeZone is an IANA name; empty is UTC.
	TimeZone string `json:"time_zone"`
}

// Get returns the instance's schedule, else the default.
func (v ScheduleVar) Get(run *Run) ScheduleValue { return readConfig(run, v.Key, v.defaultValue()) }

func (v ScheduleVar) defaultValue() ScheduleValue {
	return ScheduleValue{Value: v.Default, ScheduleType: v.scheduleType(), TimeZone: v.TimeZone}
}

func (v ScheduleVar) scheduleType() ScheduleType {
	switch {
	case v.ScheduleType != "":
		return v.ScheduleType
	case v.Default != "":
		return ScheduleCustom
	}
	return ScheduleNone
}

// Definition implements [ConfigVar]. Its Default is the cron expression.
func (v ScheduleVar) Definition() ConfigVarDefinition {
	return ConfigVarDefinition{
		Key: v.Key, StableKey: v.StableKey, Description: v.Description, DataType: DataTypeSchedule,
		PermissionAndVisibilityType: orCustomer(v.PermissionAndVisibilityType),
		VisibleToOrgDeployer:        orTrue(v.VisibleToOrgDeployer),
		Default:                     orNil(v.Default), ScheduleType: v.scheduleType(), TimeZone: v.TimeZone, DataSource: v.DataSource,
	}
}

// Element is a thing to choose, such as an object of another system or one of its fields.
type Element struct {
	// Key is the value.
	Key string `json:"key"`
	// Label is shown to people in place of Key.
	Label string `json:"label,omitempty"`
}

// ObjectSelection is the value of an [ObjectSelectionVar]: objects of another system, and
// fields of each.
type ObjectSelection []SelectedObject

// SelectedObject is one object of an [ObjectSelection].
type SelectedObject struct {
	// Object that is chosen.
	Object Element `json:"object"`
	// Fields of it that are chosen.
	Fields []Element `json:"fields,omitempty"`
	// DefaultSelected offers the object as chosen.
	DefaultSelected bool `json:"defaultSelected,omitempty"`
}

// ObjectSelectionVar is a config variable of chosen objects and fields.
type ObjectSelectionVar struct {
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
	// Default is the selection of instances that make none.
	Default ObjectSelection
	// DataSource offers the objects; nil is none.
	DataSource DataSource
}

// Get returns the instance's selection, else Default.
func (v ObjectSelectionVar) Get(run *Run) ObjectSelection {
	return slices.Clone(readConfig(run, v.Key, v.Default))
}

// Definition implements [ConfigVar].
func (v ObjectSelectionVar) Definition() ConfigVarDefinition {
	definition := ConfigVarDefinition{
		Key: v.Key, StableKey: v.StableKey, Description: v.Description, DataType: DataTypeObjectSelection,
		PermissionAndVisibilityType: orCustomer(v.PermissionAndVisibilityType),
		VisibleToOrgDeployer:        orTrue(v.VisibleToOrgDeployer), DataSource: v.DataSource,
	}
	if v.Default != nil {
		definition.Default = v.Default
	}
	return definition
}

// ObjectFieldMap is the value of an [ObjectFieldMapVar]: which field of another system
// stands for which of ours.
type ObjectFieldMap struct {
	// Fields that are mapped.
	Fields []FieldMapping `json:"fields"`
	// Options to map to.
	Options []ObjectOption `json:"options,omitempty"`
}

// FieldMapping maps one field.
type FieldMapping struct {
	// Field that is mapped.
	Field Element `json:"field"`
	// MappedObject and MappedField are what it is mapped to; nil is nothing.
	MappedObject *Element `json:"mappedObject,omitempty"`
	MappedField  *Element `json:"mappedField,omitempty"`
	// DefaultObject and DefaultField are proposed to people.
	DefaultObject *Element `json:"defaultObject,omitempty"`
	DefaultField  *Element `json:"defaultField,omitempty"`
}

// ObjectOption is an object to map to, with its fields.
type ObjectOption struct {
	// Object to map to.
	Object Element `json:"object"`
	// Fields of it.
	Fields []Element `json:"fields"`
}

// ObjectFieldMapVar is a config variable of a field mapping.
type ObjectFieldMapVar struct {
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
	// Default is the mapping of instances that give none; nil is none.
	Default *ObjectFieldMap
	// DataSource offers the fields; nil is none.
	DataSource DataSource
}

// Get returns the instance's mapping, else Default.
func (v ObjectFieldMapVar) Get(run *Run) ObjectFieldMap {
	var fallback ObjectFieldMap
	if v.Default != nil {
		fallback = *v.Default
	}
	value := readConfig(run, v.Key, fallback)
	return ObjectFieldMap{Fields: slices.Clone(value.Fields), Options: slices.Clone(value.Options)}
}

// Definition implements [ConfigVar].
func (v ObjectFieldMapVar) Definition() ConfigVarDefinition {
	definition := ConfigVarDefinition{
		Key: v.Key, StableKey: v.StableKey, Description: v.Description, DataType: DataTypeObjectFieldMap,
		PermissionAndVisibilityType: orCustomer(v.PermissionAndVisibilityType),
		VisibleToOrgDeployer:        orTrue(v.VisibleToOrgDeployer), DataSource: v.DataSource,
	}
	if v.Default != nil {
		definition.Default = *v.Default
	}
	return definition
}

// HTMLElementVar is a place on a config page that an embedding program fills. It has no
// value of its own.
type HTMLElementVar struct {
	// Key names the place. Required, unique.
	Key string
	// StableKey identifies it for ever, also when Key changes. Required, unique.
	StableKey string
}

// Definition implements [ConfigVar].
func (v HTMLElementVar) Definition() ConfigVarDefinition {
	return ConfigVarDefinition{
		Key: v.Key, StableKey: v.StableKey, DataType: DataTypeHTMLElement,
		PermissionAndVisibilityType: PermissionCustomer, VisibleToOrgDeployer: true,
	}
}

func (ScheduleVar) configElement()        {}
func (ObjectSelectionVar) configElement() {}
func (ObjectFieldMapVar) configElement()  {}
func (HTMLElementVar) configElement()     {}
