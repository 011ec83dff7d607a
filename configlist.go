package sluice

import "slices"

// ValueListVar is a config variable that holds a list of values.
//
//	var tags = sluice.ValueListVar[string]{
//		Element: sluice.StringVar{Key: "Tags", StableKey: "tags"},
//	}
type ValueListVar[T any] struct {
	// Element holds the key of the list and describes each of its values. Required,
	// without a default of its own.
	Element ScalarVar[T]
	// Default is the list of instances that give none.
	Default []T
}

// Get returns the instance's list, else Default. The list is the caller's own.
func (v ValueListVar[T]) Get(run *Run) []T {
	return slices.Clone(readConfig(run, v.Definition().Key, v.Default))
}

// Definition implements [ConfigVar].
func (v ValueListVar[T]) Definition() ConfigVarDefinition {
	return listDefinition(CollectionValueList, v.Element, v.Default)
}

// KeyValueListVar is a config variable that holds a list of keys with a value each.
type KeyValueListVar[T any] struct {
	// Element holds the key of the list and describes each of its values. Required,
	// without a default of its own.
	Element ScalarVar[T]
	// Default is the list of instances that give none.
	Default []KeyValue[T]
}

// Get returns the instance's list, else Default. The list is the caller's own.
func (v KeyValueListVar[T]) Get(run *Run) []KeyValue[T] {
	return slices.Clone(readConfig(run, v.Definition().Key, v.Default))
}

// Definition implements [ConfigVar].
func (v KeyValueListVar[T]) Definition() ConfigVarDefinition {
	return listDefinition(CollectionKeyValueList, v.Element, v.Default)
}

// listDefinition is the definition of a list of what element describes.
func listDefinition[E any](collection CollectionType, element ConfigVar, values []E) ConfigVarDefinition {
	var definition ConfigVarDefinition
	if !isNil(element) {
		definition = element.Definition()
	}
	definition.CollectionType, definition.Default = collection, nil
	if values != nil {
		definition.Default = slices.Clone(values)
	}
	return definition
}

func (ValueListVar[T]) configElement()    {}
func (KeyValueListVar[T]) configElement() {}

// elementVar is the variable that describes the list's values.
func (v ValueListVar[T]) elementVar() ConfigVar    { return v.Element }
func (v KeyValueListVar[T]) elementVar() ConfigVar { return v.Element }
