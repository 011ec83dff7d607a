package runtime_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-go/sluice"
	"github.com/sluice-go/sluice/store"
	sluicetest "github.com/sluice-go/sluice/testing"
)

// hostileJSON panics when it is encoded or decoded.
type hostileJSON struct{}

func (hostileJSON) MarshalJSON() ([]byte, error)     { panic("boom") }
func (*hostileJSON) UnmarshalJSON(data []byte) error { panic("boom") }

// TestThreat33_TypesThatPanic: JSON methods of user code that panic before the acceptance
// end the request like any panic.
func TestThreat33_TypesThatPanic(t *testing.T) {
	t.Parallel()
	panicking := func(f *sluice.Flow) {
		f.OnTrigger = func(_ context.Context, _ *sluice.Run, payload *sluice.TriggerPayload) (*sluice.TriggerResult, error) {
			changed := *payload
			changed.Body = sluice.NewBody(hostileJSON{})
			return &sluice.TriggerResult{Payload: &changed}, nil
		}
	}
	deduped := func(f *sluice.Flow) {
		panicking(f)
		f.QueueConfig = sluice.StandardQueueConfig{DedupeIDField: "body.data.id"}
	}
	typed := sluice.Define(sluice.Flow{Name: "Flow", StableKey: "flow"}, func(context.Context, *sluice.Run, hostileJSON) (int, error) { return 0, nil })
	tests := map[string]*sluice.Integration{
		"asynchronous": integrationOf(nothing, panicking),
		"synchronous":  integrationOf(nothing, panicking, synchronous),
		"queued":       integrationOf(nothing, deduped),
		"input":        {Name: "Test", Flows: []sluice.Flow{typed.Flow}},
	}
	for name, integration := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, integration, func(t *testing.T, h *sluicetest.Harness) {
				response := h.Post("Flow", `{}`)
				require.Equal(t, http.StatusInternalServerError, response.StatusCode)
				require.Equal(t, `{"error":"The flow panicked."}`, response.Text)
				x := h.Execution(response.Header.Get("prismatic-executionid"))
				require.Equal(t, store.StatusFailed, x.Status)
				require.Contains(t, x.Error, "panic: boom")
			})
		})
	}
	t.Run("preprocess", func(t *testing.T) {
		t.Parallel()
		sluicetest.Run(t, multiTenantRouter(routes(hostileJSON{})), func(t *testing.T, h *sluicetest.Harness) {
			deployFor(h, "a")
			response := h.Post("contact.created", contact)
			require.Equal(t, http.StatusInternalServerError, response.StatusCode)
			require.Contains(t, h.Execution(response.Header.Get("prismatic-executionid")).Error, "panic: boom")
		})
	})
}
