package sluicetest_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	sluicert "github.com/sluice-go/sluice/runtime"
	"github.com/sluice-go/sluice/store"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// reporter is a test that writes down why it ends.
type reporter struct {
	testing.TB
	message string
}

func (r *reporter) Fatalf(format string, args ...any) {
	r.message = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func (r *reporter) Fatal(args ...any) { r.Fatalf("%s", fmt.Sprint(args...)) }

func (r *reporter) Errorf(format string, args ...any) { r.message = fmt.Sprintf(format, args...) }

// failure is why a check ends the test, with what differs from run to run masked; empty if it
// does not.
func failure(t *testing.T, h *sluicetest.Harness, check func()) string {
	t.Helper()
	r := &reporter{TB: t}
	before := h.ReportTo(r)
	done := make(chan struct{})
	go func() {
		defer close(done)
		check()
	}()
	<-done
	h.ReportTo(before)
	return masked.ReplaceAllString(r.message, "ID")
}

var masked = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}|trigger/[\w-]+`)

// shop has a flow that fails twice and then sells, and one that fails for good.
func shop() *sluice.Integration {
	tries := 0
	return &sluice.Integration{Name: "Shop", Flows: []sluice.Flow{
		{
			Name: "Sell", StableKey: "sell",
			RetryConfig: &sluice.RetryConfig{MaxAttempts: 2, DelayMinutes: 10},
			OnExecution: func(ctx context.Context, run *sluice.Run) (*sluice.Result, error) {
				run.Logger.InfoContext(ctx, "asking the stock", "item", "tea")
				left, err := sluice.Step(ctx, "ask stock", func(context.Context) (int, error) {
					time.Sleep(2 * time.Second)
					return 3, nil
				})
				if err != nil {
					return nil, err
				}
				if tries++; tries < 3 {
					return nil, errors.New("the till is closed")
				}
				return &sluice.Result{Data: map[string]any{"sold": "tea"}}, run.InstanceState().Set(ctx, "left", left-1)
			},
		},
		{
			Name: "Steal", StableKey: "steal",
			OnExecution: func(context.Context, *sluice.Run) (*sluice.Result, error) {
				return nil, errors.New("caught\nby the guard")
			},
		},
	}}
}

const sold = `execution ID of flow "sell" (webhook), accepted at 2000-01-01T00:00:00Z:
  +0s      accepted
  +0s      attempt 1 began
  +0s      log INFO "asking the stock" item=tea
  +2s      step "ask stock": 3
  +2s      attempt 1 ended: the till is closed; the next is due at +10m2s
  +10m2s   attempt 2 began
  +10m2s   log INFO "asking the stock" item=tea
  +10m2s   attempt 2 ended: the till is closed; the next is due at +20m2s
  +20m2s   attempt 3 began
  +20m2s   log INFO "asking the stock" item=tea
  +20m2s   attempt 3 succeeded`

const stolen = `execution ID of flow "steal" (webhook), accepted at 2000-01-01T00:20:02Z:
  +0s      accepted
  +0s      attempt 1 began
  +0s      attempt 1 failed: caught
           by the guard`

// TestChecks passes what is so, and tells of the rest what is so instead.
func TestChecks(t *testing.T) {
	t.Parallel()
	sluicetest.Run(t, shop(), func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(sluicert.Deployment{})
		answer := h.Post("Sell", `{}`)
		h.Drain()
		good := answer.Execution()
		bad := h.Webhook("Steal").Synchronous(true).JSON("silver").Execution()

		require.Empty(t, failure(t, h, func() {
			good.RequireSucceeded().RequireAttempts(3).RequireSteps("ask stock").RequireStep("ask stock", 3).RequireLog("the stock")
			good.RequireResult(map[string]string{"sold": "tea"})
			good.InstanceState().Require("left", 2)
			bad.RequireFailed("the guard").RequireStatus(store.StatusFailed)
			answer.RequireStatus(200).RequireJSON(map[string]string{"executionId": good.ID})
		}))
		var result struct{ Sold string }
		good.DecodeResult(&result)
		require.Equal(t, "tea", result.Sold)
		var left int
		require.True(t, good.InstanceState().Decode("left", &left))
		require.Equal(t, 2, left)
		require.False(t, good.CrossFlowState().Decode("left", &left))
		require.Equal(t, []string{"left"}, good.InstanceState().Keys())
		require.Empty(t, good.ExecutionState().Keys())
		require.Empty(t, good.IntegrationState().Keys())

		for want, check := range map[string]func(){
			"the execution is failed, not succeeded:\n" + stolen:                                                     func() { bad.RequireSucceeded() },
			"the execution is succeeded, not failed:\n" + sold:                                                       func() { good.RequireFailed("till") },
			`the execution failed with "caught\nby the guard", which does not contain "x":` + "\n" + stolen:          func() { bad.RequireFailed("x") },
			"the execution had 3 attempts, not 1:\n" + sold:                                                          func() { good.RequireAttempts(1) },
			"the result is not as expected:\n  expected 7\n  actual   {\"sold\":\"tea\"}:\n" + sold:                  func() { good.RequireResult(7) },
			"the execution has no result:\n" + stolen:                                                                func() { bad.RequireResult(7) },
			"the result cannot be read into *int: json: cannot unmarshal object into Go value of type int:\n" + sold: func() { good.DecodeResult(&left) },
			`the execution has the steps ["ask stock"] on record, not ["pay"]:` + "\n" + sold:                        func() { good.RequireSteps("pay") },
			`no step "pay" is on record:` + "\n" + sold:                                                              func() { good.RequireStep("pay", 1) },
			`step "ask stock" is not as expected:` + "\n  expected 4\n  actual   3:\n" + sold:                        func() { good.RequireStep("ask stock", 4) },
			`no line of the log contains "paid":` + "\n" + sold:                                                      func() { good.RequireLog("paid") },
			`the flow's state "left" is not as expected:` + "\n  expected 3\n  actual   2:\n" + sold:                 func() { good.InstanceState().Require("left", 3) },
			`the instance has no state "left"; it has []:` + "\n" + sold:                                             func() { good.CrossFlowState().Require("left", 3) },
			`the flow's state "left" cannot be read into *string: json: cannot unmarshal number into Go value of type string:` + "\n" + sold: func() {
				good.InstanceState().Decode("left", new(string))
			},
			"the answer is not as expected:\n  expected 7\n  actual   {\"executionId\":\"ID\"}:\nPOST /ID answered 200 OK\n  {\"executionId\":\"ID\"}\n" + sold: func() { answer.RequireJSON(7) },
			"the result is a value, and a string is expected that spells it: expect a Go value, or json.RawMessage(`{ \"sold\": \"tea\" }`):\n" + sold: func() {
				good.RequireResult(`{ "sold": "tea" }`)
			},
			"the answer is not 202:\nPOST /ID answered 200 OK\n  {\"executionId\":\"ID\"}\n" + sold: func() { answer.RequireStatus(202) },
		} {
			require.Equal(t, want, failure(t, h, check))
		}
	})
}

// TestTooEarly says that an execution is not over yet, and what it waits for.
func TestTooEarly(t *testing.T) {
	t.Parallel()
	sluicetest.Run(t, shop(), func(t *testing.T, h *sluicetest.Harness) {
		h.Deploy(sluicert.Deployment{})
		answer := h.Post("Sell", `{}`)
		require.Equal(t, `the execution is running, not succeeded; it is not over: call Drain before the execution is read:
execution ID of flow "sell" (webhook), accepted at 2000-01-01T00:00:00Z:
  +0s      accepted
  is running`, failure(t, h, func() { answer.Execution().RequireSucceeded() }))
		h.Advance(time.Minute)
		require.Contains(t, failure(t, h, func() { answer.Execution().RequireSucceeded() }), `
  +2s      attempt 1 ended: the till is closed; the next is due at +10m2s
  waits until +10m2s`)
		require.Len(t, h.Pending(), 1)
		h.Drain()
		require.Empty(t, h.Pending())
	})
}
