package sluice

import "sync/atomic"

// DefaultJSONSchemaVersion is the dialect of flow schemas.
const DefaultJSONSchemaVersion = "https://json-schema.org/draft/2020-12/schema"

// FlowSchemas describe what a flow takes and returns.
type FlowSchemas struct {
	// Invoke describes the body. Required.
	Invoke *FlowSchema
	// Result describes the data of the result; nil leaves it open.
	Result *FlowSchema
	// Others are further schemas by name, for readers of the manifest.
	Others map[string]*FlowSchema
}

// FlowSchema is the JSON Schema of an object. Do not copy one that is in use.
type FlowSchema struct {
	// Title defaults to the flow's stable key and the schema's name: orders-invoke.
	Title string
	// Comment is JSON Schema's $comment.
	Comment string
	// Schema is JSON Schema's $schema; [DefaultJSONSchemaVersion] by default. It is for
	// readers of the manifest: Sluice validates by draft 2020-12.
	Schema string
	// Properties of the object, by name.
	Properties map[string]SchemaProperty
	// Required are the names of the properties that must be there.
	Required []string
	// Keywords are further keywords of the object, such as additionalProperties. They
	// count when input is validated; the manifest leaves them out, as spectral does.
	Keywords map[string]any

	derived  bool
	compiled atomic.Pointer[compiledSchema]
}

// SchemaProperty is the JSON Schema of a property.
type SchemaProperty struct {
	// Description tells people and agents what the property is. Required in schemas
	// written by hand and in those of agent flows.
	Description string
	// Type is a type of JSON Schema, such as string.
	Type string
	// Keywords are further keywords of JSON Schema, such as items or enum.
	Keywords map[string]any
}
