package sluice_test

import (
	"context"
	"encoding/json"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
)

type order struct {
	ID    string `json:"id" jsonschema:"number of the order"`
	Count int    `json:"count,omitempty"`
}

type receipt struct {
	Total float64 `json:"total"`
}

func bodyOf(v any) *sluice.TriggerPayload { return &sluice.TriggerPayload{Body: sluice.NewBody(v)} }

func TestDefineDecodesTheBodyAndReturnsTheData(t *testing.T) {
	t.Parallel()
	flow := sluice.Define(sluice.Flow{Name: "Create", StableKey: "create"},
		func(_ context.Context, _ *sluice.Run, in order) (receipt, error) {
			return receipt{Total: float64(in.Count) * 2}, nil
		})
	require.NoError(t, (&sluice.Integration{Name: "Orders", Flows: []sluice.Flow{flow.Flow}}).Validate())
	result, err := flow.OnExecution(t.Context(), &sluice.Run{Payload: bodyOf(map[string]any{"id": "1", "count": 3})})
	require.NoError(t, err)
	require.Equal(t, &sluice.Result{Data: receipt{Total: 6}}, result)
	require.Equal(t, sluice.SchemaProperty{Description: "number of the order", Type: "string"}, flow.Schemas.Invoke.Properties["id"])
	require.Equal(t, []string{"id"}, flow.Schemas.Invoke.Required)
	require.Equal(t, "number", flow.Schemas.Result.Properties["total"].Type)
}

func TestDefineRefusesABodyThatDoesNotFit(t *testing.T) {
	t.Parallel()
	flow := sluice.Define(sluice.Flow{Name: "Create"}, func(context.Context, *sluice.Run, order) (receipt, error) {
		return receipt{}, errors.New("not reached")
	})
	check, err := flow.InputCheck()
	require.NoError(t, err)
	wrong := bodyOf(map[string]any{"id": 5})
	var rejected *sluice.RejectError
	require.ErrorAs(t, check(wrong), &rejected)
	require.Equal(t, 400, rejected.StatusCode)
	_, err = flow.OnExecution(t.Context(), &sluice.Run{Payload: wrong})
	require.ErrorAs(t, err, &rejected)
	require.NoError(t, check(bodyOf(map[string]any{"id": "5", "more": 1})))
	require.ErrorContains(t, check(&sluice.TriggerPayload{}), "The body is empty: the flow's input needs")
	require.Error(t, check(nil))
}

func TestReplySetsStatusAndHeaders(t *testing.T) {
	t.Parallel()
	flow := sluice.Define(sluice.Flow{Name: "Create"}, func(_ context.Context, _ *sluice.Run, in order) (sluice.Reply[receipt], error) {
		return sluice.Reply[receipt]{Data: receipt{Total: 1}, StatusCode: 201, Headers: map[string]string{"X-Id": in.ID}, ContentType: "application/json"}, nil
	})
	result, err := flow.OnExecution(t.Context(), &sluice.Run{Payload: bodyOf(order{ID: "7"})})
	require.NoError(t, err)
	require.Equal(t, &sluice.Result{Data: receipt{Total: 1}, StatusCode: 201, Headers: map[string]string{"X-Id": "7"}, ContentType: "application/json"}, result)
	require.Contains(t, flow.Schemas.Result.Properties, "total")
}

func TestDefineReportsItsFaultsWhenValidated(t *testing.T) {
	t.Parallel()
	both := sluice.Define(sluice.Flow{Name: "A", StableKey: "a", OnExecution: noExecution},
		func(context.Context, *sluice.Run, any) (any, error) { return nil, nil })
	none := sluice.Define[any, any](sluice.Flow{Name: "B", StableKey: "b"}, nil)
	err := (&sluice.Integration{Name: "I", Flows: []sluice.Flow{both.Flow, none.Flow}}).Validate()
	require.ErrorContains(t, err, "flows[0].onExecution: Define sets OnExecution")
	require.ErrorContains(t, err, "flows[1].onExecution: a function is required")
	require.Nil(t, both.Schemas, "any is no object")
}

func TestAFlowErrorIsPassedOn(t *testing.T) {
	t.Parallel()
	failure := errors.New("no stock")
	flow := sluice.Define(sluice.Flow{}, func(context.Context, *sluice.Run, order) (receipt, error) { return receipt{}, failure })
	_, err := flow.OnExecution(t.Context(), &sluice.Run{})
	require.ErrorIs(t, err, failure)
}

func TestInputCheckUsesTheSchemaWrittenByHand(t *testing.T) {
	t.Parallel()
	flow := sluice.Flow{Name: "Search", Schemas: &sluice.FlowSchemas{Invoke: &sluice.FlowSchema{
		Properties: map[string]sluice.SchemaProperty{"limit": {Description: "How many", Type: "integer", Keywords: map[string]any{"maximum": 10}}},
		Required:   []string{"limit"}, Keywords: map[string]any{"additionalProperties": false},
	}}}
	check, err := flow.InputCheck()
	require.NoError(t, err)
	require.NoError(t, check(bodyOf(map[string]any{"limit": json.Number("10")})))
	for body, want := range map[string]string{
		`{}`: "missing properties: 'limit'", `{"limit":11}`: "/limit: must be <= 10", `{"limit":1,"x":1}`: "additionalProperties 'x' not allowed", `[]`: "expected object",
	} {
		var value any
		require.NoError(t, json.Unmarshal([]byte(body), &value))
		var rejected *sluice.RejectError
		require.ErrorAs(t, check(bodyOf(value)), &rejected)
		require.Contains(t, rejected.Message, want)
	}
	flow.Schemas.Invoke.Keywords = map[string]any{"type": 5, "allOf": 1}
	_, err = flow.InputCheck()
	require.ErrorContains(t, err, `flow "Search": invoke: the schema is not valid`)
}

func TestSchemasDoNotLeaveTheirDocument(t *testing.T) {
	t.Parallel()
	for _, reference := range []string{"http://127.0.0.1:1/a.json", "https://example.com/a", "file:///etc/passwd", "other.json", "urn:x"} {
		flow := sluice.Flow{Schemas: &sluice.FlowSchemas{Invoke: &sluice.FlowSchema{Keywords: map[string]any{"$ref": reference}}}}
		_, err := flow.InputCheck()
		require.ErrorContains(t, err, "only references within the schema are allowed", reference)
	}
	within := sluice.Flow{Schemas: &sluice.FlowSchemas{Invoke: &sluice.FlowSchema{
		Properties: map[string]sluice.SchemaProperty{"a": {Keywords: map[string]any{"$ref": "#/$defs/a"}}},
		Keywords:   map[string]any{"$defs": map[string]any{"a": map[string]any{"type": "string"}}},
	}}}
	check, err := within.InputCheck()
	require.NoError(t, err)
	require.Error(t, check(bodyOf(map[string]any{"a": 1.0})))
}

type tolerant struct{ value any }

func (t *tolerant) UnmarshalJSON(data []byte) error { return json.Unmarshal(data, &t.value) }

type level int

func (l *level) UnmarshalText([]byte) error { *l = 1; return nil }

type everything struct {
	Name    string            `json:"name"`
	Number  json.Number       `json:"number,omitempty"`
	Raw     json.RawMessage   `json:"raw,omitempty"`
	Any     any               `json:"any,omitempty"`
	Custom  tolerant          `json:"custom,omitzero"`
	Level   level             `json:"level,omitempty"`
	When    time.Time         `json:"when,omitzero"`
	Big     *big.Int          `json:"big,omitempty"`
	List    []order           `json:"list,omitempty"`
	Map     map[string]order  `json:"map,omitempty"`
	Pointer *order            `json:"pointer,omitempty"`
	Labels  map[string]string `json:"-"`
}

// TestDerivedSchemasTakeWhatDecodes holds a derived schema to bodies that decoding takes.
func TestDerivedSchemasTakeWhatDecodes(t *testing.T) {
	t.Parallel()
	schema, err := sluice.SchemaFor[everything]()
	require.NoError(t, err)
	require.NotContains(t, schema.Properties, "Labels")
	for name, property := range schema.Properties {
		property.Description = name
		schema.Properties[name] = property
	}
	byHand := &sluice.FlowSchema{Properties: schema.Properties, Required: schema.Required}
	flow := sluice.Flow{Schemas: &sluice.FlowSchemas{Invoke: byHand}}
	check, err := flow.InputCheck()
	require.NoError(t, err)
	for _, body := range []string{
		`{"name":"n"}`, `{"name":"n","more":1}`, `{"name":"n","number":1.5,"raw":{"a":[1]},"any":null}`,
		`{"name":"n","custom":"anything"}`, `{"name":"n","custom":{"x":1}}`, `{"name":"n","level":"high"}`,
		`{"name":"n","when":"2024-02-29T12:00:00Z"}`, `{"name":"n","list":[{"id":"1","more":true}],"map":{"a":{"id":"1"}}}`,
		`{"name":"n","list":null,"pointer":null}`,
	} {
		require.NoError(t, json.Unmarshal([]byte(body), new(everything)), body)
		var value any
		require.NoError(t, json.Unmarshal([]byte(body), &value))
		require.NoError(t, check(bodyOf(value)), body)
	}
	require.Error(t, check(bodyOf(map[string]any{})), "name is required")
}

type node struct {
	Next *node `json:"next"`
}

func TestNoSchemaForTypesThatAreNoObject(t *testing.T) {
	t.Parallel()
	for name, derive := range map[string]func() (*sluice.FlowSchema, error){
		"a list": sluice.SchemaFor[[]order], "a text": sluice.SchemaFor[string], "anything": sluice.SchemaFor[any],
		"a map": sluice.SchemaFor[map[string]any], "a function": sluice.SchemaFor[func()], "itself": sluice.SchemaFor[node],
		"a time": sluice.SchemaFor[time.Time], "its own decoding": sluice.SchemaFor[tolerant],
	} {
		_, err := derive()
		require.ErrorContains(t, err, "no schema for", name)
	}
}
