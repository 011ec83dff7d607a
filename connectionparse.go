package sluice

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"

	"github.com/sluice-go/sluice/internal/casing"
	"github.com/sluice-go/sluice/internal/variant"
)

// parse checks a connection's fields against its inputs, fills in defaults and templates,
// and names no value in its errors: fields are secrets.
func (v ConnectionVar) parse(integration *Integration, value any) (any, error) {
	connection, ok := value.(Connection)
	if !ok {
		if err := reshape(value, &connection); err != nil {
			return nil, expected("a connection with fields", value)
		}
	}
	connection.ConfigVarKey = v.Key
	inputs, key, ok := v.inputs(integration)
	if !ok {
		return connection, nil
	}
	connection.Key = key
	fields, errs := make(map[string]any, len(inputs)), make([]error, 0, 1)
	unknown := maps.Clone(connection.Fields)
	for _, input := range inputs {
		delete(unknown, input.Key)
		if input.Type == InputTypeTemplate {
			continue
		}
		field, err := input.parse(connection.Fields[input.Key])
		if err != nil {
			errs = append(errs, fmt.Errorf("field %q: %w", input.Key, err))
		} else if field != nil {
			fields[input.Key] = field
		}
	}
	for _, key := range slices.Sorted(maps.Keys(unknown)) {
		errs = append(errs, fmt.Errorf("field %q: the connection has no such input", key))
	}
	for _, input := range inputs {
		if input.Type == InputTypeTemplate {
			fields[input.Key] = fillTemplate(input.TemplateValue, fields)
		}
	}
	connection.Fields = fields
	return connection, joinErrors(errs)
}

// inputs returns the inputs of the connection and the key of its type; ok is false when
// they are defined elsewhere.
func (v ConnectionVar) inputs(integration *Integration) (inputs []ConnectionInput, key string, ok bool) {
	definition := variant.Of(v.Connection)
	if inputs, ok := inlineInputs(definition); ok {
		return inputs, casing.Camel(v.Key), true
	}
	reference, ok := definition.(ConnectionReference)
	if !ok {
		return nil, "", false
	}
	component, _ := integration.Component(reference.Component)
	connection, ok := component.Connection(reference.Key)
	for _, input := range connection.Inputs {
		_, given := reference.Values[input.Key]
		inputs = append(inputs, ConnectionInput{
			Key: input.Key, Type: ConnectionInputType(input.InputType), Collection: input.Collection,
			Required: input.Required && !given, Default: input.Default,
		})
	}
	return inputs, connection.EntryKey(), ok
}

// inlineInputs returns the inputs of a connection that the integration itself defines.
func inlineInputs(definition any) (inputs []ConnectionInput, ok bool) {
	switch connection := definition.(type) {
	case BasicConnection:
		return connection.Inputs, true
	case OAuth2AuthorizationCodeConnection:
		return connection.Inputs, true
	case OAuth2ClientCredentialsConnection:
		return connection.Inputs, true
	}
	return nil, false
}

// parse checks the value of one field; nil is a field that is not given.
func (input ConnectionInput) parse(value any) (any, error) {
	if isNil(value) {
		value = input.Default
	}
	if isNil(value) || value == "" {
		if input.Required {
			return nil, errors.New("a value is required")
		}
		return value, nil
	}
	parsed, err := input.parseType(value)
	if err != nil || input.Clean == nil {
		return parsed, err
	}
	if parsed, err = input.Clean(parsed); err != nil {
		return nil, errors.New("the value was refused by the input's Clean function")
	}
	return parsed, nil
}

func (input ConnectionInput) parseType(value any) (any, error) {
	switch input.Collection {
	case CollectionValueList:
		return ValueListVar[string]{Element: StringVar{}}.parse(nil, value)
	case CollectionKeyValueList:
		return KeyValueListVar[string]{Element: StringVar{}}.parse(nil, value)
	}
	if flag, ok := value.(bool); ok && input.Type == InputTypeBoolean {
		return flag, nil
	}
	text, err := parseText(value)
	if err != nil {
		return nil, err
	}
	if len(input.Model) > 0 && !slices.ContainsFunc(input.Model, func(choice InputChoice) bool { return choice.Value == text }) {
		return nil, errors.New("expected one of the input's choices")
	}
	return text, nil
}

// slot is a place in a template that another input fills.
var slot = regexp.MustCompile(`\{\{#(\w+)\}\}`)

func fillTemplate(template string, fields map[string]any) string {
	return slot.ReplaceAllStringFunc(template, func(match string) string {
		switch value := fields[slot.FindStringSubmatch(match)[1]].(type) {
		case string:
			return value
		case bool:
			return strconv.FormatBool(value)
		}
		return ""
	})
}
