package sluicetest_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// provider takes payments: of requests with one idempotency key it makes one charge.
type provider struct {
	requests int
	charges  map[string]int
}

// RoundTrip implements http.RoundTripper.
func (p *provider) RoundTrip(request *http.Request) (*http.Response, error) {
	p.requests++
	if p.charges == nil {
		p.charges = map[string]int{}
	}
	p.charges[request.Header.Get("Idempotency-Key")]++
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody, Request: request}, nil
}

// payments charges once for each order, however often its step runs.
func payments() *sluice.Integration {
	return &sluice.Integration{Name: "Payments", Version: "1", Flows: []sluice.Flow{{
		Name: "Pay", StableKey: "pay",
		OnExecution: func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
			status, err := sluice.Step(ctx, "charge", func(ctx context.Context) (int, error) {
				request, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://payments.test/charges", http.NoBody)
				if err != nil {
					return 0, err
				}
				request.Header.Set("Idempotency-Key", run.ExecutionID)
				response, err := run.HTTPClient().Do(request)
				if err != nil {
					return 0, err
				}
				return response.StatusCode, response.Body.Close()
			})
			return &sluice.Result{Data: status}, err
		},
	}}}
}

// withProvider runs a test of payments.
func withProvider(t *testing.T, test func(t *testing.T, h *sluicetest.Harness, p *provider)) {
	t.Helper()
	p := &provider{}
	options := sluicetest.Options{Runtime: runtime.Options{Integrations: []*sluice.Integration{payments()}, Transport: p}}
	sluicetest.RunOptions(t, options, func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		test(t, h, p)
	})
}

func TestACrashBetweenAChargeAndItsRecord(t *testing.T) {
	t.Parallel()
	for _, at := range []sluicetest.Point{
		sluicetest.AfterRequest("payments.test"), sluicetest.AfterStep("charge"), sluicetest.BeforeRecord("charge"), sluicetest.Before("RecordStep"),
	} {
		t.Run(at.String(), func(t *testing.T) {
			t.Parallel()
			withProvider(t, func(t *testing.T, h *sluicetest.Harness, p *provider) {
				h.Crash(at)
				h.Post("Pay", `{"order": 7}`) // Accepted; the crash may come before the answer.
				h.Advance(time.Second)
				require.True(t, h.Crashed())
				require.Len(t, h.Executions(), 1)
				h.Restart()
				h.RequireNothingLost()
				require.Equal(t, 2, p.requests, "nobody could know")
				require.Len(t, p.charges, 1, "it is charged once, thanks to the key")
			})
		})
	}
}

func TestACrashAfterTheRecord(t *testing.T) {
	t.Parallel()
	withProvider(t, func(t *testing.T, h *sluicetest.Harness, p *provider) {
		h.Crash(sluicetest.AfterRecord("charge"))
		h.Post("Pay", `{}`)
		h.Advance(time.Second)
		h.Restart()
		h.RequireNothingLost()
		require.Equal(t, 1, p.requests)
		require.Equal(t, store.StatusSucceeded, h.Executions()[0].Status)
	})
}

func TestNoAnswerAfterACrash(t *testing.T) {
	t.Parallel()
	withProvider(t, func(t *testing.T, h *sluicetest.Harness, p *provider) {
		h.Crash(sluicetest.Before("Accept"))
		response := h.Post("Pay", `{}`)
		require.Zero(t, response.StatusCode)
		require.Contains(t, response.Status, "crashed")
		require.Zero(t, h.Post("Pay", `{}`).StatusCode, "nobody is there")
		require.Empty(t, h.Executions())
		_, err := h.Runtime.Executions(t.Context(), store.Filter{}, "", 1)
		require.ErrorIs(t, err, sluicetest.ErrCrashed)
		h.Restart()
		require.Equal(t, http.StatusOK, h.Post("Pay", `{}`).StatusCode)
		h.RequireNothingLost()
		require.Equal(t, 1, p.requests)
	})
}

// TestAFlowDoesNotGoOnAfterACrash: it would make up for a failure that nobody saw.
func TestAFlowDoesNotGoOnAfterACrash(t *testing.T) {
	t.Parallel()
	for _, at := range []sluicetest.Point{
		sluicetest.BeforeStep("reserve"), sluicetest.AfterStep("reserve"), sluicetest.Before("RecordStep"), sluicetest.After("RecordStep"),
	} {
		t.Run(at.String(), func(t *testing.T) {
			t.Parallel()
			var refunds int
			integration := &sluice.Integration{Name: "Shop", Version: "1", Flows: []sluice.Flow{{
				Name: "Order", StableKey: "order",
				OnExecution: func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
					_, err := sluice.Step(ctx, "reserve", func(context.Context) (bool, error) { return true, nil })
					if err != nil {
						refunds++
					}
					return nil, err
				},
			}}}
			sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
				h.Deploy(runtime.Deployment{})
				h.Crash(at)
				h.Post("Order", `{}`)
				h.Advance(time.Second)
				h.Restart()
				h.RequireNothingLost()
				require.Zero(t, refunds)
			})
		})
	}
}

func TestTheStoreFailsAFewTimes(t *testing.T) {
	t.Parallel()
	withProvider(t, func(t *testing.T, h *sluicetest.Harness, p *provider) {
		h.Fail(store.ErrUnavailable, sluicetest.Before("Finish").Times(3))
		began := time.Now()
		h.Post("Pay", `{}`)
		h.RequireNothingLost()
		require.Equal(t, 1, p.requests)
		require.Equal(t, 3*time.Second, time.Since(began), "it is tried again after a second each")
	})
}

func TestTheNetworkRefuses(t *testing.T) {
	t.Parallel()
	withProvider(t, func(t *testing.T, h *sluicetest.Harness, p *provider) {
		h.RefuseNetwork()
		h.Post("Pay", `{}`)
		h.Drain()
		require.Contains(t, h.Executions()[0].Error, "connection refused")
		h.Mend()
		h.Post("Pay", `{}`)
		h.Drain()
		require.Equal(t, store.StatusSucceeded, h.Executions()[1].Status)
		require.Equal(t, 1, p.requests)
	})
}

func TestAProviderFailsOnce(t *testing.T) {
	t.Parallel()
	withProvider(t, func(t *testing.T, h *sluicetest.Harness, p *provider) {
		lost := errors.New("the answer was lost")
		h.Fail(lost, sluicetest.AfterRequest(""))
		h.Post("Pay", `{}`)
		h.Drain()
		require.Contains(t, h.Executions()[0].Error, lost.Error())
		require.Equal(t, 1, p.requests, "it was charged")
	})
}

func TestDelays(t *testing.T) {
	t.Parallel()
	withProvider(t, func(t *testing.T, h *sluicetest.Harness, _ *provider) {
		h.Delay(time.Minute, sluicetest.BeforeStep("charge"))
		h.Delay(time.Second, sluicetest.Before("Accept"))
		began := time.Now()
		require.Equal(t, http.StatusOK, h.Post("Pay", `{}`).StatusCode)
		require.Equal(t, time.Second, time.Since(began))
		h.RequireNothingLost()
		attempt := h.Executions()[0].Attempts[0]
		require.Equal(t, time.Minute, attempt.EndedAt.Sub(attempt.StartedAt))
	})
}

// TestTheLeaseIsLost: what runs is told, another run takes its place, and one outcome counts.
func TestTheLeaseIsLost(t *testing.T) {
	t.Parallel()
	var runs []error
	integration := &sluice.Integration{Name: "Slow", Version: "1", Flows: []sluice.Flow{{
		Name: "Slow", StableKey: "slow",
		OnExecution: func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
			number := len(runs)
			runs = append(runs, nil)
			_, err := sluice.Step(ctx, "wait", func(ctx context.Context) (bool, error) {
				select {
				case <-time.After(time.Minute):
				case <-ctx.Done():
					runs[number] = context.Cause(ctx)
				}
				return true, runs[number]
			})
			return nil, err
		},
	}}}
	sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		h.LoseLease(sluicetest.BeforeStep("wait"))
		h.Post("Slow", `{}`)
		h.RequireNothingLost()
		require.GreaterOrEqual(t, len(runs), 2)
		require.ErrorIs(t, runs[0], sluice.ErrLeaseLost)
		require.NoError(t, runs[len(runs)-1])
		require.Len(t, h.Executions()[0].Attempts, 1)
		require.Equal(t, store.StatusSucceeded, h.Executions()[0].Status)
	})
}

// TestNoExecutionRunsBesideItself: what runs again, because the lease was lost, waits for the
// code that still runs.
func TestNoExecutionRunsBesideItself(t *testing.T) {
	t.Parallel()
	var runs, running, most int
	integration := &sluice.Integration{Name: "Deaf", Flows: []sluice.Flow{{
		Name: "Deaf", StableKey: "deaf",
		OnExecution: func(ctx context.Context, _ *sluice.Run) (*sluice.Result, error) {
			runs, running = runs+1, running+1
			most = max(most, running)
			defer func() { running-- }()
			_, err := sluice.Step(ctx, "work", func(context.Context) (bool, error) {
				time.Sleep(8 * time.Second) // Virtual. It ignores the context.
				return true, nil
			})
			return nil, err
		},
	}}}
	sluicetest.Run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		h.LoseLease(sluicetest.BeforeStep("work"))
		h.Post("Deaf", `{}`)
		h.RequireNothingLost()
		require.GreaterOrEqual(t, runs, 2)
		require.Equal(t, 1, most)
		require.Equal(t, store.StatusSucceeded, h.Executions()[0].Status)
	})
}
