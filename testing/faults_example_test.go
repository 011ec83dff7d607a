package sluicetest_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// paying are options for the flow Pay, whose step "charge" sends a provider the execution's id
// as its idempotency key. It has retries.
func paying(p *provider) sluicetest.Options {
	integration := payments()
	integration.Flows[0].RetryConfig = &sluice.RetryConfig{MaxAttempts: 2, DelayMinutes: 1}
	return sluicetest.Options{
		Runtime:     runtime.Options{Integrations: []*sluice.Integration{integration}, Transport: p},
		Deployments: []runtime.Deployment{{}},
	}
}

// The process dies after the charge was made and before it was recorded: it is asked for again,
// and made once.
func ExampleHarness_Crash() {
	asTest(func(t *testing.T) { // func TestACrashChargesOnce(t *testing.T)
		p := &provider{}
		sluicetest.RunOptions(t, paying(p), func(t *testing.T, h *sluicetest.Harness) {
			h.Crash(sluicetest.AfterRequest("payments.test"))
			h.Post("Pay", `{"order": 7}`) // Accepted; the crash may come before the answer.
			h.Advance(time.Second)
			require.True(t, h.Crashed())
			h.Restart()
			h.RequireNothingLost()
			require.Equal(t, 2, p.requests)
			require.Len(t, p.charges, 1)
		})
	})
	// Output: true
}

// The disk is full for a while: the charge is not made again, its outcome is recorded later.
func ExampleHarness_Fail() {
	asTest(func(t *testing.T) { // func TestAFullDisk(t *testing.T)
		p := &provider{}
		sluicetest.RunOptions(t, paying(p), func(t *testing.T, h *sluicetest.Harness) {
			h.Fail(store.ErrUnavailable, sluicetest.Before("Finish").Times(3))
			h.Post("Pay", `{"order": 7}`).RequireStatus(200)
			h.RequireNothingLost()
			require.Equal(t, 1, p.requests)
		})
	})
	// Output: true
}

// The provider takes a minute.
func ExampleHarness_Delay() {
	asTest(func(t *testing.T) { // func TestASlowProvider(t *testing.T)
		sluicetest.RunOptions(t, paying(&provider{}), func(_ *testing.T, h *sluicetest.Harness) {
			h.Delay(time.Minute, sluicetest.BeforeRequest("payments.test"))
			response := h.Post("Pay", `{"order": 7}`).RequireStatus(200)
			h.Advance(59 * time.Second)
			response.Execution().RequireStatus(store.StatusRunning)
			h.RequireNothingLost()
		})
	})
	// Output: true
}

// The process is suspended while it charges, and another one goes on with the execution.
func ExampleHarness_LoseLease() {
	asTest(func(t *testing.T) { // func TestASuspendedProcess(t *testing.T)
		p := &provider{}
		sluicetest.RunOptions(t, paying(p), func(t *testing.T, h *sluicetest.Harness) {
			h.LoseLease(sluicetest.AfterStep("charge"))
			response := h.Post("Pay", `{"order": 7}`).RequireStatus(200)
			h.RequireNothingLost()
			response.Execution().RequireSucceeded().RequireAttempts(1)
			require.Len(t, p.charges, 1)
		})
	})
	// Output: true
}

// The provider cannot be reached: the flow is retried.
func ExampleHarness_RefuseNetwork() {
	asTest(func(t *testing.T) { // func TestNoNetwork(t *testing.T)
		sluicetest.RunOptions(t, paying(&provider{}), func(_ *testing.T, h *sluicetest.Harness) {
			h.RefuseNetwork()
			response := h.Post("Pay", `{"order": 7}`).RequireStatus(200)
			h.Advance(30 * time.Second)
			response.Execution().RequireStatus(store.StatusWaiting)
			h.Mend()
			h.RequireNothingLost()
			response.Execution().RequireSucceeded().RequireAttempts(2)
		})
	})
	// Output: true
}

// Wherever the process dies, what was answered is paid for.
func ExampleHarness_Points() {
	asTest(func(t *testing.T) { // func TestACrashAnywhere(t *testing.T)
		pay := func(fault func(h *sluicetest.Harness)) (points []sluicetest.Point) {
			p := &provider{}
			sluicetest.RunOptions(t, paying(p), func(t *testing.T, h *sluicetest.Harness) {
				fault(h)
				if h.Post("Pay", `{"order": 7}`).StatusCode != http.StatusOK { // The caller asks again.
					h.Restart()
					h.Post("Pay", `{"order": 7}`).RequireStatus(200)
				}
				h.Advance(time.Second)
				if h.Crashed() {
					h.Restart()
				}
				h.RequireNothingLost()
				require.NotEmpty(t, p.charges)
				points = h.Points()
				h.Mend() // Some points came before the request.
			})
			return points
		}
		for _, point := range pay(func(*sluicetest.Harness) {}) {
			pay(func(h *sluicetest.Harness) { h.Crash(point) })
		}
	})
	// Output: true
}
