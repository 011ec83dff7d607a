package sluice

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/google/jsonschema-go/jsonschema"
)

// SchemaFor derives the schema of an object from a Go type, by its json tags; a
// jsonschema tag is a property's description. Fields without omitempty or omitzero are
// required, unknown ones are allowed, and types with an UnmarshalJSON of their own take
// anything. It fails for types that are no JSON object, or that contain themselves.
//
//	type Order struct {
//		ID string `json:"id" jsonschema:"number of the order"`
//	}
func SchemaFor[T any]() (*FlowSchema, error) {
	return schemaFor(reflect.TypeFor[T]())
}

func schemaFor(goType reflect.Type) (*FlowSchema, error) {
	known := map[reflect.Type]*jsonschema.Schema{}
	knowTypes(goType, known, map[reflect.Type]bool{})
	if known[goType] != nil {
		return nil, fmt.Errorf("sluice: no schema for %s: it decodes itself", goType)
	}
	derived, err := jsonschema.ForType(goType, &jsonschema.ForOptions{TypeSchemas: known})
	if err != nil {
		return nil, fmt.Errorf("sluice: no schema for %s: %w", goType, err)
	}
	data, err := json.Marshal(derived)
	if err != nil {
		return nil, fmt.Errorf("sluice: no schema for %s: %w", goType, err)
	}
	var document struct {
		Type       any            `json:"type"`
		Properties map[string]any `json:"properties"`
		Required   []string       `json:"required"`
	}
	if err := json.Unmarshal(data, &document); err != nil {
		return nil, fmt.Errorf("sluice: no schema for %s: %w", goType, err)
	}
	if goType.Kind() != reflect.Struct || document.Type != "object" {
		return nil, fmt.Errorf("sluice: no schema for %s: it is no JSON object with fixed names", goType)
	}
	schema := &FlowSchema{Properties: map[string]SchemaProperty{}, Required: document.Required, derived: true}
	for name, property := range document.Properties {
		keywords, _ := property.(map[string]any) // A property that may be anything is true.
		schema.Properties[name] = propertyOf(keywords)
	}
	return schema, nil
}

func propertyOf(keywords map[string]any) SchemaProperty {
	var property SchemaProperty
	openObjects(keywords)
	if description, ok := keywords["description"].(string); ok {
		property.Description = description
		delete(keywords, "description")
	}
	if single, ok := keywords["type"].(string); ok {
		property.Type = single
		delete(keywords, "type")
	}
	if len(keywords) > 0 {
		property.Keywords = keywords
	}
	return property
}

// openObjects lets objects have members that their type does not name, as decoding does.
func openObjects(value any) {
	switch value := value.(type) {
	case map[string]any:
		if closed, ok := value["additionalProperties"].(bool); ok && !closed {
			delete(value, "additionalProperties")
		}
		for _, member := range value {
			openObjects(member)
		}
	case []any:
		for _, element := range value {
			openObjects(element)
		}
	}
}

// knowTypes adds the schemas of types below goType that decode themselves: JSON's own
// numbers, text, and whatever an UnmarshalJSON takes.
func knowTypes(goType reflect.Type, known map[reflect.Type]*jsonschema.Schema, seen map[reflect.Type]bool) {
	if seen[goType] {
		return
	}
	seen[goType] = true
	pointer := reflect.PointerTo(goType)
	switch {
	case goType == reflect.TypeFor[json.Number]():
		known[goType] = &jsonschema.Schema{Type: "number"}
		return
	case goType.PkgPath() == "time" || goType.PkgPath() == "math/big" || goType.PkgPath() == "log/slog":
		return // The deriving package knows them.
	case goType.Kind() != reflect.Interface && pointer.Implements(reflect.TypeFor[json.Unmarshaler]()):
		known[goType] = &jsonschema.Schema{}
		return
	case goType.Kind() != reflect.Interface && pointer.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		known[goType] = &jsonschema.Schema{Type: "string"}
		return
	}
	switch goType.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		knowTypes(goType.Elem(), known, seen)
	case reflect.Struct:
		for field := range goType.Fields() {
			knowTypes(field.Type, known, seen)
		}
	default:
	}
}
