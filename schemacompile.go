package sluice

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// compiledSchema validates values. It is safe for concurrent use.
type compiledSchema struct {
	schema *jsonschema.Schema
	text   string
}

// schemaURL is where a schema stands for its own references.
const schemaURL = "sluice:///schema.json"

// compileSchema compiles a JSON Schema, draft 2020-12 unless it says otherwise. References
// to other documents are refused, and never fetched.
func compileSchema(document any) (compiled *compiledSchema, err error) {
	defer func() {
		if recovered := recover(); recovered != nil {
			compiled, err = nil, fmt.Errorf("the schema cannot be compiled: %v", recovered)
		}
	}()
	data, err := schemaText(document)
	if err != nil {
		return nil, err
	}
	compiler := jsonschema.NewCompiler()
	compiler.Draft = jsonschema.Draft2020
	compiler.LoadURL = func(url string) (io.ReadCloser, error) {
		return nil, fmt.Errorf("the schema refers to another document, %s: only references within the schema are allowed", url)
	}
	if err := compiler.AddResource(schemaURL, bytes.NewReader(data)); err != nil {
		return nil, fmt.Errorf("the schema is not valid: %w", err)
	}
	schema, err := compiler.Compile(schemaURL)
	if err != nil {
		return nil, compileFault(err)
	}
	return &compiledSchema{schema, string(data)}, nil
}

func schemaText(document any) ([]byte, error) {
	data, err := json.Marshal(document)
	if err != nil {
		return nil, fmt.Errorf("the schema cannot be written as JSON: %w", err)
	}
	return data, nil
}

// compile compiles the schema, once as long as it stays the same: a definition is
// validated at every deployment.
func (s *FlowSchema) compile() (*compiledSchema, error) {
	data, err := schemaText(s.document())
	if err != nil {
		return nil, err
	}
	if known := s.compiled.Load(); known != nil && known.text == string(data) {
		return known, nil
	}
	compiled, err := compileSchema(json.RawMessage(data))
	if err == nil {
		s.compiled.Store(compiled)
	}
	return compiled, err
}

// compileFault says in one line why a schema did not compile.
func compileFault(err error) error {
	if failed, ok := errors.AsType[*jsonschema.SchemaError](err); ok {
		err = failed.Err
	}
	if invalid, ok := errors.AsType[*jsonschema.ValidationError](err); ok {
		err = errors.New(leaves(invalid))
	}
	return fmt.Errorf("the schema is not valid: %w", err)
}

// validate checks a value as it is decoded from JSON.
func (s *compiledSchema) validate(value any) error {
	err := s.schema.Validate(value)
	if invalid, ok := errors.AsType[*jsonschema.ValidationError](err); ok {
		return errors.New(leaves(invalid))
	}
	return err
}

// validateJSON checks a value in JSON.
func (s *compiledSchema) validateJSON(data []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return err
	}
	return s.validate(value)
}

// leaves lists what was wrong, each with its place in the value.
func leaves(err *jsonschema.ValidationError) string {
	if len(err.Causes) == 0 {
		if err.InstanceLocation == "" {
			return err.Message
		}
		return err.InstanceLocation + ": " + err.Message
	}
	texts := make([]string, len(err.Causes))
	for i, cause := range err.Causes {
		texts[i] = leaves(cause)
	}
	return strings.Join(texts, "; ")
}

// document is the schema as JSON Schema, with every keyword that counts for validation.
func (s *FlowSchema) document() map[string]any {
	properties := make(map[string]any, len(s.Properties))
	for name, property := range s.Properties {
		properties[name] = property.Document()
	}
	document := map[string]any{}
	maps.Copy(document, s.Keywords)
	document["type"], document["properties"] = "object", properties
	if len(s.Required) > 0 {
		document["required"] = s.Required
	}
	return document
}

// Document is the property as JSON Schema.
func (p SchemaProperty) Document() map[string]any {
	document := map[string]any{}
	maps.Copy(document, p.Keywords)
	if p.Description != "" {
		document["description"] = p.Description
	}
	if p.Type != "" {
		document["type"] = p.Type
	}
	return document
}
