package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	"github.com/sluice-go/sluice/store/sqlite"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// lives is an integration whose flows note what calls them, and why.
type lives struct {
	mu    sync.Mutex
	notes []string
	// hook may fail, or take its time.
	hook func(ctx context.Context, note string) error
}

// note notes a call: what, by whom, why and after which version.
func (l *lives) note(ctx context.Context, name string, run *sluice.Run) error {
	note := fmt.Sprintf("%s %s", name, run.Deployment.Reason)
	if run.Deployment.PreviousVersion != "" {
		note += " after " + run.Deployment.PreviousVersion
	}
	l.mu.Lock()
	l.notes = append(l.notes, note)
	hook := l.hook
	l.mu.Unlock()
	run.Logger.InfoContext(ctx, "called", "as", note)
	if hook != nil {
		return hook(ctx, note)
	}
	return nil
}

// took returns the notes and forgets them.
func (l *lives) took() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	notes := l.notes
	l.notes = nil
	return notes
}

// integration has a flow that is called, with all hooks, one like it, and one that a
// deployment starts.
func (l *lives) integration(version string) *sluice.Integration {
	hook := func(name string) sluice.LifecycleFunc {
		return func(ctx context.Context, run *sluice.Run) (*sluice.LifecycleResult, error) {
			return nil, l.note(ctx, name, run)
		}
	}
	flow := func(name string, trigger sluice.Trigger) sluice.Flow {
		return sluice.Flow{
			Name: name, StableKey: name, Trigger: trigger,
			OnExecution: func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
				return nil, l.note(ctx, name, run)
			},
			OnInstanceDeploy: hook("deploy " + name),
			OnInstanceDelete: hook("delete " + name),
		}
	}
	one, two := flow("one", nil), flow("two", nil)
	removed := flow("removed", sluice.InstanceRemoveTrigger{})
	removed.OnInstanceDeploy, removed.OnInstanceDelete = nil, nil
	removed.RetryConfig = &sluice.RetryConfig{MaxAttempts: 2, DelayMinutes: 1}
	for _, f := range []*sluice.Flow{&one, &two} {
		f.WebhookLifecycleHandlers = &sluice.WebhookLifecycleHandlers{Create: hook("up " + f.Name), Delete: hook("down " + f.Name)}
	}
	started := flow("started", sluice.InstanceDeployTrigger{})
	started.OnInstanceDeploy, started.OnInstanceDelete = nil, nil
	return &sluice.Integration{
		Name: "Lives", Version: version, Flows: []sluice.Flow{one, started, two, removed},
		ConfigPages: []sluice.ConfigPage{{Name: "Setup", Elements: []sluice.ConfigElement{region}}},
	}
}

// hooksOf leaves out what the flow that a deployment starts notes: it runs beside the hooks.
func hooksOf(notes []string) (hooks []string) {
	for _, note := range notes {
		if !strings.HasPrefix(note, "started") {
			hooks = append(hooks, note)
		}
	}
	return hooks
}

func TestHooksAreToldWhyTheyRun(t *testing.T) {
	t.Parallel()
	l := &lives{}
	sluicetest.Run(t, l.integration("1"), func(t *testing.T, h *sluicetest.Harness) {
		all := func(why string) []string {
			return []string{"deploy one " + why, "deploy two " + why, "up one " + why, "up two " + why}
		}
		instance := h.Deploy(runtime.Deployment{})
		h.Drain()
		notes := l.took()
		require.Equal(t, all("deployed"), hooksOf(notes))
		require.Contains(t, notes, "started deployed")
		h.Deploy(runtime.Deployment{})
		require.Empty(t, l.took(), "nothing changed")
		h.Deploy(runtime.Deployment{Config: map[string]any{"Region": "us"}})
		h.Drain()
		notes = l.took()
		require.Equal(t, all("configured after 1"), hooksOf(notes))
		require.Contains(t, notes, "started configured after 1")
		h.Deploy(runtime.Deployment{Force: true})
		h.Drain()
		require.Equal(t, all("redeployed after 1"), hooksOf(l.took()))
		require.NotContains(t, instance.WebhookURLs, "started", "nobody can call it")

		for range 2 { // The second time nothing is to be done.
			require.NoError(t, h.Runtime.Pause(t.Context(), instance.ID))
		}
		require.Equal(t, []string{"down two paused after 1", "down one paused after 1"}, l.took())
		for range 2 {
			require.NoError(t, h.Runtime.Resume(t.Context(), instance.ID))
		}
		require.Equal(t, []string{"up one resumed after 1", "up two resumed after 1"}, l.took())
		require.ErrorIs(t, h.Runtime.Pause(t.Context(), "no such instance"), store.ErrNotFound)
	})
}

func TestAnUpgradeKnowsTheVersionBefore(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "upgrade.db")
	l := &lives{}
	for _, version := range []string{"1", "2", "1"} {
		rt := open(t, path, l.integration(version))
		require.NoError(t, rt.Stop(t.Context()))
	}
	hooks := hooksOf(l.took())
	require.Len(t, hooks, 12)
	require.Equal(t, "deploy one deployed", hooks[0])
	require.Equal(t, "deploy one upgraded after 1", hooks[4])
	require.Equal(t, "deploy one upgraded after 2", hooks[8])
}

func TestEveryHookIsOnRecord(t *testing.T) {
	t.Parallel()
	l := &lives{hook: func(_ context.Context, note string) error {
		if note == "up two deployed" {
			return errors.New("the provider is down")
		}
		return nil
	}}
	sluicetest.Run(t, l.integration("1"), func(t *testing.T, h *sluicetest.Harness) {
		_, err := h.Runtime.Deploy(t.Context(), runtime.Deployment{})
		require.ErrorContains(t, err, `flow "two": webhookCreate: the provider is down`)
		h.Drain()
		var records []string
		for _, x := range h.Executions() {
			if x.InvokeType == sluice.InvokeDeploy {
				continue
			}
			records = append(records, fmt.Sprintf("%s %s %s", x.InvokeType, x.Flow, x.Status))
			require.Len(t, x.Attempts, 1)
			require.NotEmpty(t, x.Attempts[0].Logs)
			if x.Status == store.StatusFailed {
				require.Equal(t, "the provider is down", x.Error)
			}
		}
		require.Equal(t, []string{
			"onInstanceDeploy one succeeded", "onInstanceDeploy two succeeded",
			"webhookCreate one succeeded", "webhookCreate two failed", "webhookDelete one succeeded",
		}, records, "what was put up is taken down")
	})
}

// TestAFailedDeploymentLeavesThePreviousOneWithItsWebhooks: what the failed one took down is put
// up again, with the configuration that is back.
func TestAFailedDeploymentLeavesThePreviousOneWithItsWebhooks(t *testing.T) {
	t.Parallel()
	l := &lives{}
	sluicetest.Run(t, l.integration("1"), func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{Config: map[string]any{"Region": "us"}})
		h.Drain()
		l.took()
		l.hook = func(_ context.Context, note string) error {
			if note == "up two configured after 1" {
				panic("oh")
			}
			return nil
		}
		_, err := h.Runtime.Deploy(t.Context(), runtime.Deployment{Config: map[string]any{"Region": "eu"}})
		require.ErrorContains(t, err, `flow "two": webhookCreate: panic: oh`)
		require.Equal(t, []string{
			"deploy one configured after 1", "deploy two configured after 1", "up one configured after 1", "up two configured after 1",
			"down one restored after 1", "up one restored after 1",
		}, hooksOf(l.took()))
		require.Equal(t, http.StatusOK, h.Post("one", "{}").StatusCode)
		h.Drain()
		l.hook = nil
		l.took()
		h.Deploy(runtime.Deployment{})
		require.Empty(t, hooksOf(l.took()), "the previous configuration is back")
	})
}

func TestAPausedInstanceAnswersNothing(t *testing.T) {
	t.Parallel()
	l := &lives{}
	sluicetest.Run(t, l.integration("1"), func(t *testing.T, h *sluicetest.Harness) {
		instance := h.Deploy(runtime.Deployment{})
		h.Drain()
		l.hook = func(_ context.Context, note string) error {
			if note == "down two paused after 1" || note == "up two resumed after 1" {
				return errors.New("the provider is down")
			}
			return nil
		}
		l.took()
		require.ErrorContains(t, h.Runtime.Pause(t.Context(), instance.ID), "the provider is down")
		require.Equal(t, []string{"down two paused after 1", "down one paused after 1"}, l.took())
		require.Equal(t, http.StatusNotFound, h.Post("one", "{}").StatusCode, "paused in spite of the handler")
		require.Error(t, h.Runtime.Resume(t.Context(), instance.ID))
		require.Equal(t, http.StatusNotFound, h.Post("one", "{}").StatusCode, "still paused")
		l.hook = nil
		l.took()
		paused := h.Deploy(runtime.Deployment{Config: map[string]any{"Region": "us"}})
		require.True(t, paused.Paused)
		require.Equal(t, []string{"deploy one configured after 1", "deploy two configured after 1"}, hooksOf(l.took()))
		require.Equal(t, http.StatusNotFound, h.Post("one", "{}").StatusCode, "a deployment ends no pause")
		require.NoError(t, h.Runtime.Resume(t.Context(), instance.ID))
		require.Equal(t, []string{"up one resumed after 1", "up two resumed after 1"}, hooksOf(l.took()))
		require.Equal(t, http.StatusOK, h.Post("one", "{}").StatusCode)
	})
}

// shared starts a runtime on a database that others use as well.
func shared(t *testing.T, database store.Store, integration *sluice.Integration) *runtime.Runtime {
	t.Helper()
	rt, err := runtime.New(t.Context(), runtime.Options{Integrations: []*sluice.Integration{integration}, Store: database})
	require.NoError(t, err)
	require.NoError(t, rt.Start(t.Context()))
	return rt
}

// inMemory calls test in a bubble, with a database.
func inMemory(t *testing.T, test func(t *testing.T, database store.Store)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		database, err := sqlite.Open(t.Context(), ":memory:")
		require.NoError(t, err)
		test(t, database)
		require.NoError(t, database.Close())
	})
}

func TestTwoThatDeployAtOnceRunTheHooksOnce(t *testing.T) {
	t.Parallel()
	inMemory(t, func(t *testing.T, database store.Store) {
		l := &lives{hook: func(_ context.Context, note string) error {
			if note != "started deployed" {
				time.Sleep(25 * time.Second) // Virtual, and longer than a lease.
			}
			return nil
		}}
		var deploying sync.WaitGroup
		instances := make([]*runtime.Instance, 2)
		for i := range instances {
			rt := shared(t, database, l.integration("1"))
			defer func() { require.NoError(t, rt.Stop(t.Context())) }()
			deploying.Go(func() {
				var err error
				instances[i], err = rt.Deploy(t.Context(), runtime.Deployment{})
				require.NoError(t, err)
			})
		}
		deploying.Wait()
		synctest.Wait()
		require.Equal(t, instances[0], instances[1])
		notes := l.took()
		require.Len(t, hooksOf(notes), 4)
		require.Len(t, notes, 5, "the flow that the deployment starts ran once")
	})
}

// mortal is a database whose process can die: then nothing is written any more.
type mortal struct {
	store.Store
	dead atomic.Bool
}

func (m *mortal) PutInstance(ctx context.Context, instance *store.Instance) error {
	if m.dead.Load() {
		return store.ErrUnavailable
	}
	return m.Store.PutInstance(ctx, instance)
}

func (m *mortal) DeleteInstance(ctx context.Context, instance *store.Instance) error {
	if m.dead.Load() {
		return store.ErrUnavailable
	}
	return m.Store.DeleteInstance(ctx, instance)
}

func (m *mortal) Accept(ctx context.Context, acceptance *store.Acceptance) (*store.Accepted, error) {
	if m.dead.Load() {
		return nil, store.ErrUnavailable
	}
	return m.Store.Accept(ctx, acceptance)
}

// TestTheNextDeploymentFinishesThatOfADeadProcess, and tells the version before it.
func TestTheNextDeploymentFinishesThatOfADeadProcess(t *testing.T) {
	t.Parallel()
	inMemory(t, func(t *testing.T, database store.Store) {
		l := &lives{}
		rt := shared(t, database, l.integration("1"))
		_, err := rt.Deploy(t.Context(), runtime.Deployment{})
		require.NoError(t, err)
		require.NoError(t, rt.Stop(t.Context()))
		l.took()

		first := &mortal{Store: database}
		l.hook = func(_ context.Context, note string) error {
			if note == "up one upgraded after 1" {
				first.dead.Store(true)
			}
			return nil
		}
		rt = shared(t, first, l.integration("2"))
		_, err = rt.Deploy(t.Context(), runtime.Deployment{})
		require.ErrorIs(t, err, store.ErrUnavailable)
		require.NoError(t, rt.Stop(t.Context()))
		require.Contains(t, l.took(), "started upgraded after 1")

		l.hook = nil
		rt = shared(t, database, l.integration("2"))
		began := time.Now()
		_, err = rt.Deploy(t.Context(), runtime.Deployment{})
		require.NoError(t, err)
		require.LessOrEqual(t, time.Since(began), 16*time.Second, "a lease")
		synctest.Wait()
		require.Equal(t, []string{
			"deploy one upgraded after 1", "deploy two upgraded after 1", "up one upgraded after 1", "up two upgraded after 1",
		}, l.took(), "the flow that the deployment had started is not started again")
		require.NoError(t, rt.Stop(t.Context()))
	})
}

func TestADeploymentBeforeTheStartWaitsForItWithItsFlows(t *testing.T) {
	t.Parallel()
	inMemory(t, func(t *testing.T, database store.Store) {
		l := &lives{}
		rt, err := runtime.New(t.Context(), runtime.Options{Integrations: []*sluice.Integration{l.integration("1")}, Store: database})
		require.NoError(t, err)
		_, err = rt.Deploy(t.Context(), runtime.Deployment{})
		require.NoError(t, err)
		require.Len(t, l.took(), 4)
		require.NoError(t, rt.Start(t.Context()))
		synctest.Wait()
		require.Equal(t, []string{"started deployed"}, l.took())
		require.NoError(t, rt.Stop(t.Context()))
	})
}

// TestAStopLeavesADeploymentToTheNextStart when its time is over; that one does not wait for a
// lease.
func TestAStopLeavesADeploymentToTheNextStart(t *testing.T) {
	t.Parallel()
	inMemory(t, func(t *testing.T, database store.Store) {
		l := &lives{hook: func(ctx context.Context, _ string) error {
			<-ctx.Done()
			return context.Cause(ctx)
		}}
		rt := shared(t, database, l.integration("1"))
		deployed := make(chan error, 1)
		go func() {
			_, err := rt.Deploy(t.Context(), runtime.Deployment{})
			deployed <- err
		}()
		synctest.Wait()
		stopNow(t, rt)
		require.ErrorIs(t, <-deployed, sluice.ErrStopping)
		l.hook = nil
		l.took()
		rt = shared(t, database, l.integration("1"))
		began := time.Now()
		_, err := rt.Deploy(t.Context(), runtime.Deployment{})
		require.NoError(t, err)
		require.Zero(t, time.Since(began))
		require.Len(t, hooksOf(l.took()), 4)
		require.NoError(t, rt.Stop(t.Context()))
	})
}

func TestARemovalRunsBackwards(t *testing.T) {
	t.Parallel()
	l := &lives{}
	sluicetest.Run(t, l.integration("1"), func(t *testing.T, h *sluicetest.Harness) {
		instance := h.Deploy(runtime.Deployment{})
		h.Drain()
		l.took()
		fails := map[string]int{"down two removed after 1": 1, "removed removed after 1": 2, "delete two removed after 1": 1}
		l.hook = func(_ context.Context, note string) error {
			require.Equal(t, http.StatusNotFound, h.Post("one", "{}").StatusCode)
			if fails[note]--; fails[note] >= 0 {
				return errors.New("the provider is down")
			}
			return nil
		}
		require.NoError(t, h.Runtime.Delete(t.Context(), instance.ID))
		require.Equal(t, []string{
			"down two removed after 1", "down one removed after 1",
			"removed removed after 1", "removed removed after 1", "removed removed after 1", // It is retried.
			"delete two removed after 1", "delete one removed after 1",
		}, l.took())
		require.ErrorIs(t, h.Runtime.Delete(t.Context(), instance.ID), store.ErrNotFound)
		failed, err := h.Runtime.Executions(t.Context(), store.Filter{Instance: instance.ID, Status: store.StatusFailed}, "", 10)
		require.NoError(t, err)
		require.Len(t, failed, 2, "the hooks that failed are on record")

		l.hook = nil
		again := h.Deploy(runtime.Deployment{})
		require.NotEqual(t, instance.ID, again.ID)
		require.Contains(t, l.took(), "deploy one deployed")
	})
}

// TestARemovalDoesNotWaitForEver for a flow that it starts.
func TestARemovalDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	l := &lives{}
	sluicetest.Run(t, l.integration("1"), func(t *testing.T, h *sluicetest.Harness) {
		instance := h.Deploy(runtime.Deployment{})
		require.NoError(t, h.Runtime.Pause(t.Context(), instance.ID))
		h.Drain()
		l.took()
		l.hook = func(ctx context.Context, note string) error {
			if note == "removed removed after 1" {
				<-ctx.Done()
			}
			return nil
		}
		began := time.Now()
		require.NoError(t, h.Runtime.Delete(t.Context(), instance.ID))
		require.Equal(t, 5*time.Minute, time.Since(began))
		require.Equal(t, []string{
			"down two removed after 1", "down one removed after 1", "removed removed after 1",
			"delete two removed after 1", "delete one removed after 1",
		}, l.took())
		h.Drain()
	})
}

// TestARemovalTakesDownWhatIsLeft of the webhooks, where that failed before.
func TestARemovalTakesDownWhatIsLeft(t *testing.T) {
	t.Parallel()
	failing := func(notes ...string) func(context.Context, string) error {
		return func(_ context.Context, note string) error {
			if slices.Contains(notes, note) {
				return errors.New("the provider is down")
			}
			return nil
		}
	}
	for name, before := range map[string]func(t *testing.T, l *lives, h *sluicetest.Harness){
		"by a pause": func(t *testing.T, l *lives, h *sluicetest.Harness) {
			t.Helper()
			instance := h.Deploy(runtime.Deployment{})
			l.hook = failing("down one paused after 1")
			require.Error(t, h.Runtime.Pause(t.Context(), instance.ID))
		},
		"by a deployment that failed": func(t *testing.T, l *lives, h *sluicetest.Harness) {
			t.Helper()
			l.hook = failing("up two deployed", "down one restored")
			_, err := h.Runtime.Deploy(t.Context(), runtime.Deployment{})
			require.Error(t, err)
		},
		"by a resumption that failed": func(t *testing.T, l *lives, h *sluicetest.Harness) {
			t.Helper()
			instance := h.Deploy(runtime.Deployment{})
			h.Pause(instance)
			l.hook = failing("up two resumed after 1", "down one restored after 1")
			require.Error(t, h.Runtime.Resume(t.Context(), instance.ID))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := &lives{}
			sluicetest.Run(t, l.integration("1"), func(t *testing.T, h *sluicetest.Harness) {
				before(t, l, h)
				l.hook = nil
				l.took()
				require.NoError(t, h.Runtime.Delete(t.Context(), h.Executions()[0].Instance))
				require.Contains(t, strings.Join(l.took(), "\n"), "down one removed")
				h.Drain()
			})
		})
	}
}

// TestARemovalTakesTheStateOfWhatStillRuns: only what belongs to no instance stays.
func TestARemovalTakesTheStateOfWhatStillRuns(t *testing.T) {
	t.Parallel()
	flow := func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		time.Sleep(time.Minute) // Virtual. It ignores the context.
		return nil, errors.Join(run.InstanceState().Set(ctx, "key", 1), run.CrossFlowState().Set(ctx, "key", 1),
			run.IntegrationState().Set(ctx, "key", 1))
	}
	sluicetest.Run(t, integrationOf(flow), func(t *testing.T, h *sluicetest.Harness) {
		instance := h.Deploy(runtime.Deployment{})
		answer := h.Post("Flow", `{}`)
		h.Delete(instance)
		h.Drain()
		x := answer.Execution().RequireSucceeded()
		require.Empty(t, x.InstanceState().Keys())
		require.Empty(t, x.CrossFlowState().Keys())
		require.Equal(t, []string{"key"}, x.IntegrationState().Keys())
	})
}

// TestARemovalByTheNextVersion runs its hooks and its flows, although nobody has the version that
// is deployed.
func TestARemovalByTheNextVersion(t *testing.T) {
	t.Parallel()
	inMemory(t, func(t *testing.T, database store.Store) {
		l := &lives{}
		first := startOn(t, database, l.integration("1"))
		instance, err := first.Deploy(t.Context(), runtime.Deployment{})
		require.NoError(t, err)
		time.Sleep(time.Minute)
		require.NoError(t, first.Stop(t.Context()))
		l.took()
		second := startOn(t, database, l.integration("2"))
		began := time.Now()
		require.NoError(t, second.Delete(t.Context(), instance.ID))
		require.Less(t, time.Since(began), time.Minute)
		require.Contains(t, l.took(), "removed removed after 1")
		require.NoError(t, second.Stop(t.Context()))
	})
}

// TestFlowsOfARemovalStartInReverseOrder, as its hooks run.
func TestFlowsOfARemovalStartInReverseOrder(t *testing.T) {
	t.Parallel()
	l := &lives{}
	integration := l.integration("1")
	last := integration.Flows[3]
	last.Name, last.StableKey = "last", "last"
	last.OnExecution = func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
		return nil, l.note(ctx, "last", run)
	}
	integration.Flows = append(integration.Flows, last)
	options := runtime.Options{Integrations: []*sluice.Integration{integration}, Concurrency: 1}
	sluicetest.RunOptions(t, sluicetest.Options{Runtime: options}, func(t *testing.T, h *sluicetest.Harness) {
		instance := h.Deploy(runtime.Deployment{})
		h.Drain()
		l.took()
		h.Delete(instance)
		require.Equal(t, []string{"last removed after 1", "removed removed after 1"}, l.took()[2:4])
	})
}

func TestTheNextDeleteFinishesThatOfADeadProcess(t *testing.T) {
	t.Parallel()
	inMemory(t, func(t *testing.T, database store.Store) {
		first := &mortal{Store: database}
		l := &lives{}
		rt := shared(t, first, l.integration("1"))
		instance, err := rt.Deploy(t.Context(), runtime.Deployment{})
		require.NoError(t, err)
		l.hook = func(_ context.Context, note string) error {
			if note == "delete two removed after 1" {
				first.dead.Store(true)
			}
			return nil
		}
		require.Error(t, rt.Delete(t.Context(), instance.ID))
		require.NoError(t, rt.Stop(t.Context()))
		l.hook = nil
		l.took()

		rt = shared(t, database, l.integration("1"))
		_, err = rt.Deploy(t.Context(), runtime.Deployment{})
		require.ErrorContains(t, err, "is being removed")
		require.NoError(t, rt.Delete(t.Context(), instance.ID))
		synctest.Wait()
		require.Equal(t, []string{
			"down two removed after 1", "down one removed after 1", "delete two removed after 1", "delete one removed after 1",
		}, l.took(), "the flow that the removal had started is not started again")
		_, err = rt.Deploy(t.Context(), runtime.Deployment{})
		require.NoError(t, err)
		require.NoError(t, rt.Stop(t.Context()))
	})
}

// TestWhatIsAcceptedWaitsForTheEndOfAPause, or is canceled with the instance.
func TestWhatIsAcceptedWaitsForTheEndOfAPause(t *testing.T) {
	t.Parallel()
	l := &lives{hook: func(_ context.Context, note string) error {
		if note == "one " {
			return errors.New("billing is down")
		}
		return nil
	}}
	integration := l.integration("1")
	integration.Flows[0].RetryConfig = &sluice.RetryConfig{MaxAttempts: 2, DelayMinutes: 1}
	sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		instance := h.Deploy(runtime.Deployment{})
		id := executionID(t, h.Post("one", "{}"))
		require.Equal(t, store.StatusWaiting, h.Execution(id).Status)
		require.NoError(t, h.Runtime.Pause(t.Context(), instance.ID))
		h.Advance(time.Hour)
		require.Len(t, h.Execution(id).Attempts, 1, "its retry was due")
		require.NoError(t, h.Runtime.Resume(t.Context(), instance.ID))
		h.Advance(time.Second)
		require.Len(t, h.Execution(id).Attempts, 2)
		require.NoError(t, h.Runtime.Pause(t.Context(), instance.ID))
		require.NoError(t, h.Runtime.Delete(t.Context(), instance.ID))
		require.Equal(t, store.StatusCanceled, h.Execution(id).Status)
		require.Contains(t, h.Execution(id).Error, "its instance is removed")
	})
}

// TestOthersHearOfAChange within a second: of a pause, a revoked key, a new configuration.
func TestOthersHearOfAChange(t *testing.T) {
	t.Parallel()
	inMemory(t, func(t *testing.T, database store.Store) {
		integration := integrationOf(nothing)
		one, two := startOn(t, database, integration), startOn(t, database, integration)
		instance, err := one.Deploy(t.Context(), runtime.Deployment{})
		require.NoError(t, err)
		answered := func(status int, headers ...string) {
			t.Helper()
			require.Equal(t, status, send(t, two, `{}`, headers...).Code)
			time.Sleep(time.Second)
		}
		answered(http.StatusOK)
		key, err := one.CreateAPIKey(t.Context(), instance.ID, "Flow")
		require.NoError(t, err)
		answered(http.StatusUnauthorized)
		answered(http.StatusOK, "Api-Key", key)
		other, err := one.CreateAPIKey(t.Context(), instance.ID, "Flow")
		require.NoError(t, err)
		require.NoError(t, one.RevokeAPIKey(t.Context(), instance.ID, "Flow", key))
		answered(http.StatusUnauthorized, "Api-Key", key)
		answered(http.StatusOK, "Api-Key", other)
		require.NoError(t, one.Pause(t.Context(), instance.ID))
		answered(http.StatusNotFound, "Api-Key", other)
		require.NoError(t, errors.Join(one.Stop(t.Context()), two.Stop(t.Context())))
	})
}
