package runtime_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// shopManifest is what the platform knows of a component.
var shopManifest = sluice.ComponentManifest{
	Key: "acme-shop", Name: "shop",
	Triggers: []sluice.ComponentEntry{{Key: "order-webhook", Name: "orders", Inputs: []sluice.ComponentInput{
		{Key: "topic", Default: "orders/new"},
		{Key: "url", Required: true},
		{Key: "region"},
		{Key: "open", Default: "default"},
		{Key: "tags", Collection: sluice.CollectionKeyValueList},
	}}},
	Actions: []sluice.ComponentAction{{ComponentEntry: sluice.ComponentEntry{Key: "greet", Inputs: []sluice.ComponentInput{
		{Key: "name", Required: true}, {Key: "greeting", Default: "Hello"},
	}}}},
}

// webshop is the component's code, which notes what is called.
type webshop struct {
	mu    sync.Mutex
	notes []string
	fail  map[string]error
}

func (s *webshop) note(text string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notes = append(s.notes, text)
	return s.fail[text]
}

func (s *webshop) component() sluice.Component {
	hook := func(name string) sluice.ComponentLifecycleFunc {
		return func(_ context.Context, _ *sluice.Run, inputs sluice.Inputs) (*sluice.LifecycleResult, error) {
			return nil, s.note(fmt.Sprintf("component %s %v", name, inputs["url"]))
		}
	}
	return sluice.Component{
		Key: "acme-shop",
		Triggers: map[string]sluice.TriggerDefinition{"order-webhook": {
			Perform: func(_ context.Context, _ *sluice.Run, payload *sluice.TriggerPayload, inputs sluice.Inputs) (*sluice.TriggerResult, error) {
				if payload.Headers.Get("x-topic") == "other" {
					return nil, sluice.Reject(http.StatusUnprocessableEntity, fmt.Sprintf("not %v", inputs["topic"]))
				}
				changed := *payload
				changed.Body = sluice.NewBody(inputs)
				return &sluice.TriggerResult{Payload: &changed}, nil
			},
			OnDeployTrigger: func(_ context.Context, _ *sluice.Run, payload *sluice.TriggerPayload, inputs sluice.Inputs) (*sluice.TriggerResult, error) {
				changed := *payload
				changed.Body = sluice.NewBody(map[string]any{"all orders of": inputs["url"]})
				return &sluice.TriggerResult{Payload: &changed}, nil
			},
			OnInstanceDeploy:         hook("deploy"),
			OnInstanceDelete:         hook("delete"),
			WebhookLifecycleHandlers: &sluice.ComponentWebhookLifecycleHandlers{Create: hook("up"), Delete: hook("down")},
		}},
		Actions: map[string]sluice.ActionFunc{
			"greet": func(_ context.Context, run *sluice.Run, inputs sluice.Inputs) (any, error) {
				return fmt.Sprintf("%v, %v from %s!", inputs["greeting"], inputs["name"], region.Get(run)), nil
			},
		},
	}
}

func (s *webshop) integration(change ...func(*sluice.Integration)) *sluice.Integration {
	hook := func(name string) sluice.LifecycleFunc {
		return func(context.Context, *sluice.Run) (*sluice.LifecycleResult, error) {
			return nil, s.note("flow " + name)
		}
	}
	integration := &sluice.Integration{
		Name:              "Shop",
		ComponentRegistry: []sluice.ComponentManifest{shopManifest},
		ConfigPages:       []sluice.ConfigPage{{Name: "Setup", Elements: []sluice.ConfigElement{region}}},
		Flows: []sluice.Flow{{
			Name: "Orders", StableKey: "orders", IsSynchronous: true,
			Trigger: sluice.ComponentTrigger{Component: "shop", Key: "orders", Values: map[string]sluice.InputExpression{
				"url":    sluice.TemplateExpression{Template: "https://{{#Region}}.example.com"},
				"region": &sluice.ConfigVarExpression{ConfigVar: "Region"},
				"open":   sluice.OpenExpression{},
				"tags":   sluice.ValueExpression{Value: map[string]any{"b": 2, "a": 1}},
			}},
			OnExecution: func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
				return &sluice.Result{Data: run.Payload.Body.Data()}, nil
			},
			OnInstanceDeploy:         hook("deploy"),
			OnInstanceDelete:         hook("delete"),
			WebhookLifecycleHandlers: &sluice.WebhookLifecycleHandlers{Create: hook("up"), Delete: hook("down")},
		}, {
			Name: "Greet", StableKey: "greet", IsSynchronous: true,
			OnExecution: func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
				greeting, err := sluice.Step(ctx, "greet", func(ctx context.Context) (any, error) {
					return run.CallAction(ctx, "shop", "greet", sluice.Inputs{"name": run.Payload.Body.Data()})
				})
				return &sluice.Result{Data: greeting}, err
			},
		}},
	}
	for _, c := range change {
		c(integration)
	}
	return integration
}

func (s *webshop) run(t *testing.T, test func(t *testing.T, h *sluicetest.Harness), change ...func(*sluice.Integration)) {
	t.Helper()
	sluicetest.RunOptions(t, sluicetest.Options{Runtime: runtime.Options{
		Integrations: []*sluice.Integration{s.integration(change...)}, Components: []sluice.Component{s.component()},
	}}, test)
}

func TestAComponentsTriggerStartsTheFlow(t *testing.T) {
	t.Parallel()
	s := &webshop{}
	s.run(t, func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		require.JSONEq(t, `{"topic":"orders/new","url":"https://eu.example.com","region":"eu","tags":[{"key":"a","value":1},{"key":"b","value":2}]}`,
			h.Post("Orders", "{}").Text)
		refused := h.Post("Orders", "{}", "x-topic", "other")
		require.Equal(t, http.StatusUnprocessableEntity, refused.StatusCode)
		require.JSONEq(t, `{"error":"not orders/new"}`, refused.Text)
		require.Equal(t, `"Hello, Ada from eu!"`, h.Post("Greet", `"Ada"`).Text)
	})
}

// TestInputsAreTheCallsOwn: what a component does to lists and maps of its inputs, the next
// call does not see, nor another customer.
func TestInputsAreTheCallsOwn(t *testing.T) {
	t.Parallel()
	spoil := func(inputs sluice.Inputs) string {
		seen := fmt.Sprint(inputs)
		for _, input := range inputs {
			switch input := input.(type) {
			case []string:
				input[0] = "spoilt"
			case map[string][]string:
				input["list"][0] = "spoilt"
			case []sluice.KeyValue[any]:
				if value, ok := input[0].Value.(map[string]any); ok {
					value["spoilt"] = true
				}
			}
		}
		return seen
	}
	tags := sluice.ValueListVar[string]{Element: sluice.StringVar{Key: "Tags", StableKey: "tags"}}
	entry := sluice.ComponentEntry{Key: "e", Inputs: []sluice.ComponentInput{
		{Key: "default", Default: []string{"a"}},
		{Key: "map", Default: map[string][]string{"list": {"a"}}},
		{Key: "pairs", Collection: sluice.CollectionKeyValueList, Default: []sluice.KeyValue[any]{{Key: "k", Value: map[string]any{}}}},
		{Key: "value"},
		{Key: "config"},
	}}
	component := sluice.Component{
		Key: "c",
		Triggers: map[string]sluice.TriggerDefinition{"e": {
			Perform: func(_ context.Context, _ *sluice.Run, payload *sluice.TriggerPayload, inputs sluice.Inputs) (*sluice.TriggerResult, error) {
				payload.Body = sluice.NewBody(spoil(inputs))
				return nil, nil
			},
		}},
		Actions: map[string]sluice.ActionFunc{"e": func(_ context.Context, _ *sluice.Run, inputs sluice.Inputs) (any, error) {
			return spoil(inputs), nil
		}},
	}
	integration := integrationOf(func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		action, err := run.CallAction(ctx, "c", "e", nil)
		return &sluice.Result{Data: []any{run.Payload.Body.Data(), action}}, err
	}, synchronous, func(f *sluice.Flow) {
		f.Trigger = sluice.ComponentTrigger{Component: "c", Key: "e", Values: map[string]sluice.InputExpression{
			"value": sluice.ValueExpression{Value: []string{"a"}}, "config": sluice.ConfigVarExpression{ConfigVar: "Tags"},
		}}
	})
	integration.ConfigPages = []sluice.ConfigPage{{Name: "Setup", Elements: []sluice.ConfigElement{tags}}}
	integration.ComponentRegistry = []sluice.ComponentManifest{{
		Key: "c", Triggers: []sluice.ComponentEntry{entry}, Actions: []sluice.ComponentAction{{ComponentEntry: entry}},
	}}
	sluicetest.RunOptions(t, sluicetest.Options{Runtime: runtime.Options{
		Integrations: []*sluice.Integration{integration}, Components: []sluice.Component{component},
	}}, func(t *testing.T, h *sluicetest.Harness) {
		var first string
		for _, customer := range []string{"a", "b"} {
			h.Deploy(runtime.Deployment{Customer: runtime.Customer{ExternalID: customer}, Config: map[string]any{"Tags": []string{"a"}}})
			for range 2 {
				answer := h.Post("Flow", "{}").Text
				if first == "" {
					first = answer
				}
				require.NotContains(t, answer, "spoilt")
				require.Equal(t, first, answer)
			}
		}
		require.Contains(t, first, "config:[a]")
	})
}

func TestAComponentsHooksComeFirst(t *testing.T) {
	t.Parallel()
	s := &webshop{}
	s.run(t, func(t *testing.T, h *sluicetest.Harness) {
		instance := h.Deploy(runtime.Deployment{Config: map[string]any{"Region": "us"}})
		require.Equal(t, []string{
			"component deploy https://us.example.com", "flow deploy", "component up https://us.example.com", "flow up",
		}, s.notes)
		require.Len(t, h.Executions(), 4)
		s.notes, s.fail = nil, map[string]error{"flow up": errors.New("down")}
		_, err := h.Runtime.Deploy(t.Context(), runtime.Deployment{Config: map[string]any{"Region": "eu"}})
		require.ErrorContains(t, err, "webhookCreate: down")
		require.Equal(t, []string{
			"component deploy https://eu.example.com", "flow deploy", "component up https://eu.example.com", "flow up",
			"component down https://eu.example.com", "component up https://us.example.com",
		}, s.notes, "only what was put up is taken down")
		s.notes = nil
		require.NoError(t, h.Runtime.Delete(t.Context(), instance.ID))
		require.Equal(t, []string{
			"component down https://us.example.com", "flow down", "component delete https://us.example.com", "flow delete",
		}, s.notes)
	})
}

// TestAComponentsTriggerPolls: what a schedule brings about is the trigger's to see.
func TestAComponentsTriggerPolls(t *testing.T) {
	t.Parallel()
	s := &webshop{}
	s.run(t, func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		h.Advance(90 * time.Minute)
		polls, err := h.Runtime.Executions(t.Context(), store.Filter{InvokeType: string(sluice.InvokePoll)}, "", 10)
		require.NoError(t, err)
		require.Len(t, polls, 1)
		require.Equal(t, store.StatusSucceeded, polls[0].Status, polls[0].Error)
		require.Contains(t, string(polls[0].Result.Data), "https://eu.example.com")
	}, func(i *sluice.Integration) {
		i.Flows[0].TriggerType, i.Flows[0].Schedule = sluice.TriggerTypePolling, &sluice.Schedule{Value: "0 * * * *"}
		i.Flows[0].IsSynchronous = false
	})
}

func TestAComponentsInitialSyncRunsOnFirstDeployment(t *testing.T) {
	t.Parallel()
	s := &webshop{}
	s.run(t, func(t *testing.T, h *sluicetest.Harness) {
		for range 2 {
			h.Deploy(runtime.Deployment{})
			h.Drain()
		}
		syncs := h.Find(store.Filter{InvokeType: string(sluice.InvokeDeploy)})
		require.Len(t, syncs, 1)
		syncs[0].RequireResult(map[string]any{"all orders of": "https://eu.example.com"})
	}, func(i *sluice.Integration) { i.Flows[0].RunInitialSyncOnDeploy = true })
}

// TestWhatIsMissingOfComponentsIsReportedAtOnce.
func TestWhatIsMissingOfComponentsIsReportedAtOnce(t *testing.T) {
	t.Parallel()
	s := &webshop{}
	other := shopManifest
	other.Key, other.Name = "other", "other"
	bare := shopManifest
	bare.Key, bare.Name = "bare", "bare"
	_, err := runtime.New(t.Context(), runtime.Options{
		Integrations: []*sluice.Integration{s.integration(func(i *sluice.Integration) {
			i.ComponentRegistry = append(i.ComponentRegistry, other, bare)
			second := i.Flows[0]
			second.Name, second.StableKey = "Second", "second"
			second.Trigger = sluice.ComponentTrigger{Component: "other", Key: "orders"}
			third := i.Flows[0]
			third.Name, third.StableKey, third.RunInitialSyncOnDeploy = "Third", "third", true
			third.Trigger = sluice.ComponentTrigger{Component: "bare", Key: "orders"}
			i.Flows = append(i.Flows, second, third)
		})},
		Components: []sluice.Component{
			{Key: "half", Triggers: map[string]sluice.TriggerDefinition{"x": {}}},
			{Key: "bare", Triggers: map[string]sluice.TriggerDefinition{"order-webhook": {Perform: s.component().Triggers["order-webhook"].Perform}}},
		},
		Database: ":memory:",
	})
	for _, want := range []string{
		`flows[0].trigger: trigger "order-webhook" of component "acme-shop" has no code`,
		`flows[2].trigger: trigger "order-webhook" of component "other" has no code`,
		`flows[3].runInitialSyncOnDeploy: trigger "order-webhook" of component "bare" has no initial sync`,
		`component "half": trigger "x" has no Perform`,
	} {
		require.ErrorContains(t, err, want)
	}
	s.run(t, func(t *testing.T, h *sluicetest.Harness) {
		_, err := h.Runtime.Deploy(t.Context(), runtime.Deployment{})
		require.ErrorContains(t, err, `flow "Orders": trigger: input "url" is required and has no value`)
		require.Empty(t, s.notes)
	}, func(i *sluice.Integration) {
		i.Flows[0].Trigger = sluice.ComponentTrigger{Component: "shop", Key: "orders"}
	})
}

func TestActionsThatCannotBeCalled(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		component, action string
		inputs            sluice.Inputs
		want              string
	}{
		"no component": {"store", "greet", nil, `component "store" is not in the registry`},
		"no action":    {"shop", "shout", nil, `component "shop" has no action "shout"`},
		"no value":     {"shop", "greet", nil, `input "name" is required and has no value`},
		"no input":     {"shop", "greet", sluice.Inputs{"name": "x", "nom": 1}, `there is no input "nom"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &webshop{}
			s.run(t, func(t *testing.T, h *sluicetest.Harness) {
				h.Deploy(runtime.Deployment{})
				response := h.Post("Greet", "{}")
				require.Equal(t, http.StatusBadRequest, response.StatusCode)
				require.Contains(t, errorText(t, response), test.want)
			}, func(i *sluice.Integration) {
				i.Flows[1].OnExecution = func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
					_, err := run.CallAction(ctx, test.component, test.action, test.inputs)
					return nil, err
				}
			})
		})
	}
}

// errorText is the error in an answer.
func errorText(t *testing.T, response *sluicetest.Response) string {
	t.Helper()
	var body struct{ Error string }
	require.NoError(t, json.Unmarshal([]byte(response.Text), &body))
	return body.Error
}
