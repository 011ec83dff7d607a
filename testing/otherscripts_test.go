package sluicetest_test

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
)

// calls has flows call each other, read state, spread pages into batches, and be canceled.
func calls() script {
	return script{
		name: "calls, batches, cancels",
		options: func(n *notes) runtime.Options {
			options := optionsOf(
				sluice.Flow{Name: "Work", StableKey: "work", OnExecution: n.work, RetryConfig: &sluice.RetryConfig{MaxAttempts: 2, DelayMinutes: 4}},
				sluice.Flow{Name: "Ask", StableKey: "ask", OnExecution: askWork, RetryConfig: &sluice.RetryConfig{MaxAttempts: 3, DelayMinutes: 1}},
				sluice.Flow{
					Name: "Import", StableKey: "import", OnExecution: n.work, Trigger: sluice.BatchTrigger[item, int]{OnTrigger: twoPages},
					RetryConfig: &sluice.RetryConfig{MaxAttempts: 3, DelayMinutes: 1}, BatchConfig: &sluice.BatchConfig{BatchSize: 1},
				},
			)
			options.SyncResponse = runtime.SyncResponseRedirect
			return options
		},
		run: func(s *stage) {
			s.deploy(runtime.Deployment{})
			location := s.send("Work", `{"id": 1}`, "prismatic-synchronous", "true").Header.Get("Location")
			s.fetch(location)
			s.send("Ask", `{"id": 2}`)
			s.send("Import", `{}`)
			doomed := s.send("Work", `{"id": 3, "fail": 9}`).ExecutionID()
			s.pass(20 * time.Second)
			s.again(func() error { return s.cancel(doomed) })
			s.settle()
			pages, batches := 0, map[int]int{}
			for _, x := range s.h.Executions() {
				switch {
				case x.InvokeType == sluice.InvokeWebhook && x.Flow == "import":
					pages++
				case x.InvokeType == sluice.InvokeBatch:
					var body item
					require.NoError(s, x.Payload.Body.Decode(&body))
					batches[body.ID]++
				}
			}
			require.Positive(s, pages)
			imports := pages / 2 // There is one more for each request that got no answer.
			require.Equal(s, map[int]int{10: imports, 11: imports, 20: imports}, batches)
		},
	}
}

// cancel cancels an execution, unless it has been.
func (s *stage) cancel(id string) error {
	if s.h.Execution(id).Status.Final() {
		return nil
	}
	return s.h.Runtime.CancelExecution(s.Context(), id, "not wanted any more")
}

// fetch gets a result from where the caller was redirected to.
func (s *stage) fetch(location string) {
	s.Helper()
	s.again(func() error {
		request, err := http.NewRequestWithContext(s.Context(), http.MethodGet, s.h.URL("Work"), http.NoBody)
		if err != nil {
			return err
		}
		if request.URL, err = request.URL.Parse(location); err != nil {
			return err
		}
		if response := s.h.Deliver(request); response.StatusCode != http.StatusOK {
			return fmt.Errorf("the result is answered %s", response.Status)
		}
		return nil
	})
}

// askWork has another flow do the work, and looks at what is kept.
func askWork(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
	var body item
	if err := run.Payload.Body.Decode(&body); err != nil {
		return nil, err
	}
	done, err := sluice.FlowRef[item, item]("work").Invoke(ctx, body)
	if err != nil {
		return nil, err
	}
	if _, _, err := sluice.GetState[int](ctx, run.CrossFlowState(), "done"); err != nil {
		return nil, err
	}
	keys, err := run.CrossFlowState().Keys(ctx)
	return &sluice.Result{Data: map[string]any{"done": done, "keys": keys}}, err
}

// twoPages are three items.
func twoPages(_ context.Context, _ *sluice.Run, _ *sluice.TriggerPayload, cursor *int) (*sluice.BatchPage[item, int], error) {
	if cursor == nil {
		return &sluice.BatchPage[item, int]{Items: []item{{ID: 10}, {ID: 11}}, PaginationState: new(int)}, nil
	}
	return &sluice.BatchPage[item, int]{Items: []item{{ID: 20}}}, nil
}

// routes has requests routed to customers, one of whom nobody knows.
func routes() script {
	return script{
		name: "routes",
		options: func(n *notes) runtime.Options {
			return runtime.Options{Integrations: []*sluice.Integration{{
				Name: "Shared", Version: "1", EndpointType: sluice.EndpointSharedInstance,
				TriggerPreprocessFlowConfig: &sluice.PreprocessFlowConfig{
					FlowNameField: "body.data.flow", ExternalCustomerIDField: "body.data.customer",
				},
				Flows: []sluice.Flow{{
					Name: "Work", StableKey: "work", OnExecution: n.work, EndpointSecurityType: sluice.EndpointSecurityCustomerOptional,
					RetryConfig: &sluice.RetryConfig{MaxAttempts: 3, DelayMinutes: 1},
				}},
			}}}
		},
		run: func(s *stage) {
			for _, customer := range []string{"a", "b"} {
				s.deploy(runtime.Deployment{Customer: runtime.Customer{ExternalID: customer}})
			}
			for _, customer := range []string{"a", "b"} {
				s.send("Work", fmt.Sprintf(`{"flow": "Work", "customer": %q}`, customer))
			}
			s.again(func() error {
				response := s.h.Post("Work", `{"flow": "Work", "customer": "nobody"}`)
				if response.StatusCode != http.StatusNotFound {
					return fmt.Errorf("nobody's request was answered %s", response.Status)
				}
				return nil
			})
			s.settle()
		},
	}
}

// times has schedules fire, be missed, be paused and removed.
func times() script {
	return script{
		name: "schedules, lifecycle",
		options: func(n *notes) runtime.Options {
			return optionsOf(
				sluice.Flow{Name: "Tick", StableKey: "tick", OnExecution: tick, Schedule: &sluice.Schedule{Value: "0 * * * *"}},
				sluice.Flow{Name: "Work", StableKey: "work", OnExecution: n.work},
			)
		},
		run: func(s *stage) {
			s.deploy(runtime.Deployment{})
			other := s.deploy(runtime.Deployment{Name: "other"})
			s.again(func() error { return s.h.Runtime.Pause(s.Context(), other.ID) })
			s.again(func() error { return s.h.Runtime.Resume(s.Context(), other.ID) })
			s.again(func() error { return s.gone(other) })
			s.pass(3*time.Hour + time.Minute) // The third one runs.
			soon, cancel := context.WithTimeout(s.Context(), time.Second)
			defer cancel()
			_ = s.h.Runtime.Stop(soon) // It may have crashed.
			s.h.Advance(2 * time.Hour)
			s.h.Restart()
			s.pass(2 * time.Hour)
			s.settle()
			fired := map[time.Time]bool{}
			for _, x := range s.h.Executions() {
				if x.InvokeType != sluice.InvokeSchedule {
					continue
				}
				due := x.AcceptedAt.Truncate(time.Hour)
				require.False(s, fired[due], "it fired twice for %v", due)
				fired[due] = true
				x.RequireSucceeded()
			}
			require.Len(s, fired, 5)
		},
	}
}

// gone removes an instance, if it is there.
func (s *stage) gone(instance *runtime.Instance) error {
	if _, err := s.h.Store.Instance(s.Context(), instance.ID); err != nil {
		return nil //nolint:nilerr // It is gone.
	}
	return s.h.Runtime.Delete(s.Context(), instance.ID)
}

// tick takes its time, so that a stop comes upon it.
func tick(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
	timer := time.NewTimer(5 * time.Minute)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
