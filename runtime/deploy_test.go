package runtime_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	sluicetest "github.com/sluice-go/sluice/testing"
)

var region = sluice.StringVar{Key: "Region", StableKey: "region", Default: "eu"}

// hooked is an integration that notes the hooks that run.
func hooked(version string, notes *[]string, fail *error) *sluice.Integration {
	note := func(name string) sluice.LifecycleFunc {
		return func(_ context.Context, run *sluice.Run) (*sluice.LifecycleResult, error) {
			*notes = append(*notes, name+" "+region.Get(run))
			if name == "second" {
				return nil, *fail
			}
			return nil, nil
		}
	}
	flow := func(name string) sluice.Flow {
		return sluice.Flow{
			Name: name, StableKey: name, IsSynchronous: true,
			OnInstanceDeploy: note(name),
			OnTrigger: func(context.Context, *sluice.Run, *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
				return nil, nil
			},
			OnExecution: func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
				return &sluice.Result{Data: region.Get(run)}, nil
			},
		}
	}
	second := flow("second")
	second.WebhookLifecycleHandlers = &sluice.WebhookLifecycleHandlers{Create: note("webhook"), Delete: note("webhook down")}
	return &sluice.Integration{
		Name: "Hooked", Version: version, Flows: []sluice.Flow{flow("first"), second},
		ConfigPages: []sluice.ConfigPage{{Name: "Setup", Elements: []sluice.ConfigElement{region}}},
	}
}

func TestDeployRunsHooksOnlyWhenSomethingChanged(t *testing.T) {
	t.Parallel()
	var notes []string
	var fail error
	deployed := func(t *testing.T, h *sluicetest.Harness, config map[string]any, want ...string) *runtime.Instance {
		t.Helper()
		notes = nil
		instance := h.Deploy(runtime.Deployment{Config: config})
		require.Equal(t, want, notes)
		return instance
	}
	sluicetest.Run(t, hooked("1", &notes, &fail), func(t *testing.T, h *sluicetest.Harness) {
		first := deployed(t, h, nil, "first eu", "second eu", "webhook eu")
		require.Equal(t, `"eu"`, h.Post("first", "{}").Text)
		again := deployed(t, h, nil)
		require.Equal(t, first, again, "an unchanged deployment keeps its id and URLs")
		changed := deployed(t, h, map[string]any{"Region": "us"}, "first us", "second us", "webhook us")
		require.Equal(t, first.WebhookURLs, changed.WebhookURLs, "URLs survive a new configuration")
		require.Equal(t, `"us"`, h.Post("first", "{}").Text)

		fail = errors.New("the partner is down")
		_, err := h.Runtime.Deploy(t.Context(), runtime.Deployment{Config: map[string]any{"Region": "ap"}})
		require.ErrorContains(t, err, `flow "second": onInstanceDeploy: the partner is down`)
		require.Equal(t, `"us"`, h.Post("first", "{}").Text, "the previous deployment is back")
		fail = nil
		deployed(t, h, map[string]any{"Region": "ap"}, "first ap", "second ap", "webhook ap")
	})
}

func TestFirstDeploymentThatFailsServesNothing(t *testing.T) {
	t.Parallel()
	var notes []string
	fail := errors.New("down")
	sluicetest.Run(t, hooked("1", &notes, &fail), func(t *testing.T, h *sluicetest.Harness) {
		_, err := h.Runtime.Deploy(t.Context(), runtime.Deployment{})
		require.Error(t, err)
		fail, notes = nil, nil
		h.Deploy(runtime.Deployment{})
		require.Equal(t, []string{"first eu", "second eu", "webhook eu"}, notes, "every hook runs again")
		require.Equal(t, http.StatusOK, h.Post("first", "{}").StatusCode)
	})
}

func TestDeployAtEveryStart(t *testing.T) {
	t.Parallel()
	var notes []string
	var fail error
	path := filepath.Join(t.TempDir(), "deploy.db")
	for _, start := range []struct {
		version string
		hooks   int
	}{{"1", 3}, {"1", 0}, {"2", 3}, {"2", 0}} {
		notes = nil
		rt := open(t, path, hooked(start.version, &notes, &fail))
		require.Len(t, notes, start.hooks, "version %s", start.version)
		require.NoError(t, rt.Stop(t.Context()))
	}
}

func TestDeployRefusesWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	var notes []string
	var fail error
	sluicetest.Run(t, hooked("1", &notes, &fail), func(t *testing.T, h *sluicetest.Harness) {
		for want, deployment := range map[string]runtime.Deployment{
			"Region":         {Config: map[string]any{"Region": 7}},
			"Regoin":         {Config: map[string]any{"Regoin": "eu"}},
			`"Other" is not`: {Integration: "Other"},
		} {
			_, err := h.Runtime.Deploy(t.Context(), deployment)
			require.ErrorContains(t, err, want)
		}
		require.Empty(t, notes)
	})
}

func TestCustomersDoNotShareInstances(t *testing.T) {
	t.Parallel()
	var notes []string
	var fail error
	sluicetest.Run(t, hooked("1", &notes, &fail), func(t *testing.T, h *sluicetest.Harness) {
		one := h.Deploy(runtime.Deployment{Customer: runtime.Customer{ExternalID: "1"}, Config: map[string]any{"Region": "eu"}})
		require.Equal(t, `"eu"`, h.Post("first", "{}").Text)
		two := h.Deploy(runtime.Deployment{Customer: runtime.Customer{ExternalID: "2"}, Config: map[string]any{"Region": "us"}})
		require.Equal(t, `"us"`, h.Post("first", "{}").Text)
		require.NotEqual(t, one.WebhookURLs["first"], two.WebhookURLs["first"])
	})
}

func TestNewReportsEveryFault(t *testing.T) {
	t.Parallel()
	_, err := runtime.New(t.Context(), runtime.Options{Concurrency: -1, BaseURL: "nowhere", SyncTimeout: -1})
	for _, want := range []string{"Integrations is empty", "Concurrency is -1", `BaseURL is "nowhere"`, "SyncTimeout is -1ns"} {
		require.ErrorContains(t, err, want)
	}
	_, err = runtime.New(t.Context(), runtime.Options{
		Integrations: []*sluice.Integration{{Name: "", Flows: []sluice.Flow{{Name: "A", StableKey: "a"}}}}, Database: ":memory:",
	})
	require.ErrorContains(t, err, "name")
	require.ErrorContains(t, err, "flows[0].onExecution")
}

func TestDeployWithoutConfigKeepsIt(t *testing.T) {
	t.Parallel()
	var notes []string
	var fail error
	sluicetest.Run(t, hooked("1", &notes, &fail), func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{Config: map[string]any{"Region": "us"}})
		h.Deploy(runtime.Deployment{})
		require.Equal(t, `"us"`, h.Post("first", "{}").Text)
		h.Deploy(runtime.Deployment{Config: map[string]any{}})
		require.Equal(t, `"eu"`, h.Post("first", "{}").Text, "what is left out has its default")
	})
}

func TestDeployNeedsToKnowTheCustomer(t *testing.T) {
	t.Parallel()
	var notes []string
	var fail error
	sluicetest.Run(t, hooked("1", &notes, &fail), func(t *testing.T, h *sluicetest.Harness) {
		_, err := h.Runtime.Deploy(t.Context(), runtime.Deployment{Customer: runtime.Customer{Name: "Acme"}})
		require.ErrorContains(t, err, `customer "Acme" has no ExternalID`)
	})
}

// TestWebhooksAnswerWhileHooksRun: a provider calls the webhook that a hook registers.
func TestWebhooksAnswerWhileHooksRun(t *testing.T) {
	t.Parallel()
	var h *sluicetest.Harness
	var answered []int
	fail := errors.New("refused")
	flow := func(context.Context, *sluice.Run) (*sluice.Result, error) { return nil, nil }
	integration := integrationOf(flow, func(f *sluice.Flow) {
		f.OnInstanceDeploy = func(ctx context.Context, run *sluice.Run) (*sluice.LifecycleResult, error) {
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, run.WebhookURLs["Flow"], http.NoBody)
			require.NoError(t, err)
			answered = append(answered, h.Deliver(request).StatusCode)
			return nil, fail
		}
	})
	sluicetest.Run(t, integration, func(t *testing.T, harness *sluicetest.Harness) {
		h = harness
		_, err := h.Runtime.Deploy(t.Context(), runtime.Deployment{})
		require.ErrorContains(t, err, "refused")
		require.Equal(t, []int{http.StatusOK}, answered)
		fail = nil
		h.Deploy(runtime.Deployment{})
		require.Equal(t, http.StatusOK, h.Post("Flow", "{}").StatusCode)
		require.Equal(t, []int{http.StatusOK, http.StatusOK}, answered)
	})
}

// TestRollbackFindsItsURLsAgain: a flow that is gone for a version keeps its endpoint.
func TestRollbackFindsItsURLsAgain(t *testing.T) {
	t.Parallel()
	both := func(version string, names ...string) *sluice.Integration {
		integration := &sluice.Integration{Name: "Test", Version: version}
		for _, name := range names {
			integration.Flows = append(integration.Flows, sluice.Flow{
				Name: name, StableKey: name,
				OnExecution: func(context.Context, *sluice.Run) (*sluice.Result, error) { return nil, nil },
			})
		}
		return integration
	}
	path := filepath.Join(t.TempDir(), "rollback.db")
	urls := map[string]string{}
	for _, version := range []*sluice.Integration{both("1", "A", "B"), both("2", "A"), both("1", "A", "B")} {
		rt := open(t, path, version)
		instance, err := rt.Deploy(t.Context(), runtime.Deployment{})
		require.NoError(t, err)
		for name, url := range instance.WebhookURLs {
			if urls[name] == "" {
				urls[name] = url
			}
			require.Equal(t, urls[name], url)
		}
		require.Len(t, instance.WebhookURLs, len(version.Flows))
		require.NoError(t, rt.Stop(t.Context()))
	}
}

// TestFailuresReachTheLogger: an operator sees them without looking records up.
func TestFailuresReachTheLogger(t *testing.T) {
	t.Parallel()
	flow := func(context.Context, *sluice.Run) (*sluice.Result, error) { return nil, errors.New("billing is down") }
	integration := integrationOf(flow, func(f *sluice.Flow) {
		f.RetryConfig = &sluice.RetryConfig{MaxAttempts: 1, DelayMinutes: 1}
	})
	var logged bytes.Buffer
	options := runtime.Options{Integrations: []*sluice.Integration{integration}, Logger: slog.New(slog.NewTextHandler(&logged, nil))}
	sluicetest.RunOptions(t, sluicetest.Options{Runtime: options}, func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		id := executionID(t, h.Post("Flow", "{}"))
		h.Drain()
		lines := strings.Split(strings.TrimSpace(logged.String()), "\n")
		require.Len(t, lines, 2)
		require.Contains(t, lines[0], `level=WARN msg="attempt failed" error="billing is down" attempt=1`)
		require.Contains(t, lines[1], `level=ERROR msg="execution failed" error="billing is down" attempt=2`)
		require.Contains(t, lines[1], "execution="+id)
	})
}
