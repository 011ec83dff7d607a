package sluice

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
)

// FlowOf is a [Flow] whose input and output have Go types. Make it with [Define] and list
// its Flow: Flows: []sluice.Flow{orders.Flow}.
type FlowOf[In, Out any] struct {
	Flow
}

// Define gives a flow a typed function in place of OnExecution: the body of the payload is
// decoded into In, and Out is the result's data. Out may be a [Reply], which sets the
// status and the headers of the answer as well. A body that does not fit In is the
// caller's fault, answered with 400 (see [Flow.InputCheck]); so is an empty body, or a form
// without a required field, where In is a struct with fields that are not omitempty or
// omitzero. A flow without Schemas gets those of In and Out, where they are structs (see
// [SchemaFor]).
func Define[In, Out any](flow Flow, execute func(ctx context.Context, run *Run, in In) (Out, error)) FlowOf[In, Out] {
	if flow.OnExecution != nil {
		flow.fault = "Define sets OnExecution: leave it out"
	}
	flow.OnExecution = nil
	if execute != nil {
		flow.OnExecution = func(ctx context.Context, run *Run) (*Result, error) {
			in, err := decodeInput[In](run.Payload)
			if err != nil {
				return nil, err
			}
			out, err := execute(ctx, run, in)
			if err != nil {
				return nil, err
			}
			return resultOf(out), nil
		}
	}
	flow.decodes = func(payload *TriggerPayload) error {
		_, err := decodeInput[In](payload)
		return err
	}
	if flow.Schemas == nil {
		flow.Schemas = schemasFor[In, Out]()
	}
	return FlowOf[In, Out]{Flow: flow}
}

// Reply is a result with the status and headers of its answer, for use as the Out of
// [Define].
type Reply[T any] struct {
	// Data is the result.
	Data T
	// StatusCode of the answer to a synchronous caller; 200 by default.
	StatusCode int
	// Headers of the answer to a synchronous caller.
	Headers map[string]string
	// ContentType of the answer to a synchronous caller; application/json by default.
	ContentType string
}

// replier is a [Reply] of any type.
type replier interface {
	result() *Result
	dataType() reflect.Type
}

func (r Reply[T]) result() *Result {
	return &Result{Data: r.Data, ContentType: r.ContentType, StatusCode: r.StatusCode, Headers: r.Headers}
}

func (Reply[T]) dataType() reflect.Type { return reflect.TypeFor[T]() }

func resultOf(out any) *Result {
	if reply, ok := out.(replier); ok && !isNil(out) {
		return reply.result()
	}
	return &Result{Data: out}
}

func decodeInput[In any](payload *TriggerPayload) (In, error) {
	var in In
	if payload == nil {
		return in, nil
	}
	if err := payload.Body.Decode(&in); err != nil {
		return in, Reject(http.StatusBadRequest, fmt.Sprintf("The body does not fit the flow's input: %v", err))
	}
	return in, nil
}

// schemasFor derives the schemas of a typed flow; nil when In is no struct.
func schemasFor[In, Out any]() *FlowSchemas {
	invoke, err := SchemaFor[In]()
	if err != nil {
		return nil
	}
	var out Out
	outType := reflect.TypeFor[Out]()
	if reply, ok := any(out).(replier); ok && !isNil(reply) {
		outType = reply.dataType()
	}
	result, err := schemaFor(outType)
	if err != nil {
		return &FlowSchemas{Invoke: invoke}
	}
	return &FlowSchemas{Invoke: invoke, Result: result}
}

// InputCheck compiles what the flow asks of the bodies that callers send, and returns the
// check: a body must fit the flow's schema Invoke, if one is written by hand, and the
// input type of a typed flow. Schemas that were derived are not checked beside the type:
// decoding decides, without a generic tree of the body. The check returns nil or a
// [*RejectError] with status 400, and is safe for concurrent use. InputCheck fails when
// the schema is not valid.
func (f *Flow) InputCheck() (check func(payload *TriggerPayload) error, err error) {
	var schema *compiledSchema
	if f.Schemas != nil && f.Schemas.Invoke != nil && !f.Schemas.Invoke.derived {
		if schema, err = f.Schemas.Invoke.compile(); err != nil {
			return nil, fmt.Errorf("sluice: flow %q: invoke: %w", f.Name, err)
		}
	}
	var required []string
	if schema == nil && f.Schemas != nil && f.Schemas.Invoke != nil {
		required = f.Schemas.Invoke.Required
	}
	decodes := f.decodes
	return func(payload *TriggerPayload) error {
		if payload == nil {
			return errors.New("sluice: there is no payload to check")
		}
		if schema != nil {
			if err := schema.validate(payload.Body.Data()); err != nil {
				return Reject(http.StatusBadRequest, fmt.Sprintf("The body does not fit the flow's schema: %v", err))
			}
		}
		if err := payload.Body.requireFields(required); err != nil {
			return err
		}
		if decodes != nil {
			return decodes(payload)
		}
		return nil
	}, nil
}

// requireFields refuses a body that says nothing of the fields, which are required: an empty
// one, such as that of a GET request, and a form, which is what a JSON text is taken for that
// came without its content type.
func (b Body) requireFields(required []string) error {
	if len(required) == 0 {
		return nil
	}
	if b.IsEmpty() {
		return Reject(http.StatusBadRequest, fmt.Sprintf("The body is empty: the flow's input needs %s.", strings.Join(required, ", ")))
	}
	if b.state.kind != kindForm {
		return nil
	}
	fields, _ := b.Data().(map[string]any)
	for _, name := range required {
		if _, ok := fields[name]; !ok {
			return Reject(http.StatusBadRequest, fmt.Sprintf("The form has no field %s. Is it JSON, sent without Content-Type: application/json?", name))
		}
	}
	return nil
}
