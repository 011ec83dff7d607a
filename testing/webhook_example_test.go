package sluicetest_test

import (
	"context"
	"testing"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/runtime"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// pushes takes webhooks that GitHub signed.
var pushes = &sluice.Integration{Name: "Pushes", Flows: []sluice.Flow{{
	Name: "Push", StableKey: "push",
	Trigger: sluice.HMACTrigger{Signature: sluice.GitHub(), Secrets: []string{"a secret of the test"}},
	OnExecution: func(_ context.Context, run *sluice.Run) (*sluice.Result, error) {
		var push struct{ Ref string }
		err := run.Payload.Body.Decode(&push)
		return &sluice.Result{Data: push.Ref}, err
	},
}}}

// testPush signs as GitHub does.
func testPush(t *testing.T) {
	sluicetest.Run(t, pushes, func(_ *testing.T, h *sluicetest.Harness) {
		h.Deploy(runtime.Deployment{})
		push := map[string]string{"ref": "refs/heads/main"}
		answer := h.Webhook("Push").
			Header("X-GitHub-Event", "push").
			Sign(sluice.GitHub(), "a secret of the test").
			JSON(push).
			RequireStatus(200)
		h.Drain()
		answer.Execution().RequireSucceeded().RequireResult("refs/heads/main")
		h.Webhook("Push").Sign(sluice.GitHub(), "a guess").JSON(push).RequireStatus(401)
	})
}

func ExampleHarness_Webhook() {
	_ = testPush // Its name begins with Test in a test file of yours.
	// Output:
}
