package sluicetest_test

import (
	"context"
	"testing"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// acme is the registry of the pairs: as the integration calls its components and actions.
var acme = []sluice.ComponentManifest{
	{Name: "acme", Key: "acme-crm", Signature: "sig", Public: true, Actions: []sluice.ComponentAction{
		{ComponentEntry: sluice.ComponentEntry{Name: "create", Key: "createReal", Inputs: []sluice.ComponentInput{
			{Key: "type", Default: "Contact"},
			{Key: "fields", Collection: sluice.CollectionKeyValueList},
			{Key: "tags", Collection: sluice.CollectionValueList},
			{Key: "noDefault"},
		}}},
		{ComponentEntry: sluice.ComponentEntry{Name: "old"}},
	}},
	{Name: "priv", Key: "priv-key", Actions: []sluice.ComponentAction{{ComponentEntry: sluice.ComponentEntry{Key: "go"}}}},
}

// callAction calls the action of the input, and tells what its code was called with.
func callAction(t *testing.T, input map[string]any) (called any, err error) {
	t.Helper()
	name, _ := input["component"].(string)
	action, _ := input["action"].(string)
	var components []sluice.Component
	for _, manifest := range acme {
		component := sluice.Component{Key: manifest.Key, Actions: map[string]sluice.ActionFunc{}}
		for _, entry := range manifest.Actions {
			component.Actions[entry.EntryKey()] = func(_ context.Context, _ *sluice.Run, inputs sluice.Inputs) (any, error) {
				called = map[string]any{"params": inputs, "result": map[string]any{"data": "invoked"}}
				return "invoked", nil
			}
		}
		components = append(components, component)
	}
	flow := flow1(nil, func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		data, err := run.CallAction(ctx, name, action, object(input["values"]))
		return &sluice.Result{Data: data}, err
	})
	_, err = sluicetest.InvokeFlow(t, flow, sluicetest.InvokeOptions{
		Integration: &sluice.Integration{Name: "Integration 1", ComponentRegistry: acme},
		Runtime:     runtime.Options{Components: components},
	})
	return called, err
}

// convert completes an input of the collection with the value.
func convert(_ *testing.T, input map[string]any) (any, error) {
	collection, _ := input["collection"].(string)
	entry := sluice.ComponentEntry{Key: "entry", Inputs: []sluice.ComponentInput{{Key: "in", Collection: sluice.CollectionType(collection)}}}
	inputs, err := entry.Complete(sluice.Inputs{"in": input["value"]})
	return inputs["in"], err
}

var contextMirrors = map[string]mirror{
	"component action: given values win, keyvaluelist list untouched": callAction,
	"component action without key uses the registry key":              callAction,
	"private unsigned component: signature ''":                        callAction,
	"convertInputValue: string":                                       convert,
	"convertInputValue: list, keyvaluelist":                           convert,
	"convertInputValue: list, valuelist":                              convert,
	"convertInputValue: object, none":                                 convert,
}
