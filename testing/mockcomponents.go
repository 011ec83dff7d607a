package sluicetest

import (
	"context"

	"github.com/sluice-go/sluice"
)

// MockActions are actions in place of those of a registry: by the component's name, then by the
// action's, as the integration calls them.
type MockActions map[string]map[string]sluice.ActionFunc

// CreateMockContextComponents is spectral's createMockContextComponents: code for the components
// of a registry, for Options.Components. An action returns its ExamplePayload, or else an object
// whose data is null; mocks take the place of some. Triggers pass the payload on unchanged, as
// where spectral's invokeFlow calls none.
func CreateMockContextComponents(registry []sluice.ComponentManifest, mocks MockActions) []sluice.Component {
	components := make([]sluice.Component, 0, len(registry))
	for _, manifest := range registry {
		component := sluice.Component{
			Key: manifest.Key, Actions: map[string]sluice.ActionFunc{}, Triggers: map[string]sluice.TriggerDefinition{},
		}
		for _, action := range manifest.Actions {
			component.Actions[action.EntryKey()] = exampleAction(action.ExamplePayload)
			mock, ok := mocks[orElse(manifest.Name, manifest.Key)][orElse(action.Name, action.Key)]
			if ok {
				component.Actions[action.EntryKey()] = mock
			}
		}
		for _, trigger := range manifest.Triggers {
			component.Triggers[trigger.EntryKey()] = sluice.TriggerDefinition{Perform: passOn}
		}
		components = append(components, component)
	}
	return components
}

func exampleAction(payload any) sluice.ActionFunc {
	if payload == nil {
		payload = map[string]any{"data": nil}
	}
	return func(context.Context, *sluice.Run, sluice.Inputs) (any, error) { return payload, nil }
}

func passOn(context.Context, *sluice.Run, *sluice.TriggerPayload, sluice.Inputs) (*sluice.TriggerResult, error) {
	return nil, nil
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
